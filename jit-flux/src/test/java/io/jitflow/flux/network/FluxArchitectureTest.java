package io.jitflow.flux.network;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

class FluxArchitectureTest {
  private static final FluxArchitecture FLUX =
      new FluxArchitecture(
          64, 3072, 24, 12288, List.of(16, 56, 56), 19, 38, 4096, 768, true, 10000);

  @Test
  void forwardFlops_ofFlux_areThePublishedCosts() {
    assertThat(FLUX.forwardFlops(4096, 512)).isCloseTo(74.4e12, Offset.offset(0.05e12));
    assertThat(FLUX.forwardFlops(1310, 512)).isCloseTo(25.85e12, Offset.offset(0.05e12));
  }

  @Test
  void forwardFlops_ofThePresets_giveThePapersRatios() {
    double full = 50 * FLUX.forwardFlops(4096, 256);
    double preset4x =
        7 * FLUX.forwardFlops(1433, 256)
            + 4 * FLUX.forwardFlops(2539, 256)
            + 7 * FLUX.forwardFlops(4096, 256);
    double preset7x =
        4 * FLUX.forwardFlops(1310, 256)
            + 3 * FLUX.forwardFlops(2457, 256)
            + 4 * FLUX.forwardFlops(4096, 256);
    assertThat(full / preset4x).isCloseTo(4.24, Offset.offset(0.01));
    assertThat(full / preset7x).isCloseTo(7.14, Offset.offset(0.01));
  }
}
