package io.jitflow.examples.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.jitflow.core.SigmaSchedule;
import io.jitflow.core.VelocityModel;
import io.jitflow.core.token.TokenGrid;
import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;

class ContextProbeTest {
  private static final TokenGrid GRID = new TokenGrid(8, 8);

  /**
   * The velocity is sigma everywhere, so at 0.9 the estimate is 0.9^2 / 2 from the result, no
   * context matters, and a step of 0.1 of first order ends 0.1^2 / 2 off: as with an estimate that
   * is 0.045 off.
   */
  @Test
  void print_velocityThatIsSigma_tellsWhatIsKnownOfIt() {
    VelocityModel model = (tokens, at, sigma) -> tokens.zerosLike().add(sigma);
    ContextProbe probe = new ContextProbe(SigmaSchedule.linear(), 0.5);
    try (NDManager manager = NDManager.newBaseManager()) {
      probe.sample(model, manager.zeros(new Shape(1, 64, 4)), GRID).close();
    }
    StringWriter out = new StringWriter();
    probe.print(new PrintWriter(out));
    assertThat(out.toString()).contains("| 0.900 | 0.405 | 0.000 | 0.000 | 0.045 | 0.000 |");
  }

  @Test
  void check_densityOfNoToken_isToldBeforeTheRun() {
    ContextProbe probe = new ContextProbe(SigmaSchedule.linear(), 0.5, 0.001);
    assertThatThrownBy(() -> probe.check(GRID))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("0.001");
  }
}
