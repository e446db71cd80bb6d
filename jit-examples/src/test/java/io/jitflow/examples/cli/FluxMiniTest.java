package io.jitflow.examples.cli;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import io.jitflow.core.EulerSampler;
import io.jitflow.core.Sampler;
import io.jitflow.core.jit.JitSampler;
import io.jitflow.examples.bench.PictureSet;
import io.jitflow.examples.bench.Thumbnail;
import io.jitflow.flux.FluxOptions;
import io.jitflow.flux.FluxPipeline;
import io.jitflow.flux.image.ImageRequest;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** The trained small model in {@code src-test-fixtures/flux-mini} draws what it is asked for. */
class FluxMiniTest {
  private static final Path FIXTURE = SmallModel.fixture("flux-mini");

  @TempDir static Path scratch;
  private static Path bundle;

  @BeforeAll
  static void convert() throws IOException {
    bundle = SmallModel.convert("flux-mini", scratch);
  }

  private static PictureSet pictures() throws IOException {
    return PictureSet.read(FIXTURE.resolve("names.json"), FIXTURE.resolve("references.png"));
  }

  @Test
  void generate_namesOfTheTrainingSet_drawsThosePictures() throws IOException {
    PictureSet set = pictures();
    FluxOptions options = FluxOptions.defaults().withDevice(Device.cpu());
    try (FluxPipeline pipeline = FluxPipeline.load(bundle, options)) {
      for (Sampler sampler :
          List.of(new EulerSampler(pipeline.schedule(), 8), JitSampler.preset7x())) {
        int recognised = 0;
        List<Integer> prompts = set.evenly(8);
        for (int k = 0; k < prompts.size(); k++) {
          String prompt = set.names().get(prompts.get(k));
          ImageRequest request =
              ImageRequest.of(prompt).withSize(256, 256).withSeed(k).withSampler(sampler);
          BufferedImage picture =
              (BufferedImage) pipeline.generate(request).images().get(0).getWrappedImage();
          recognised += set.recognises(Thumbnail.of(picture), prompts.get(k)) ? 1 : 0;
        }
        // a model that ignored its prompt would be recognised once in some hundreds
        assertThat(recognised).as(SamplerOptions.describe(sampler)).isGreaterThanOrEqualTo(6);
      }
    }
  }

  private static int study(StringWriter out, StringWriter err, String... more) {
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "study",
                "--model",
                bundle.toString(),
                "--names",
                FIXTURE.resolve("names.json").toString(),
                "--references",
                FIXTURE.resolve("references.png").toString(),
                "--size",
                "128",
                "--count",
                "1",
                "--draws",
                "40"));
    arguments.addAll(List.of(more));
    return Main.commandLine(new Interrupt())
        .setOut(new PrintWriter(out))
        .setErr(new PrintWriter(err))
        .execute(arguments.toArray(String[]::new));
  }

  @Test
  void convert_adapters_areListedByInspect() {
    Path adapted = scratch.resolve("adapted");
    Path adapters = FIXTURE.resolve("lora");
    Console converted =
        Console.run(
            "convert",
            FIXTURE,
            adapted,
            "--lora",
            adapters.resolve("kohya.safetensors") + ":0.8",
            "--lora",
            adapters.resolve("bfl.safetensors") + ":0.1");
    assertThat(converted.exitCode()).as(converted.err()).isZero();
    assertThat(Console.run("inspect", adapted).out())
        .contains("adapters merged into the weights:")
        .contains("kohya.safetensors, scale 0.8 (", "bfl.safetensors, scale 0.1 (")
        .contains("vae_encoder: yes");
    assertThat(Console.run("inspect", bundle).out()).doesNotContain("adapters merged");
  }

  @Test
  void study_onOnePrompt_printsARowPerSampler() {
    StringWriter out = new StringWriter();
    Path sheet = scratch.resolve("sheet.png");
    int exitCode =
        study(
            out,
            new StringWriter(),
            "--converged",
            "12",
            "--only",
            "second order, 5 |VDE, .* 5|low .* 4 \\+|7x, ours",
            "--charts",
            scratch.resolve("chart").toString(),
            "--sheet",
            sheet.toString());
    assertThat(exitCode).isZero();
    assertThat(out.toString().lines().filter(line -> line.startsWith("|"))).hasSize(2 + 5);
    assertThat(out.toString()).contains("| Euler, 50 steps | 50.00 |", "| JiT 7x, ours |");
    assertThat(sheet).isNotEmptyFile();
    assertThat(scratch.resolve("chart-sharpness.png")).isNotEmptyFile();
    assertThat(scratch.resolve("chart-frechet.png")).isNotEmptyFile();
  }

  /** What is kept is not measured again: the second study cannot have other seconds. */
  @Test
  void study_thatKeeps_goesOnWithMoreSamplersAndRefusesOtherMeasurements() throws IOException {
    Path keep = Files.createDirectory(scratch.resolve("kept"));
    String[] first = {"--converged", "6", "--keep", keep.toString(), "--only", "Euler, 5 "};
    StringWriter before = new StringWriter();
    assertThat(study(before, new StringWriter(), first)).isZero();
    StringWriter after = new StringWriter();
    String[] more = {"--converged", "6", "--keep", keep.toString(), "--only", "Euler, [57] "};
    assertThat(study(after, new StringWriter(), more)).isZero();
    assertThat(after.toString().lines().filter(line -> line.startsWith("| Euler, 5")).toList())
        .hasSize(2)
        .isEqualTo(
            before.toString().lines().filter(line -> line.startsWith("| Euler, 5")).toList());
    assertThat(after.toString()).contains("| Euler, 7 steps | 7.00 |");
    StringWriter measured = new StringWriter();
    assertThat(
            study(
                measured,
                new StringWriter(),
                "--converged",
                "6",
                "--keep",
                keep.toString(),
                "--measured",
                "--only",
                "Euler, [57] "))
        .isZero();
    assertThat(measured).hasToString(after.toString());

    StringWriter err = new StringWriter();
    assertThat(study(new StringWriter(), err, "--converged", "7", "--keep", keep.toString()))
        .isEqualTo(1);
    assertThat(err.toString()).contains("prompt-0.json", "6 steps", "7 steps", "another folder");
    assertThat(study(new StringWriter(), err, "--measured")).isEqualTo(2);
    assertThat(err.toString()).contains("--measured needs --keep");
  }

  @Test
  void probe_onOnePrompt_recommendsWhereStagesEnd() {
    StringWriter out = new StringWriter();
    CommandLine program = Main.commandLine(new Interrupt()).setOut(new PrintWriter(out));
    int exitCode =
        program.execute(
            "probe", "--model", bundle.toString(), "--prompt", "red apple", "--size", "128");
    assertThat(exitCode).isZero();
    assertThat(out.toString().lines().filter(line -> line.startsWith("|"))).hasSize(2 + 8);
    assertThat(out.toString()).containsPattern("density 0.50 pays down to a noise level of about");
    for (String wrong : List.of("--size=100", "--density=1.5")) {
      assertThat(program.execute("probe", "--model", bundle.toString(), "--prompt", "any", wrong))
          .as(wrong)
          .isEqualTo(CommandLine.ExitCode.USAGE);
    }
  }
}
