package io.jitflow.spark;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.when;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.engine.EngineException;
import io.jitflow.core.EulerSampler;
import io.jitflow.flux.FluxOptions.MemoryPolicy;
import io.jitflow.flux.FluxPipeline;
import io.jitflow.flux.image.ImageRequest;
import io.jitflow.flux.mini.FluxMini;
import io.jitflow.flux.weights.FluxNetwork;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.apache.spark.SparkException;
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
import org.junit.jupiter.api.io.TempDir;

/** The rules of rows, in threads of this JVM. */
class FluxImagesTest {
  private static Path bundle;
  private static SparkSession spark;

  @BeforeAll
  static void start() throws IOException {
    bundle = FluxMini.bundle();
    spark =
        SparkSession.builder()
            .master("local[2]")
            .config("spark.ui.enabled", "false")
            .config("spark.driver.bindAddress", "127.0.0.1")
            .config("spark.driver.host", "127.0.0.1")
            .getOrCreate();
  }

  @AfterAll
  static void stop() {
    spark.stop();
  }

  private static Dataset<Row> prompts(Row... rows) {
    return spark.createDataFrame(
        List.of(rows),
        new StructType()
            .add("id", DataTypes.StringType)
            .add("prompt", DataTypes.StringType)
            .add("seed", DataTypes.IntegerType)
            .add("widthPx", DataTypes.IntegerType));
  }

  private static FluxImages small() {
    return FluxImages.of(bundle.toString()).withSize(64, 64).withSteps(2);
  }

  private static Map<String, Row> byId(Dataset<Row> images) {
    return images.collectAsList().stream()
        .collect(Collectors.toMap(row -> row.getAs("id"), Function.identity()));
  }

  @Test
  void draw_rowsOfEveryKind_giveAnImageOrAnError() throws IOException {
    Map<String, Row> images =
        byId(
            small()
                .draw(
                    prompts(
                        RowFactory.create("a", "red apple", 7, null),
                        RowFactory.create("b", "red apple", null, 96),
                        RowFactory.create("c", "red apple", 7, 1000),
                        RowFactory.create("d", null, 7, null)),
                    "id"));
    assertThat(images).hasSize(4);
    try (FluxPipeline plain = FluxPipeline.load(bundle)) {
      ImageRequest request =
          ImageRequest.of("red apple").withSampler(new EulerSampler(plain.schedule(), 2));
      assertThat(images.get("a").<byte[]>getAs("png"))
          .isEqualTo(plain.generate(request.withSize(64, 64).withSeed(7)).toPng(0));
      assertThat(images.get("b").<byte[]>getAs("png"))
          .isEqualTo(
              plain.generate(request.withSize(96, 64).withSeed(DrawPartition.hash("b"))).toPng(0));
    }
    assertThat(images.get("b").<Long>getAs("seed")).isEqualTo(DrawPartition.hash("b"));
    assertThat(images.get("b").<Long>getAs("millis")).isPositive();
    assertThat(images.get("b").<String>getAs("error")).isNull();
    assertThat(images.get("c").<String>getAs("error"))
        .isEqualTo("width must be a multiple of 16 px, got 1000; try 992 or 1008");
    assertThat(images.get("c").<byte[]>getAs("png")).isNull();
    assertThat(images.get("d").<String>getAs("error")).contains("column prompt");
  }

  @Test
  void draw_unknownPresetInARow_givesAnErrorForThatRow() {
    Dataset<Row> rows =
        prompts(
                RowFactory.create("a", "red apple", 7, null),
                RowFactory.create("b", "red apple", 7, null))
            .withColumn("preset", when(col("id").equalTo("a"), "fastest"));
    Map<String, Row> images = byId(small().draw(rows, "id"));
    assertThat(images.get("a").<String>getAs("error")).contains("unknown preset \"fastest\"");
    assertThat(images.get("a").<byte[]>getAs("png")).isNull();
    assertThat(images.get("b").<String>getAs("error")).isNull();
    assertThat(images.get("b").<byte[]>getAs("png")).isNotEmpty();
  }

  @Test
  void draw_binaryKeys_decideSeedsByTheirBytes() {
    Dataset<Row> rows =
        prompts(
                RowFactory.create("a", "red apple", null, null),
                RowFactory.create("b", "red apple", null, null))
            .withColumn("id", col("id").cast(DataTypes.BinaryType));
    assertThat(small().draw(rows, "id").collectAsList())
        .extracting(row -> row.<Long>getAs("seed"))
        .containsExactlyInAnyOrder(DrawPartition.hash("a"), DrawPartition.hash("b"));
  }

  @Test
  void draw_fileThatBreaksMeanwhile_failsTheTaskAndNotTheRow(@TempDir Path folder)
      throws IOException {
    Path own = FluxMini.bundle(folder.resolve("bundle"));
    FluxImages drawing =
        FluxImages.of(own.toString())
            .withSize(64, 64)
            .withSteps(2)
            .withMemory(MemoryPolicy.SEQUENTIAL);
    Dataset<Row> first = prompts(RowFactory.create("a", "red apple", 7, null));
    assertThat(byId(drawing.draw(first, "id")).get("a").<String>getAs("error")).isNull();
    Path encoder = own.resolve(FluxNetwork.TEXT_ENCODER.fileName());
    Files.move(encoder, folder.resolve("aside.pt"));
    Files.writeString(encoder, "no archive");
    Dataset<Row> second = prompts(RowFactory.create("b", "pear", 7, null));
    Dataset<Row> broken = drawing.withIdleSeconds(0).draw(second, "id");
    assertThatThrownBy(broken::collectAsList).hasStackTraceContaining(encoder.toString());
  }

  @Test
  void isMachinesFault_ofTheEngineOrAFile_isNoErrorOfARow() {
    RuntimeException engine = new EngineException("out of memory");
    assertThat(DrawPartition.isMachinesFault(engine, 0, 4)).isTrue();
    assertThat(DrawPartition.isMachinesFault(engine, 2, 4)).isTrue();
    assertThat(DrawPartition.isMachinesFault(engine, 3, 4)).as("the last attempt").isFalse();
    assertThat(DrawPartition.isMachinesFault(engine, 0, 1)).as("the only attempt").isFalse();
    RuntimeException file = new UncheckedIOException(new IOException());
    assertThat(DrawPartition.isMachinesFault(file, 3, 4)).isTrue();
    assertThat(DrawPartition.isMachinesFault(new IllegalArgumentException("width"), 0, 4))
        .isFalse();
  }

  @Test
  void draw_otherPartitions_giveTheSameImagesFromOnePipeline() {
    LongAccumulator loads = spark.sparkContext().longAccumulator("loads");
    Row[] rows =
        Map.of("a", "red apple", "b", "pear", "c", "banana", "d", "cherries").entrySet().stream()
            .map(entry -> RowFactory.create(entry.getKey(), entry.getValue(), null, null))
            .toArray(Row[]::new);
    FluxImages small = small().withGuidance(2).withLoadCounter(loads).withIdleSeconds(30);
    Map<String, Row> one = byId(small.draw(prompts(rows).coalesce(1), "id"));
    Map<String, Row> four = byId(small.draw(prompts(rows).repartition(4), "id"));
    for (String id : one.keySet()) {
      assertThat(four.get(id).<byte[]>getAs("png")).isEqualTo(one.get(id).<byte[]>getAs("png"));
    }
    assertThat(loads.value()).isLessThanOrEqualTo(1); // another test may have loaded it before
  }

  @Test
  void draw_idleForLong_freesThePipeline() throws InterruptedException {
    Row row = RowFactory.create("a", "red apple", 1, null);
    byId(small().withIdleSeconds(0).draw(prompts(row), "id"));
    for (int i = 0; i < 100 && ExecutorPipelines.SHARED.size() > 0; i++) {
      Thread.sleep(50);
    }
    assertThat(ExecutorPipelines.SHARED.size()).isZero();
  }

  @Test
  void draw_wrongSettings_endInSparksFailureWithTheReason() {
    Dataset<Row> rows = prompts(RowFactory.create("a", "red apple", 1, null));
    assertThatThrownBy(() -> small().withPreset("fastest"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("unknown preset \"fastest\"");
    assertThatThrownBy(() -> small().withSize(1000, 64))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("width must be a multiple of 16 px, got 1000; try 992 or 1008");
    assertThatThrownBy(() -> small().draw(rows, "key"))
        .hasMessage("expected a column 'key', found [id, prompt, seed, widthPx]");
    assertThatThrownBy(() -> small().draw(rows.withColumnRenamed("widthPx", "png"), "id"))
        .hasMessageContaining("column 'png' would hold a result");
    assertThatThrownBy(() -> FluxImages.of(bundle + "-missing").draw(rows, "id").collectAsList())
        .satisfiesAnyOf(
            e -> assertThat(e).isInstanceOf(SparkException.class),
            e -> assertThat(e).hasRootCauseInstanceOf(IOException.class))
        .hasStackTraceContaining("expected a bundle folder, found nothing");
  }
}
