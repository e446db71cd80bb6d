package io.jitflow.examples.spring;

import static org.assertj.core.api.Assertions.assertThat;

import io.jitflow.examples.plain.PlainImages;
import io.jitflow.flux.mini.FluxMini;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.SpringBootVersion;
import org.springframework.context.ConfigurableApplicationContext;

class SpringImagesTest {

  private static String[] arguments(Path bundle, Path file) {
    return new String[] {
      "--spring.ai.jit.image.bundle=" + bundle,
      "--spring.ai.jit.image.options.preset=second_order_7x",
      "--spring.ai.jit.image.options.width=256",
      "--spring.ai.jit.image.options.height=256",
      "--spring.ai.jit.image.options.seed=1",
      "--prompt=red apple",
      "--out=" + file
    };
  }

  @Test
  void main_sameRequest_writesThePngOfThePlainProgram(@TempDir Path folder) throws IOException {
    Path bundle = FluxMini.bundle();
    Path file = folder.resolve("apple.png");
    SpringImages.main(arguments(bundle, file));
    assertThat(file).hasBinaryContent(PlainImages.png(bundle, "red apple"));
  }

  @Test
  void start_withActuator_hasTheHealthIndicatorOfItsLine(@TempDir Path folder) throws IOException {
    String[] arguments = arguments(FluxMini.bundle(), folder.resolve("apple.png"));
    try (ConfigurableApplicationContext context =
        SpringApplication.run(SpringImages.class, arguments)) {
      String line = SpringBootVersion.getVersion().startsWith("3.") ? "actuate" : "contributor";
      assertThat(context.getBean("jitHealthIndicator").getClass().getInterfaces()[0].getName())
          .contains(line);
    }
  }
}
