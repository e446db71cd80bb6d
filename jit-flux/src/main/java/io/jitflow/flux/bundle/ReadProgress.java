package io.jitflow.flux.bundle;

/** Told how far a file has been read; what it throws ends the reading. */
@FunctionalInterface
public interface ReadProgress {
  /** Does nothing. */
  ReadProgress NONE = (name, done, total) -> {};

  /**
   * Called at the beginning of a file and then about every 64 MB.
   *
   * @param name the file's path within the bundle
   * @param done bytes read of it
   * @param total its size
   */
  void read(String name, long done, long total);
}
