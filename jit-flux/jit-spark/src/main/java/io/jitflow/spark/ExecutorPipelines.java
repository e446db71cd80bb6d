package io.jitflow.spark;

import io.jitflow.flux.FluxOptions;
import io.jitflow.flux.FluxPipeline;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * The pipelines of this JVM, one per bundle and options, which name the device. A pipeline is
 * closed when no task has held it for a while, and when the JVM ends. Thread-safe.
 */
final class ExecutorPipelines {
  static final ExecutorPipelines SHARED = new ExecutorPipelines();

  private final Map<Key, Entry> entries = new HashMap<>();
  private final ScheduledExecutorService clock =
      Executors.newSingleThreadScheduledExecutor(
          work -> {
            Thread thread = new Thread(work, "flux-idle");
            thread.setDaemon(true);
            return thread;
          });

  private ExecutorPipelines() {
    Runtime.getRuntime().addShutdownHook(new Thread(this::closeAll));
  }

  /**
   * Takes a pipeline, loaded if nobody has it.
   *
   * @param idleSeconds how long to keep it after the last release
   * @param onLoad told of a load
   * @throws IOException if the bundle is missing, incomplete or damaged
   */
  synchronized Lease acquire(Path bundle, FluxOptions options, int idleSeconds, Runnable onLoad)
      throws IOException {
    Key key = new Key(bundle, options);
    Entry entry = entries.get(key);
    if (entry == null) {
      entry = new Entry(FluxPipeline.load(bundle, options));
      entries.put(key, entry);
      onLoad.run();
    }
    entry.holders++;
    return new Lease(key, entry, idleSeconds);
  }

  private synchronized void release(Key key, Entry entry, int idleSeconds) {
    entry.holders--;
    entry.releases++;
    if (entry.holders == 0) {
      long seen = entry.releases;
      var unused = clock.schedule(() -> closeIdle(key, entry, seen), idleSeconds, TimeUnit.SECONDS);
    }
  }

  private synchronized void closeIdle(Key key, Entry entry, long seen) {
    if (entry.holders == 0 && entry.releases == seen) {
      entries.remove(key);
      entry.close();
    }
  }

  private void closeAll() {
    List<Entry> open;
    synchronized (this) {
      open = List.copyOf(entries.values());
      entries.clear();
    }
    open.forEach(Entry::close);
  }

  /** How many pipelines are loaded. */
  synchronized int size() {
    return entries.size();
  }

  private record Key(Path bundle, FluxOptions options) {}

  private static final class Entry {
    private final FluxPipeline pipeline;
    private int holders;
    private long releases;
    private volatile boolean closed;

    Entry(FluxPipeline pipeline) {
      this.pipeline = pipeline;
    }

    void close() {
      closed = true;
      pipeline.close();
    }
  }

  /** A pipeline until its task ends. */
  final class Lease implements AutoCloseable {
    private final Key key;
    private final Entry entry;
    private final int idleSeconds;
    private boolean released;

    private Lease(Key key, Entry entry, int idleSeconds) {
      this.key = key;
      this.entry = entry;
      this.idleSeconds = idleSeconds;
    }

    FluxPipeline pipeline() {
      return entry.pipeline;
    }

    /** Whether the JVM is about to end. */
    boolean isClosed() {
      return entry.closed;
    }

    @Override
    public synchronized void close() {
      if (!released) {
        released = true;
        release(key, entry, idleSeconds);
      }
    }
  }
}
