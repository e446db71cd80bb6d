/**
 * FLUX.1 from the downloaded checkpoint to pixels, with the standard or the Just-in-Time sampler.
 *
 * @since 0.1
 */
module io.jitflow.flux {
  requires transitive ai.djl.api;
  requires ai.djl.pytorch_engine;
  requires ai.djl.tokenizers;
  requires com.google.gson;
  requires com.sun.jna;
  requires transitive io.jitflow.core;
  requires transitive java.desktop;
  requires java.management;
  requires jdk.management;
  requires org.apache.commons.compress;
  requires static transitive org.jspecify;
  requires org.slf4j;

  exports io.jitflow.flux;
  exports io.jitflow.flux.convert;
  exports io.jitflow.flux.djl;
  exports io.jitflow.flux.file;
  exports io.jitflow.flux.image;
  exports io.jitflow.flux.weights;
}
