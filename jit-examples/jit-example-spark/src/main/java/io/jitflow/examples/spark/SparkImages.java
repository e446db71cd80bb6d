package io.jitflow.examples.spark;

import io.jitflow.spark.FluxImages;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/** One picture through Spark, in this JVM; a real job has many rows and writes them where it is. */
public final class SparkImages {

  private SparkImages() {}

  /**
   * Draws 256 x 256 px with seed 1.
   *
   * @param args the bundle folder, the prompt, the PNG file to write
   * @throws IOException if the file cannot be written
   */
  public static void main(String[] args) throws IOException {
    try (SparkSession spark =
        SparkSession.builder()
            .master("local[1]")
            .config("spark.ui.enabled", "false")
            .config("spark.driver.bindAddress", "127.0.0.1")
            .config("spark.driver.host", "127.0.0.1")
            .getOrCreate()) {
      Dataset<Row> prompts =
          spark.createDataFrame(
              List.of(RowFactory.create("apple", args[1], 1L)),
              new StructType()
                  .add("id", DataTypes.StringType)
                  .add("prompt", DataTypes.StringType)
                  .add("seed", DataTypes.LongType));
      Row image =
          FluxImages.of(args[0])
              .withSize(256, 256)
              .withPreset("second_order_7x")
              .draw(prompts, "id")
              .first();
      if (image.getAs("png") == null) {
        throw new IOException(image.<String>getAs("error"));
      }
      Files.write(Path.of(args[2]), image.<byte[]>getAs("png"));
    }
  }
}
