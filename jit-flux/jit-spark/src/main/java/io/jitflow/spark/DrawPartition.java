package io.jitflow.spark;

import ai.djl.Device;
import ai.djl.engine.EngineException;
import io.jitflow.core.SamplingListener;
import io.jitflow.flux.FluxOptions;
import io.jitflow.flux.FluxOptions.MemoryPolicy;
import io.jitflow.flux.image.GeneratedImages;
import io.jitflow.flux.image.ImageRequest;
import io.jitflow.flux.image.ImageSettings;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.TimeUnit;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkEnv;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.resource.ResourceInformation;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.util.LongAccumulator;
import org.apache.spark.util.TaskCompletionListener;

/** Draws the rows of one partition, one by one as Spark asks for them. */
final class DrawPartition implements MapPartitionsFunction<Row, Row> {

  private static final long serialVersionUID = 1L;

  private final RowSettings usual;
  private final String bundle;
  private final MemoryPolicy memory;
  private final int idleSeconds;
  private final LongAccumulator loads;
  private final String key;

  DrawPartition(
      RowSettings usual,
      String bundle,
      MemoryPolicy memory,
      int idleSeconds,
      LongAccumulator loads,
      String key) {
    this.usual = usual;
    this.bundle = bundle;
    this.memory = memory;
    this.idleSeconds = idleSeconds;
    this.loads = loads;
    this.key = key;
  }

  @Override
  public Iterator<Row> call(Iterator<Row> rows) throws IOException {
    if (!rows.hasNext()) {
      return Collections.emptyIterator(); // not worth a model
    }
    TaskContext task = TaskContext.get();
    ExecutorPipelines.Lease lease =
        ExecutorPipelines.SHARED.acquire(
            Path.of(bundle), options(task), idleSeconds, this::countLoad);
    TaskCompletionListener release = ended -> lease.close();
    task.addTaskCompletionListener(release);
    return new Iterator<>() {
      @Override
      public boolean hasNext() {
        return rows.hasNext();
      }

      @Override
      public Row next() {
        return draw(rows.next(), lease, task);
      }
    };
  }

  private void countLoad() {
    if (loads != null) {
      loads.add(1);
    }
  }

  /** On the GPU that Spark assigned to the task, if Spark assigns any. */
  private FluxOptions options(TaskContext task) {
    FluxOptions options = FluxOptions.defaults().withMemory(memory);
    ResourceInformation gpu = task.resourcesJMap().get("gpu");
    return gpu == null
        ? options
        : options.withDevice(Device.gpu(Integer.parseInt(gpu.addresses()[0])));
  }

  private Row draw(Row row, ExecutorPipelines.Lease lease, TaskContext task) {
    long begin = System.nanoTime();
    Long seed = null;
    byte[] png = null;
    String error = null;
    try {
      seed = seed(row);
      String prompt = RowSettings.text(row, "prompt");
      if (prompt == null) {
        throw new IllegalArgumentException("column prompt: expected a text, found null");
      }
      ImageSettings settings = RowSettings.of(row).settings().orElse(usual.settings());
      ImageRequest request =
          settings
              .withSeed(seed)
              .request(prompt, lease.pipeline().schedule())
              .withListener(SamplingListener.cancelledWhen(task::isInterrupted));
      GeneratedImages images = lease.pipeline().generate(request);
      png = images.toPng(0);
    } catch (CancellationException e) {
      task.killTaskIfInterrupted(); // tells Spark in its own words
      throw e;
    } catch (RuntimeException e) {
      if (lease.isClosed() || isMachinesFault(e, task.attemptNumber(), attempts())) {
        throw e; // this JVM ends or is in trouble: the row is another one's to draw
      }
      error = e.getMessage() == null ? e.toString() : e.getMessage();
    }
    List<Object> values = new ArrayList<>();
    for (String name : row.schema().fieldNames()) {
      if (!name.equals("seed")) {
        values.add(row.get(row.fieldIndex(name)));
      }
    }
    Collections.addAll(
        values, seed, png, TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begin), error);
    return RowFactory.create(values.toArray());
  }

  /**
   * Whether a failure is none of the row: Spark repeats the task, perhaps elsewhere. What the
   * engine refuses every time, as a picture too large for every device, is the row's after all.
   *
   * @param attempt the number of the attempt, from 0
   * @param attempts how many there are before the job fails
   */
  static boolean isMachinesFault(RuntimeException e, int attempt, int attempts) {
    return e instanceof UncheckedIOException
        || (e instanceof EngineException && attempt + 1 < attempts);
  }

  /** How often Spark tries a task: not again where there is one JVM only. */
  private static int attempts() {
    SparkConf conf = SparkEnv.get().conf();
    String master = conf.get("spark.master", "");
    boolean isLocal = master.startsWith("local") && !master.startsWith("local-cluster");
    return isLocal ? 1 : conf.getInt("spark.task.maxFailures", 4);
  }

  /** The row's own seed, or 32 bits of a hash of its key: never anything of its partition. */
  private long seed(Row row) {
    Number own = RowSettings.number(row, "seed");
    if (own != null) {
      return own.longValue();
    }
    Object name = row.get(row.fieldIndex(key));
    return name instanceof byte[] bytes ? hash(bytes) : hash(String.valueOf(name));
  }

  static long hash(String text) {
    return hash(text.getBytes(StandardCharsets.UTF_8));
  }

  static long hash(byte[] bytes) {
    try {
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(bytes);
      return Integer.toUnsignedLong(ByteBuffer.wrap(digest).getInt());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
