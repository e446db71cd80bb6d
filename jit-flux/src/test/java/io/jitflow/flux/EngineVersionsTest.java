package io.jitflow.flux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.engine.Engine;
import java.io.File;
import java.lang.reflect.Method;
import java.net.URI;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EngineVersionsTest {

  @Test
  void check_ownDependencies_passes() {
    assertThat(Engine.getDjlVersion()).isEqualTo(EngineVersions.DJL);
    assertThatCode(EngineVersions::check).doesNotThrowAnyException();
  }

  @Test
  void require_anotherVersion_namesBothAndTheWayOut() {
    assertThatThrownBy(() -> EngineVersions.require("ai.djl:api", "0.35.1", Optional.of("0.36.0")))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("expected ai.djl:api 0.35.1, found 0.36.0")
        .hasMessageContaining("jit-bom");
  }

  @ParameterizedTest
  @CsvSource({
    "ai.djl.pytorch:pytorch-engine, 0.35.1, 0.34.0, pytorch-engine.properties, djl_version",
    "ai.djl.pytorch:pytorch-jni, 2.7.1-0.35.1, 2.5.1-0.33.0, jnilib/pytorch.properties, jni_version"
  })
  void load_partOfAnotherRelease_namesBothBeforeTheEngineStarts(
      String artifact,
      String expected,
      String found,
      String resource,
      String key,
      @TempDir Path folder)
      throws Exception {
    Path properties = folder.resolve(resource);
    Files.createDirectories(properties.getParent());
    Files.writeString(properties, key + "=" + found);
    assertLoadIsRefused(folder, artifact, expected, found);
  }

  @Test
  void load_apiOfAnotherRelease_namesBothBeforeTheEngineStarts(@TempDir Path folder)
      throws Exception {
    Path other = folder.resolve("api.jar");
    URI own = Engine.class.getProtectionDomain().getCodeSource().getLocation().toURI();
    try (JarFile jar = new JarFile(Path.of(own).toFile())) {
      Manifest manifest = new Manifest(jar.getManifest());
      manifest.getMainAttributes().put(Attributes.Name.SPECIFICATION_VERSION, "0.36.0");
      try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(other), manifest)) {
        for (JarEntry entry : Collections.list(jar.entries())) {
          if (!entry.getName().equals(JarFile.MANIFEST_NAME)) {
            out.putNextEntry(new JarEntry(entry.getName()));
            jar.getInputStream(entry).transferTo(out);
          }
        }
      }
    }
    assertLoadIsRefused(other, "ai.djl:api", "0.35.1", "0.36.0");
  }

  /** With an application's class path, on which another release comes first. */
  private static void assertLoadIsRefused(
      Path first, String artifact, String expected, String found) throws Exception {
    List<URL> classPath = new ArrayList<>(List.of(first.toUri().toURL()));
    for (String entry : ownClassPath().split(File.pathSeparator, -1)) {
      classPath.add(Path.of(entry).toUri().toURL());
    }
    Thread thread = Thread.currentThread();
    ClassLoader own = thread.getContextClassLoader();
    try (URLClassLoader application =
        new URLClassLoader(classPath.toArray(URL[]::new), ClassLoader.getPlatformClassLoader())) {
      thread.setContextClassLoader(application); // where DJL looks for its engines
      Method load =
          application.loadClass(FluxPipeline.class.getName()).getMethod("load", Path.class);
      assertThatThrownBy(() -> load.invoke(null, Path.of("bundle")))
          .cause()
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("expected %s %s, found %s", artifact, expected, found)
          .hasMessageContaining("jit-bom");
    } finally {
      thread.setContextClassLoader(own);
    }
  }

  private static String ownClassPath() {
    return Optional.ofNullable(System.getProperty("surefire.test.class.path"))
        .orElse(System.getProperty("java.class.path"));
  }

  @Test
  void require_absentPartOrFlavourOfTheSame_passes() {
    EngineVersions.require("ai.djl.pytorch:pytorch-jni", "2.7.1-0.35.1", Optional.empty());
    EngineVersions.require(
        "ai.djl.pytorch:pytorch-jni", "2.7.1-0.35.1", Optional.of("2.7.1-0.35.1"));
  }
}
