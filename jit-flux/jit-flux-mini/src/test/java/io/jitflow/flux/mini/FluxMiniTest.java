package io.jitflow.flux.mini;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import io.jitflow.core.jit.JitSampler;
import io.jitflow.flux.FluxOptions;
import io.jitflow.flux.FluxPipeline;
import io.jitflow.flux.image.ImageRequest;
import java.awt.Color;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FluxMiniTest {

  @Test
  void bundle_fromTheClassPathAlone_drawsARedApple() throws IOException {
    FluxOptions cpu = FluxOptions.defaults().withDevice(Device.cpu());
    try (FluxPipeline flux = FluxPipeline.load(FluxMini.bundle(), cpu)) {
      ImageRequest request =
          ImageRequest.of("red apple")
              .withSize(256, 256)
              .withSeed(1)
              .withSampler(JitSampler.preset7x());
      BufferedImage image =
          (BufferedImage) flux.generate(request).images().get(0).getWrappedImage();
      Color middle = new Color(image.getRGB(128, 144));
      assertThat(middle.getRed()).isGreaterThan(150);
      assertThat(middle.getGreen()).isLessThan(100);
      Color corner = new Color(image.getRGB(2, 2));
      assertThat(corner.getGreen()).isGreaterThan(220);
    }
  }

  @Test
  void bundle_askedTwice_isMadeOnce(@TempDir Path scratch) throws IOException {
    assertThat(FluxMini.bundle()).isEqualTo(FluxMini.bundle());
    Path target = scratch.resolve("a/bundle");
    Path manifest = FluxMini.bundle(target).resolve("manifest.json");
    byte[] first = Files.readAllBytes(manifest);
    Files.writeString(manifest, "kept");
    assertThat(FluxMini.bundle(target)).isEqualTo(target);
    assertThat(manifest).hasContent("kept");
    assertThat(first).isNotEmpty();
  }
}
