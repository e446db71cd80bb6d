/**
 * A small trained model that draws emoji, for the tests of applications.
 *
 * @since 0.1
 */
module io.jitflow.flux.mini {
  requires transitive io.jitflow.flux;

  exports io.jitflow.flux.mini;
}
