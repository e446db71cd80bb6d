/**
 * The one reader of JSON: manifests, configurations, requests and tokenizers' settings; and how
 * messages quote what is in files.
 *
 * <p>{@link io.jitflow.flux.json.StrictJson} reads a file as a whole; the headers of safetensors
 * files, which may be 100 MB, are taken part by part from the {@link
 * io.jitflow.flux.json.JsonStream} below it.
 *
 * @since 0.1
 */
@NullMarked
package io.jitflow.flux.json;

import org.jspecify.annotations.NullMarked;
