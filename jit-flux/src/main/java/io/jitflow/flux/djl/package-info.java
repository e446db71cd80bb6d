/**
 * FLUX.1 as a model of DJL: {@code Criteria} to {@code ZooModel}, and a model folder for DJL
 * Serving.
 *
 * <pre>{@code
 * Criteria<ImageRequest, GeneratedImages> criteria =
 *     Criteria.builder()
 *         .setTypes(ImageRequest.class, GeneratedImages.class)
 *         .optModelPath(bundle)
 *         .optEngine("PyTorch")
 *         .optTranslatorFactory(new FluxTranslatorFactory())
 *         .optArgument("blockFactory", FluxBlockFactory.class.getName())
 *         .optOption("hasParameter", "false")
 *         .build();
 * try (ZooModel<ImageRequest, GeneratedImages> model = criteria.loadModel();
 *     Predictor<ImageRequest, GeneratedImages> predictor = model.newPredictor()) {
 *   predictor.predict(ImageRequest.of("a red fox in snow")).save(Path.of("fox.png"));
 * }
 * }</pre>
 *
 * <p>Limits: nothing is batched, since one image keeps a device busy; predictors of one model share
 * its pipeline and take turns.
 *
 * @since 0.1
 */
@NullMarked
package io.jitflow.flux.djl;

import org.jspecify.annotations.NullMarked;
