package io.jitflow.flux;

/** Which networks are on the device at the same time. Figures are for FLUX.1-dev, weights only. */
public enum MemoryPolicy {
  /**
   * The first of the others that fits the free memory of the device with an image of 1024 x 1024
   * px, and for a larger image the first that fits it; the pipeline says by {@link
   * FluxPipeline#memoryPlan()} which one that is.
   */
  AUTO,
  /**
   * All of them, from loading the pipeline until it is closed: the fastest, 33.7 GB in bf16, 20.4
   * GB in int8.
   */
  RESIDENT,
  /**
   * The text encoders, or the modulation, or the transformer, one after the other: each is freed
   * before the next is loaded, and the transformer is freed when a prompt must be encoded, or noise
   * levels modulated, that are not cached. 17.4 GB in bf16, 8.8 GB in int8.
   */
  SEQUENTIAL,
  /**
   * One after the other as in {@link #SEQUENTIAL}, and their weights stay in host memory, from
   * where each layer's go to the device whenever it runs: for devices that are smaller than the
   * transformer. Every step moves the transformer's weights once, 17.3 GB in bf16, 8.7 GB in int8.
   * On a CPU nothing moves: weights are pages of the bundle's files, which the system reads and
   * drops as it has room; those that are narrower than the arithmetic are widened where they are
   * used. Adapters need their weights in memory: they are refused here on a GPU, and on a CPU the
   * networks are loaded as in {@link #SEQUENTIAL}.
   */
  STREAMED
}
