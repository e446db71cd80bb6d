package io.jitflow.examples.spring;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import org.springframework.ai.image.ImageModel;
import org.springframework.ai.image.ImagePrompt;
import org.springframework.boot.ApplicationRunner;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;

/**
 * One picture through Spring AI; the same program on Spring Boot 3.5 and 4. Everything about the
 * model is in properties:
 *
 * <pre>
 * --spring.ai.jit.image.bundle=FOLDER --spring.ai.jit.image.options.preset=second_order_7x
 * --prompt="red apple" --out=apple.png
 * </pre>
 */
@SpringBootApplication
public class SpringImages {

  /**
   * Draws one picture and ends.
   *
   * @param args properties
   */
  public static void main(String[] args) {
    SpringApplication.run(SpringImages.class, args).close();
  }

  /**
   * Draws.
   *
   * @param model the auto-configured model
   * @return what runs after the start
   */
  @Bean
  ApplicationRunner draw(ImageModel model) {
    return args -> {
      ImagePrompt prompt = new ImagePrompt(args.getOptionValues("prompt").get(0));
      String png = model.call(prompt).getResult().getOutput().getB64Json();
      Files.write(Path.of(args.getOptionValues("out").get(0)), Base64.getDecoder().decode(png));
    };
  }
}
