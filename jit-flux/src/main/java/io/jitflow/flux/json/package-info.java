/**
 * The one reader of JSON: manifests, configurations, requests and tokenizers' settings.
 *
 * <p>Limits: a file is read as a whole; the headers of safetensors files, which may be 100 MB, are
 * parsed as a stream where they belong.
 *
 * @since 0.1
 */
@NullMarked
package io.jitflow.flux.json;

import org.jspecify.annotations.NullMarked;
