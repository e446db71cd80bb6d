/**
 * FLUX.1 as an image model of LangChain4j.
 *
 * <p>Limits: images come as base64 data, never as a URL.
 *
 * @since 0.1
 */
package io.jitflow.langchain4j;
