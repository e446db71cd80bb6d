package io.jitflow.spark;

import static org.assertj.core.api.Assertions.assertThat;

import io.jitflow.core.EulerSampler;
import io.jitflow.flux.FluxPipeline;
import io.jitflow.flux.image.ImageRequest;
import io.jitflow.flux.mini.FluxMini;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerExecutorRemoved;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.util.LongAccumulator;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Executors in JVMs of their own. */
@Timeout(600)
class LocalClusterTest {
  private static final int ROWS = 64;
  private static final List<String> NAMES =
      List.of("red apple", "pear", "banana", "cherries", "lemon", "grapes", "kiwi fruit", "melon");

  private static Path bundle;
  private static SparkSession spark;
  private static Map<String, byte[]> expected;

  @BeforeAll
  static void start() throws IOException {
    Files.createDirectories(Path.of(System.getenv("SPARK_HOME"), "jars"));
    bundle = FluxMini.bundle();
    expected = drawInThisJvm();
    String classPath =
        Optional.ofNullable(System.getProperty("surefire.test.class.path"))
            .orElse(System.getProperty("java.class.path"));
    spark =
        SparkSession.builder()
            .master("local-cluster[2,1,1024]")
            .config("spark.ui.enabled", "false")
            .config("spark.driver.bindAddress", "127.0.0.1")
            .config("spark.driver.host", "127.0.0.1")
            // no task before both executors are there, so that each of them loads
            .config("spark.cores.max", "2")
            .config("spark.scheduler.minRegisteredResourcesRatio", "1.0")
            .config("spark.scheduler.maxRegisteredResourcesWaitingTime", "120s")
            .config("spark.executor.extraClassPath", absolute(classPath))
            .config(
                "spark.executor.extraJavaOptions",
                "-Dai.djl.offline=true -Dai.djl.pytorch.num_threads=1"
                    + " -Dai.djl.pytorch.num_interop_threads=1 -Djava.io.tmpdir='"
                    + System.getProperty("java.io.tmpdir")
                    + "'")
            .getOrCreate();
  }

  @AfterAll
  static void stop() {
    spark.stop();
  }

  /** Executors start in folders of their own. */
  private static String absolute(String classPath) {
    List<String> entries = new ArrayList<>();
    for (String entry : classPath.split(File.pathSeparator, -1)) {
      entries.add(Path.of(entry).toAbsolutePath().toString());
    }
    return String.join(File.pathSeparator, entries);
  }

  private static String prompt(int i) {
    return NAMES.get(i % NAMES.size());
  }

  private static Map<String, byte[]> drawInThisJvm() throws IOException {
    Map<String, byte[]> images = new HashMap<>();
    try (FluxPipeline plain = FluxPipeline.load(bundle)) {
      for (int i = 0; i < ROWS; i++) {
        String id = "row-" + i;
        ImageRequest request =
            ImageRequest.of(prompt(i))
                .withSize(256, 256)
                .withSeed(DrawPartition.hash(id))
                .withSampler(new EulerSampler(plain.schedule(), 2));
        images.put(id, plain.generate(request).toPng(0));
      }
    }
    return images;
  }

  private static Dataset<Row> prompts(int partitions) {
    List<Row> rows = new ArrayList<>();
    for (int i = 0; i < ROWS; i++) {
      rows.add(RowFactory.create("row-" + i, prompt(i)));
    }
    return spark
        .createDataFrame(
            rows,
            new StructType().add("id", DataTypes.StringType).add("prompt", DataTypes.StringType))
        .repartition(partitions);
  }

  private static void assertEveryRowOnceAsInThisJvm(List<Row> images) {
    assertThat(images).hasSize(ROWS);
    Map<String, byte[]> found = new HashMap<>();
    for (Row row : images) {
      assertThat(row.<String>getAs("error")).isNull();
      assertThat(found.put(row.getAs("id"), row.getAs("png"))).isNull();
    }
    assertThat(found.keySet()).isEqualTo(expected.keySet());
    found.forEach((id, png) -> assertThat(png).as(id).isEqualTo(expected.get(id)));
  }

  @Test
  void draw_twoExecutorsOneOfThemKilled_givesTheImagesOfOneJvm() throws Exception {
    LongAccumulator loads = spark.sparkContext().longAccumulator("loads");
    FluxImages drawing =
        FluxImages.of(bundle.toString()).withSize(256, 256).withSteps(2).withLoadCounter(loads);

    assertEveryRowOnceAsInThisJvm(drawing.draw(prompts(16), "id").collectAsList());
    assertThat(loads.value()).isEqualTo(2);

    CountDownLatch someDone = new CountDownLatch(3);
    CountDownLatch executorLost = new CountDownLatch(1);
    spark
        .sparkContext()
        .addSparkListener(
            new SparkListener() {
              @Override
              public void onTaskEnd(SparkListenerTaskEnd end) {
                someDone.countDown();
              }

              @Override
              public void onExecutorRemoved(SparkListenerExecutorRemoved removed) {
                executorLost.countDown();
              }
            });
    CompletableFuture<Boolean> killed =
        CompletableFuture.supplyAsync(
            () -> {
              try {
                someDone.await();
                return executors().get(0).destroyForcibly();
              } catch (InterruptedException e) {
                throw new IllegalStateException(e);
              }
            });
    List<Row> images = drawing.draw(prompts(32), "id").collectAsList();
    assertThat(killed.join()).isTrue();
    assertThat(executorLost.await(30, TimeUnit.SECONDS)).isTrue();
    assertEveryRowOnceAsInThisJvm(images);
    assertThat(loads.value())
        .as("the lost executor's successor loads again, if it comes before the last row")
        .isBetween(2L, 3L);
  }

  /** The JVMs that this one started for its executors; it starts no others. */
  private static List<ProcessHandle> executors() {
    List<ProcessHandle> executors =
        ProcessHandle.current()
            .descendants()
            .filter(process -> process.info().command().orElse("").endsWith("java"))
            .toList();
    assertThat(executors).hasSize(2);
    return executors;
  }
}
