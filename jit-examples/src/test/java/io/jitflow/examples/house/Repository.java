package io.jitflow.examples.house;

import java.nio.file.Path;

/** Where the repository's own documents are. */
final class Repository {
  private Repository() {}

  static Path file(String name) {
    Path fixtures = Path.of(System.getProperty("jit.fixtures")).toAbsolutePath().normalize();
    return fixtures.resolveSibling(name);
  }
}
