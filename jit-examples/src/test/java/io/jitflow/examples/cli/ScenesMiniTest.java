package io.jitflow.examples.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.jitflow.core.jit.JitSampler;
import io.jitflow.flux.FluxPipeline;
import io.jitflow.flux.image.ImageRequest;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The trained small model in {@code src-test-fixtures/scenes-mini} draws the scenes it is asked
 * for.
 */
class ScenesMiniTest {
  private static final Path FIXTURE = SmallModel.fixture("scenes-mini");

  @TempDir static Path scratch;
  private static Path bundle;

  @BeforeAll
  static void convert() throws IOException {
    bundle = SmallModel.convert("scenes-mini", scratch);
  }

  private static Console scenes(Object... more) {
    List<Object> words = new ArrayList<>(List.of("scenes", "--model", bundle, "--renders", 80));
    words.addAll(List.of(more));
    if (!words.contains("--classifier")) {
      words.addAll(List.of("--classifier", FIXTURE.resolve("classifier.pt")));
    }
    return Console.run(words.toArray());
  }

  private static Console few(int trained, Object... more) {
    List<Object> words =
        new ArrayList<>(
            List.of(
                "--size",
                256,
                "--count",
                8,
                "--trained",
                trained,
                "--draws",
                40,
                "--only",
                "Euler, 7 |7x, ours"));
    words.addAll(List.of(more));
    return scenes(words.toArray());
  }

  /** The share of attributes drawn as asked, in per cent. */
  private static double attributes(Console console, String set) {
    return figure(console, 5, set);
  }

  /** The figure in a column of the first row that has these cells. */
  private static double figure(Console console, int column, String... cells) {
    String row =
        console
            .out()
            .lines()
            .filter(line -> Stream.of(cells).allMatch(cell -> line.contains("| " + cell + " |")))
            .findFirst()
            .orElseThrow();
    return Double.parseDouble(row.split("\\|", -1)[column].strip().split(" ", -1)[0]);
  }

  @Test
  void scenes_heldOutPrompts_areDrawnAsAsked() throws IOException {
    Path keep = Files.createDirectory(scratch.resolve("kept"));
    Path rows = scratch.resolve("rows.png");
    Path sheet = scratch.resolve("sheet.png");
    String charts = scratch.resolve("chart").toString();
    Console console = few(20, "--keep", keep, "--rows", rows, "--sheet", sheet, "--charts", charts);
    assertThat(console.exitCode()).as(console.err()).isZero();
    double wrong = attributes(console, "the same, of the wrong prompts");
    assertThat(attributes(console, "renders of the prompts' scenes")).isGreaterThan(90);
    assertThat(attributes(console, "Euler, 50 steps")).isGreaterThan(wrong + 30);
    assertThat(attributes(console, "JiT 7x, ours")).isGreaterThan(wrong + 30);
    assertThat(figure(console, 5, "JiT 7x, ours", "Euler, 7 steps"))
        .as("points more than plain steps")
        .isCloseTo(
            attributes(console, "JiT 7x, ours") - attributes(console, "Euler, 7 steps"),
            within(0.11));
    assertThat(console.out()).containsPattern("- Euler, 50 steps: TIME \\d of \\d, ");
    assertThat(List.of(rows, sheet)).allSatisfy(picture -> assertThat(picture).isNotEmptyFile());
    assertThat(Path.of(charts + "-attributes.png")).isNotEmptyFile();
    assertThat(Path.of(charts + "-features.png")).isNotEmptyFile();
    // what was kept is not drawn again, and gives the same table
    assertThat(few(20, "--keep", keep).out()).isEqualTo(console.out());
    try (Stream<Path> files = Files.list(keep)) {
      assertThat(files).hasSize(8);
    }
    assertThat(few(21, "--keep", keep).err())
        .contains("measured for", "nearest of 20", "name another folder");
  }

  /** Settings of a first stage of one step made days of nights: 141 of 255 where others have 50. */
  @Test
  void generate_aNight_isDarkWithEverySpeedUp() throws IOException {
    List<ImageRequest> requests =
        Stream.of(4, 7, 10, 13)
            .map(
                speedup ->
                    ImageRequest.of("a full moon over a landscape at night, pines on the left")
                        .withSize(512, 512)
                        .withSeed(3)
                        .withGuidance(3.5)
                        .withSampler(JitSampler.forSpeedup(speedup)))
            .toList();
    try (FluxPipeline pipeline = FluxPipeline.load(bundle)) {
      assertThat(requests)
          .allSatisfy(
              request ->
                  assertThat(meanLevel(pipeline.generate(request).bufferedImage(0)))
                      .isBetween(15.0, 75.0));
    }
  }

  /** The mean of red, green and blue, 0 to 255. */
  private static double meanLevel(BufferedImage image) {
    int[] rgb = image.getRGB(0, 0, image.getWidth(), image.getHeight(), null, 0, image.getWidth());
    return Arrays.stream(rgb)
        .flatMap(pixel -> IntStream.of(pixel >> 16 & 255, pixel >> 8 & 255, pixel & 255))
        .average()
        .orElseThrow();
  }

  @Test
  void scenes_wrongUse_isTold() {
    assertThat(scenes("--size", 200).err()).contains("--size must be a multiple of 128");
    assertThat(scenes("--guidance", "NaN").err()).contains("--guidance must be 0 or above");
    assertThat(scenes("--draws", 3).err()).contains("--draws must be at least 40, got 3");
    assertThat(scenes("--classifier", bundle.resolve("vae_decoder.pt")).err())
        .contains(
            "vae_decoder.pt is not", "tells the attributes of scenes; give the classifier.pt");
    assertThat(scenes("--count", 1).err()).contains("--count must be at least 2, got 1");
    assertThat(scenes("--only", "8x").err())
        .contains("--only matches the name of no sampler, got '8x'", "JiT 7x, ours");
    assertThat(scenes("--keep", scratch.resolve("nowhere")).err())
        .contains("the folder of --keep does not exist");
  }
}
