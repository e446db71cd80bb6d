package io.jitflow.spring;

import ai.djl.Device;
import io.jitflow.flux.FluxOptions;
import io.jitflow.flux.FluxOptions.MemoryPolicy;
import java.nio.file.Path;
import java.util.List;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * The properties {@code spring.ai.jit.image.*}.
 *
 * @param bundle the folder of the model
 * @param devices one pipeline each: {@code cpu}, {@code gpu0}, {@code gpu1}, or {@code every-gpu};
 *     none for the engine's choice
 * @param memory which networks are in memory at the same time
 * @param queueLimit how many calls may wait
 * @param options what a call leaves open
 */
@ConfigurationProperties(FluxProperties.PREFIX)
public record FluxProperties(
    String bundle,
    @DefaultValue List<String> devices,
    @DefaultValue("auto") MemoryPolicy memory,
    @DefaultValue("64") int queueLimit,
    @DefaultValue FluxImageOptions options) {

  /** Before the name of every property. */
  public static final String PREFIX = "spring.ai.jit.image";

  /**
   * Where the model is.
   *
   * @throws IllegalArgumentException if nobody says
   */
  Path bundlePath() {
    if (bundle == null || bundle.isBlank()) {
      throw new IllegalArgumentException(
          "%s.bundle is not set: expected the folder of a converted model; set spring.ai.model.image=none to do without an image model"
              .formatted(PREFIX));
    }
    return Path.of(bundle);
  }

  /** The options of each pipeline. */
  List<FluxOptions> pipelines() {
    FluxOptions each = FluxOptions.defaults().withMemory(memory);
    if (devices.isEmpty()) {
      return List.of(each);
    }
    if (devices.equals(List.of("every-gpu"))) {
      return each.onEveryGpu();
    }
    return devices.stream().map(name -> each.withDevice(device(name))).toList();
  }

  private static Device device(String name) {
    if (!name.matches("cpu|gpu\\d{1,3}")) {
      throw new IllegalArgumentException(
          "%s.devices: expected cpu, gpu0, gpu1 and so on, or every-gpu, got '%s'"
              .formatted(PREFIX, name));
    }
    return Device.fromName(name);
  }
}
