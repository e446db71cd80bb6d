package io.jitflow.spring;

import org.springframework.ai.image.ImageGenerationMetadata;

/**
 * What one image was made from.
 *
 * @param seed its seed
 * @param request its complete request as JSON, as the PNG file carries it
 */
public record FluxImageMetadata(long seed, String request) implements ImageGenerationMetadata {}
