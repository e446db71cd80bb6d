package io.jitflow.flux;

/**
 * Told what a pipeline is busy with, so that nobody waits without a word. Called on the thread that
 * loads or generates; what it throws ends that.
 */
@FunctionalInterface
public interface PipelineListener {
  /** Does nothing. */
  PipelineListener NONE = activity -> {};

  /** The long phases of a pipeline's life, in the order of their first occurrence. */
  enum Phase {
    /** A file of the bundle is compared with the manifest. */
    VERIFY,
    /** A network is loaded; its progress is not known. */
    LOAD,
    /** Prompts are turned into embeddings; the progress is not known. */
    ENCODE,
    /** The sampler runs; a request's own listener is told of each step. */
    DENOISE,
    /** Latents become an image; the progress is not known. */
    DECODE
  }

  /**
   * What is going on.
   *
   * @param phase the phase
   * @param item what it is done to: a network's or file's name, or the image's number, from 1
   * @param done how much of it is done; 0 where that is not known
   * @param total bytes of a file to verify or to load, steps of the sampler; 0 where that is not
   *     known
   */
  record Activity(Phase phase, String item, long done, long total) {}

  /**
   * Called when a phase begins, and while a file is verified at least once per 64 MB.
   *
   * @param activity what is going on from now on
   */
  void onActivity(Activity activity);
}
