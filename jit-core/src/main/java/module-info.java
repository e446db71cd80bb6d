/**
 * Samplers for flow-matching transformers over DJL's arrays: the standard ones, and Just-in-Time.
 *
 * @since 0.1
 */
@SuppressWarnings("module") // io.jitflow.flux is made after this one
module io.jitflow.core {
  requires transitive ai.djl.api;
  requires org.apache.commons.statistics.distribution;
  requires static transitive org.jspecify;
  // what DJL needs and, as an automatic module, cannot say
  requires com.google.gson;
  requires org.apache.commons.compress;
  requires org.slf4j;

  exports io.jitflow.core;
  exports io.jitflow.core.jit;
  exports io.jitflow.core.token;
  exports io.jitflow.core.check to
      io.jitflow.flux;
}
