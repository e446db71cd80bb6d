package io.jitflow.flux;

import ai.djl.engine.Engine;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Optional;
import java.util.Properties;

/**
 * Whether the parts of DJL on the class path are those that this library was built with.
 *
 * <p>DJL's parts are released together and its JNI library fits one of them only; an application's
 * own dependencies may raise one part alone. The engine then looks for a JNI library on the network
 * and tells of that, not of the cause.
 */
final class EngineVersions {
  static final String DJL = "0.35.1";
  static final String JNI = "2.7.1-0.35.1";

  private EngineVersions() {}

  /**
   * Looks at what is on the class path, before the engine does.
   *
   * @throws IllegalStateException if a part is of another version
   */
  static void check() {
    require("ai.djl:api", DJL, Optional.of(Engine.getDjlVersion()));
    require("ai.djl.pytorch:pytorch-engine", DJL, read("pytorch-engine.properties", "djl_version"));
    require("ai.djl.pytorch:pytorch-jni", JNI, read("jnilib/pytorch.properties", "jni_version"));
  }

  /** A part that is absent is left to the engine, which has other places to look. */
  static void require(String artifact, String expected, Optional<String> found) {
    if (found.isPresent() && !found.get().startsWith(expected)) {
      throw new IllegalStateException(
          "expected %s %s, found %s on the class path; import io.jitflow:jit-bom before other BOMs in dependencyManagement, which pins every part of DJL to the version that this library was built with"
              .formatted(artifact, expected, found.get()));
    }
  }

  private static Optional<String> read(String resource, String key) {
    try (InputStream in = Engine.class.getClassLoader().getResourceAsStream(resource)) {
      if (in == null) {
        return Optional.empty();
      }
      Properties properties = new Properties();
      properties.load(in);
      return Optional.ofNullable(properties.getProperty(key));
    } catch (IOException e) {
      throw new UncheckedIOException("the class path has an unreadable " + resource, e);
    }
  }
}
