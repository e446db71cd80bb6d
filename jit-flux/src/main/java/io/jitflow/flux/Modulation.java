package io.jitflow.flux;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import io.jitflow.flux.network.FluxModulation;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What the transformer reads of one prompt at each noise level. Owns its arrays. */
final class Modulation implements AutoCloseable {
  /**
   * Noise levels that are kept between requests, 4.2 MB each with FLUX.1: those of 50 steps with a
   * negative prompt, and some.
   */
  static final int MAX_LEVELS = 128;

  private final NDManager manager;
  private final Map<Float, NDArray> rows = new HashMap<>();

  /**
   * What decides a modulation, beside the network. The noise levels belong to it as a whole, since
   * the last bits depend on what is evaluated together.
   */
  record Key(String prompt, double guidance, List<Double> sigmas) {}

  Modulation(NDManager parent) {
    this.manager = parent.newSubManager();
  }

  /**
   * Evaluates noise levels in one go, so that each matrix is read once.
   *
   * @param network evaluates them
   * @param prompt the prompt, borrowed
   * @param sigmas the noise levels, at least one
   * @param guidance the input of the guidance embedding
   */
  void add(FluxModulation network, PromptEmbedding prompt, double[] sigmas, double guidance) {
    try (NDManager scratch = manager.newSubManager()) {
      scratch.tempAttachAll(prompt.pooled());
      NDArray all = network.rows(prompt.pooled(), sigmas, guidance);
      all.attach(manager);
      for (int i = 0; i < sigmas.length; i++) {
        rows.put((float) sigmas[i], all.get(manager, new NDIndex("{}:{}", i, i + 1)));
      }
    }
  }

  /** The rows at a noise level, {@code [1, rows, hiddenSize]}, or null; still owned by this. */
  @Nullable NDArray at(double sigma) {
    return rows.get((float) sigma);
  }

  /** Whether all these may be kept: so many, if their noise levels together are not too many. */
  static boolean mayBeKept(Collection<Modulation> modulations, int capacity) {
    int levels = modulations.stream().mapToInt(modulation -> modulation.rows.size()).sum();
    return levels <= MAX_LEVELS && modulations.size() <= capacity;
  }

  @Override
  public void close() {
    manager.close();
  }
}
