package io.jitflow.spark;

import io.jitflow.flux.FluxOptions.MemoryPolicy;
import io.jitflow.flux.image.ImageSettings;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.util.LongAccumulator;

/**
 * Draws the prompts of a dataset.
 *
 * <pre>{@code
 * Dataset<Row> images = FluxImages.of("/models/dev-bundle")
 *     .withSize(1024, 768).withPreset("second_order_7x")
 *     .draw(prompts.repartition(64), "id");
 * images.write().parquet("images");
 * }</pre>
 *
 * <p>Input columns: {@code prompt}, a key of any type, and if wanted {@code seed}, {@code widthPx},
 * {@code heightPx}, {@code preset}, {@code steps}, {@code guidance}, {@code negativePrompt}, {@code
 * trueCfgScale}, each of which may be null and then is as set here.
 *
 * <p>Output columns: the input's, then {@code seed} (the row's own, or one from a hash of its key),
 * {@code png} (the file with its request), {@code millis} and {@code error}. A row that cannot be
 * drawn has an error and no image, and the job goes on. What is no fault of the row fails its task,
 * which Spark repeats: the engine or a file that fails while it draws. What the engine still
 * refuses at the last attempt (in local mode: at the only one), such as a picture too large for
 * every device, is the row's error. A bundle that cannot be loaded fails the job.
 *
 * <p>Each executor has one pipeline per GPU that Spark assigns (resource {@code gpu}), or one on
 * the engine's choice; tasks of one executor take turns. Immutable.
 */
public final class FluxImages {

  /** How long a pipeline stays loaded without a task, unless told otherwise, in seconds. */
  public static final int DEFAULT_IDLE_SECONDS = 60;

  private static final List<StructField> RESULTS =
      List.of(
          DataTypes.createStructField("seed", DataTypes.LongType, true),
          DataTypes.createStructField("png", DataTypes.BinaryType, true),
          DataTypes.createStructField("millis", DataTypes.LongType, true),
          DataTypes.createStructField("error", DataTypes.StringType, true));

  private final ImageSettings settings;
  private final String bundle;
  private final MemoryPolicy memory;
  private final int idleSeconds;
  private final Optional<LongAccumulator> loads;

  private FluxImages(
      ImageSettings settings,
      String bundle,
      MemoryPolicy memory,
      int idleSeconds,
      Optional<LongAccumulator> loads) {
    this.settings = settings;
    this.bundle = bundle;
    this.memory = memory;
    this.idleSeconds = idleSeconds;
    this.loads = loads;
  }

  /**
   * With the model's usual settings.
   *
   * @param bundle the folder of the model, on every executor
   * @return what draws
   */
  public static FluxImages of(String bundle) {
    return new FluxImages(
        ImageSettings.none(),
        Objects.requireNonNull(bundle, "bundle"),
        MemoryPolicy.AUTO,
        DEFAULT_IDLE_SECONDS,
        Optional.empty());
  }

  private FluxImages with(ImageSettings changed) {
    return new FluxImages(changed.check(), bundle, memory, idleSeconds, loads);
  }

  /**
   * With another size.
   *
   * @param widthPx in px, a multiple of 16
   * @param heightPx in px, a multiple of 16
   * @return the changed copy
   * @throws IllegalArgumentException if a value is out of range
   */
  public FluxImages withSize(int widthPx, int heightPx) {
    return with(settings.withWidthPx(widthPx).withHeightPx(heightPx));
  }

  /**
   * With another sampler.
   *
   * @param name {@code standard}, or a Just-in-Time preset such as {@code second_order_7x}
   * @return the changed copy
   * @throws IllegalArgumentException if it is unknown
   */
  public FluxImages withPreset(String name) {
    return with(settings.withPreset(name));
  }

  /**
   * With another number of steps.
   *
   * @param number 1 or above
   * @return the changed copy
   * @throws IllegalArgumentException if it is out of range
   */
  public FluxImages withSteps(int number) {
    return with(settings.withSteps(number));
  }

  /**
   * With another guidance scale.
   *
   * @param scale 0 or above
   * @return the changed copy
   * @throws IllegalArgumentException if it is out of range
   */
  public FluxImages withGuidance(double scale) {
    return with(settings.withGuidance(scale));
  }

  /**
   * With a negative prompt for every row.
   *
   * @param text what to avoid
   * @param scale above 1
   * @return the changed copy
   * @throws IllegalArgumentException if the scale is out of range
   */
  public FluxImages withNegativePrompt(String text, double scale) {
    return with(settings.withNegativePrompt(text).withTrueCfgScale(scale));
  }

  /**
   * With another use of memory.
   *
   * @param policy which networks are in memory at the same time
   * @return the changed copy
   */
  public FluxImages withMemory(MemoryPolicy policy) {
    return new FluxImages(settings, bundle, policy, idleSeconds, loads);
  }

  /**
   * With another patience: how long an executor keeps the model without a task.
   *
   * @param seconds 0 or above
   * @return the changed copy
   */
  public FluxImages withIdleSeconds(int seconds) {
    if (seconds < 0) {
      throw new IllegalArgumentException("idleSeconds must be at least 0, got " + seconds);
    }
    return new FluxImages(settings, bundle, memory, seconds, loads);
  }

  /**
   * With a count of the times that an executor loaded the model.
   *
   * @param counter an accumulator of the application
   * @return the changed copy
   */
  public FluxImages withLoadCounter(LongAccumulator counter) {
    return new FluxImages(settings, bundle, memory, idleSeconds, Optional.of(counter));
  }

  /**
   * Draws every row.
   *
   * @param prompts the rows; their partitions are the units that executors take and repeat
   * @param key the column that names a row and, where there is no seed, decides it
   * @return the rows with their images
   * @throws IllegalArgumentException if a column is missing, or one of the results is there already
   */
  public Dataset<Row> draw(Dataset<Row> prompts, String key) {
    StructType input = prompts.schema();
    List<String> names = Arrays.asList(input.fieldNames());
    for (String required : List.of("prompt", key)) {
      if (!names.contains(required)) {
        throw new IllegalArgumentException(
            "expected a column '%s', found %s".formatted(required, names));
      }
    }
    List<StructField> output = new ArrayList<>();
    for (StructField field : input.fields()) {
      if (!field.name().equals("seed")) {
        output.add(field);
      }
    }
    for (StructField result : RESULTS) {
      if (!result.name().equals("seed") && names.contains(result.name())) {
        throw new IllegalArgumentException(
            "column '%s' would hold a result, but is in the input already; rename it"
                .formatted(result.name()));
      }
      output.add(result);
    }
    StructType schema = DataTypes.createStructType(output);
    return prompts.mapPartitions(
        new DrawPartition(
            RowSettings.of(settings), bundle, memory, idleSeconds, loads.orElse(null), key),
        Encoders.row(schema));
  }
}
