package io.jitflow.flux;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Modulations of the runs made last, which it owns. Not thread-safe. */
final class ModulationCache implements AutoCloseable {
  /** Noise levels that are kept between runs: 4 MB each with FLUX.1. */
  private static final int MAX_LEVELS = 64;

  private final int capacity;
  private final Map<Key, Modulation> modulations = new LinkedHashMap<>(16, 0.75f, true);

  /**
   * What decides a modulation, beside the network. The noise levels belong to it as a whole, since
   * the last bits depend on what is evaluated together.
   */
  record Key(String prompt, double guidance, List<Double> sigmas) {}

  /**
   * An empty cache.
   *
   * @param capacity how many modulations are kept between runs, if their noise levels are not too
   *     many
   */
  ModulationCache(int capacity) {
    this.capacity = capacity;
  }

  /** The modulation, or null; still owned by the cache. */
  @Nullable Modulation get(Key key) {
    return modulations.get(key);
  }

  void put(Key key, Modulation modulation) {
    Modulation replaced = modulations.put(key, modulation);
    if (replaced != null) {
      replaced.close();
    }
  }

  /** Frees the modulations used least recently, down to what may be kept. */
  void trim() {
    int levels = modulations.values().stream().mapToInt(Modulation::size).sum();
    var oldest = modulations.values().iterator();
    while (levels > MAX_LEVELS || modulations.size() > capacity) {
      Modulation freed = oldest.next();
      levels -= freed.size();
      freed.close();
      oldest.remove();
    }
  }

  @Override
  public void close() {
    modulations.values().forEach(Modulation::close);
    modulations.clear();
  }
}
