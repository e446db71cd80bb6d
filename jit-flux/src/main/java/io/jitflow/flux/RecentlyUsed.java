package io.jitflow.flux;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The values used last, which it owns. Not thread-safe.
 *
 * @param <K> what decides a value
 * @param <V> what is kept and must be freed
 */
final class RecentlyUsed<K, V> implements AutoCloseable {
  private final Map<K, V> values = new LinkedHashMap<>(16, 0.75f, true);
  private final Consumer<V> free;
  private final Predicate<Collection<V>> mayBeKept;

  /**
   * Without values.
   *
   * @param free frees a value
   * @param mayBeKept whether these values may be kept by {@link #trim}; none always may
   */
  RecentlyUsed(Consumer<V> free, Predicate<Collection<V>> mayBeKept) {
    this.free = free;
    this.mayBeKept = mayBeKept;
  }

  /** The value, or null; still owned by this. */
  @Nullable V get(K key) {
    return values.get(key);
  }

  void put(K key, V value) {
    V replaced = values.put(key, value);
    if (replaced != null) {
      free.accept(replaced);
    }
  }

  /** Frees the values used least recently, until the others may be kept. */
  void trim() {
    var oldest = values.values().iterator();
    while (!values.isEmpty() && !mayBeKept.test(values.values())) {
      free.accept(oldest.next());
      oldest.remove();
    }
  }

  @Override
  public void close() {
    values.values().forEach(free);
    values.clear();
  }
}
