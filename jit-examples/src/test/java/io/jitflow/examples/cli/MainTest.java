package io.jitflow.examples.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jitflow.core.testing.ChildJvm;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.StringJoiner;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

class MainTest {

  @TempDir static Path shared;
  private static Path checkpoint;
  private static Path bundle;

  @TempDir Path folder;

  @BeforeAll
  static void convert_checkpoint_makesBundle() throws IOException {
    checkpoint = TinyCheckpoint.dev(shared.resolve("tiny"));
    bundle = shared.resolve("tiny-bundle");
    Console console = Console.run("convert", checkpoint, bundle, "--dtype", "f32");
    assertThat(console.err()).isEmpty();
    assertThat(console.exitCode()).isZero();
    assertThat(console.out()).startsWith(bundle.toString()).contains("MiB in ");
    assertThat(bundle.resolve("manifest.json")).exists();
  }

  @Test
  void noCommand_saysSo() {
    Console console = Console.run();
    assertThat(console.exitCode()).isEqualTo(2);
    assertThat(console.err()).contains("Missing required subcommand").contains("Try 'jit --help'");
  }

  @ParameterizedTest
  @ValueSource(strings = {"convert", "generate", "compare", "inspect"})
  void help_everyCommand_hasExamples(String command) {
    Console console = Console.run(command, "--help");
    assertThat(console.exitCode()).isZero();
    assertThat(console.out()).contains("Usage: jit " + command, "Examples:", "--stacktrace");
    assertThat(Console.run("--help").out()).contains(command, "Exit codes");
  }

  @Test
  void version_namesJava() {
    assertThat(Console.run("--version").out())
        .contains("jit ", "Java " + System.getProperty("java.version"));
  }

  @Test
  void unknownCommandAndOption_exitCode2WithSuggestion() {
    Console command = Console.run("generat");
    assertThat(command.exitCode()).isEqualTo(2);
    assertThat(command.err()).contains("Did you mean: jit generate");
    Console option = Console.run("generate", "--model", bundle, "--sede", "7");
    assertThat(option.exitCode()).isEqualTo(2);
    assertThat(option.err()).contains("--sede").doesNotContain("\tat ");
  }

  static Stream<List<String>> wrongUsage() {
    return Stream.of(
        List.of("--size must be WIDTHxHEIGHT", "--size", "big"),
        List.of(
            "height must be a multiple of 16 px, got 1000; try 992 or 1008", "--size", "1024x1000"),
        List.of("width must be from 16 to 16384 px, got 0", "--size", "0x64"),
        List.of("seed must be from 0 to 9223372036854775807", "--seed=-1"),
        List.of("(2^63 - 1), got '9223372036854775808'", "--seed", "9223372036854775808"),
        List.of(
            "unknown preset \"default_9x\"; there are default_4x, default_7x",
            "--preset",
            "default_9x"),
        List.of("--as-released needs a --preset", "--as-released"),
        List.of("--steps must be at least 1, got 0", "--steps", "0"),
        List.of("--steps must be at most 10000, got 2147483647", "--steps", "2147483647"),
        List.of("gets no step: 3 steps are split", "--preset", "default_4x", "--steps", "3"),
        List.of("count must be at least 1, got 0", "--count", "0"),
        List.of("guidance must be 0 or above, got -1.0", "--guidance=-1"),
        List.of("--cfg is the scale of --negative", "--cfg", "3"),
        List.of("must be above 1, got 0.5", "--negative", "blur", "--cfg", "0.5"),
        List.of("textTokens must be at least 1, got 0", "--text-tokens", "0"),
        List.of("must end in .png, got 'fox.jpg'", "-o", "fox.jpg"),
        List.of("the output folder does not exist", "-o", "nowhere/at/all/fox.png"),
        List.of("the preview folder does not exist", "--preview", "nowhere/at/all/now.png"),
        List.of("the preview is a folder, expected a file", "--preview", "."),
        List.of("--preview would replace fox.png", "-o", "fox.png", "--preview", "./fox.png"),
        List.of("the --prompt is empty", "--prompt", "  "),
        List.of("expected FILE or FILE:SCALE", "--lora", "style.safetensors:0,8"),
        List.of("--device gpu:999: PyTorch finds ", "--device", "gpu:999"),
        List.of("--device must be cpu, gpu or gpu:N, got 'tpu'", "--device", "tpu"));
  }

  @ParameterizedTest
  @MethodSource("wrongUsage")
  void generate_wrongUsage_oneMessageAndExitCode2(List<String> messageAndOptions) {
    List<Object> args =
        Stream.concat(
                Stream.of("generate", "--model", bundle, "--prompt", "a cat"),
                messageAndOptions.stream().skip(1))
            .map(Object.class::cast)
            .toList();
    if (messageAndOptions.contains("--prompt")) {
      args = List.of("generate", "--model", bundle, "--prompt", "  ");
    }
    Console console = Console.run(args.toArray());
    assertThat(console.err())
        .contains(messageAndOptions.get(0))
        .contains("Try 'jit generate --help'")
        .doesNotContain("\tat ");
    assertThat(console.exitCode()).isEqualTo(2);
    assertThat(console.out()).isEmpty();
  }

  @Test
  void generate_sizeOtherThanThePictures_isRefused() throws IOException {
    Path picture = folder.resolve("picture.png");
    ImageIO.write(new BufferedImage(32, 16, BufferedImage.TYPE_INT_RGB), "png", picture.toFile());
    Console console = generate(bundle, "fox.png", "--image", picture); // with --size 128x64
    assertThat(console.exitCode()).isEqualTo(2);
    assertThat(console.err()).contains("has 32 x 16 px, the request 128 x 64 px");
  }

  @Test
  void generate_fromAnEditedPicture_asksForItsPictureBeforeLoading() throws IOException {
    Path picture = folder.resolve("picture.png");
    ImageIO.write(new BufferedImage(128, 64, BufferedImage.TYPE_INT_RGB), "png", picture.toFile());
    assertThat(generate(bundle, "fox.png", "--image", picture, "--steps", 2).exitCode()).isZero();
    Console without = again("fox.png", "again.png");
    assertThat(without.exitCode()).isEqualTo(2);
    assertThat(without.err()).contains("give it again with --image (128 x 64 px, SHA-256 ");
    assertThat(again("fox.png", "again.png", "--image", picture).exitCode()).isZero();
    assertThat(rgb("again.png")).isEqualTo(rgb("fox.png"));
  }

  @Test
  void preview_thatCannotBeReplaced_saysSoAndLeavesNothing() throws IOException {
    Path file = folder.resolve("now.png");
    PreviewFile previews = new PreviewFile(file, List.of());
    BufferedImage picture = new BufferedImage(8, 8, BufferedImage.TYPE_INT_RGB);
    previews.onPreview(0, picture);
    assertThat(ImageIO.read(file.toFile())).isNotNull();
    Files.delete(file);
    Files.createDirectories(file.resolve("in the way"));
    assertThatThrownBy(() -> previews.onPreview(1, picture))
        .hasMessageContaining("now.png: the preview could not be written");
    assertThat(folder.toFile().list()).containsExactly("now.png");
  }

  @Test
  void generate_fromAMask_needsPictureAndMaskOfItsSize() throws IOException {
    Path picture = folder.resolve("picture.png");
    Path mask = folder.resolve("mask.png");
    Path small = folder.resolve("small.png");
    BufferedImage white = new BufferedImage(128, 64, BufferedImage.TYPE_BYTE_GRAY);
    for (int y = 20; y < 40; y++) {
      white.setRGB(y, y, 0xffffff);
    }
    ImageIO.write(new BufferedImage(128, 64, BufferedImage.TYPE_INT_RGB), "png", picture.toFile());
    ImageIO.write(white, "png", mask.toFile());
    ImageIO.write(new BufferedImage(32, 16, BufferedImage.TYPE_INT_RGB), "png", small.toFile());
    Console drawn = generate(bundle, "fox.png", "--image", picture, "--mask", mask, "--steps", 1);
    assertThat(drawn.exitCode()).as(drawn.err()).isZero();
    Console other = again("fox.png", "again.png", "--image", small, "--mask", small);
    assertThat(other.exitCode()).isEqualTo(2);
    assertThat(other.err())
        .contains("--from has a mask of 128 x 64 px, the --image has 32 x 16 px");
    assertThat(again("fox.png", "again.png", "--image", picture).err())
        .contains("give --mask again");
    assertThat(again("fox.png", "again.png", "--image", picture, "--mask", mask).exitCode())
        .isZero();
    assertThat(rgb("again.png")).isEqualTo(rgb("fox.png"));
  }

  @Test
  void generate_previewInPlaceOfThePicture_isRefused() throws IOException {
    Path picture = folder.resolve("picture.png");
    ImageIO.write(new BufferedImage(128, 64, BufferedImage.TYPE_INT_RGB), "png", picture.toFile());
    Console console =
        generate(
            bundle, "fox.png", "--image", picture, "--preview", folder.resolve("./picture.png"));
    assertThat(console.exitCode()).isEqualTo(2);
    assertThat(console.err()).contains("--preview would replace").contains("picture.png");
  }

  @Test
  void generate_noPrompt_saysWhatToGive() {
    Console console = Console.run("generate", "--model", bundle);
    assertThat(console.exitCode()).isEqualTo(2);
    assertThat(console.err()).contains("give a --prompt, or --from an image");
  }

  @Test
  void generate_missingModel_namesIt() {
    Path missing = folder.resolve("missing");
    Console console = generate(missing, "fox.png");
    assertThat(console.exitCode()).isEqualTo(1);
    assertThat(console.err())
        .contains(missing.toString())
        .contains("found nothing")
        .hasLineCount(1);
  }

  @Test
  void generate_stacktraceOption_printsIt() {
    Console console = generate(folder.resolve("missing"), "fox.png", "--stacktrace");
    assertThat(console.exitCode()).isEqualTo(1);
    assertThat(console.err())
        .startsWith("error: ")
        .contains("\tat io.jitflow.flux.bundle.FluxBundle");
  }

  @Test
  void generate_existingFile_keptUnlessOverwrite() throws IOException {
    Path file = Files.writeString(folder.resolve("fox.png"), "precious");
    Console refused = generate(bundle, "fox.png");
    assertThat(refused.exitCode()).isEqualTo(2);
    assertThat(refused.err())
        .contains("fox.png exists; choose another --output or give --overwrite");
    assertThat(file).hasContent("precious");
    assertThat(generate(bundle, "fox.png", "--overwrite").exitCode()).isZero();
    assertThat(ImageIO.read(file.toFile())).isNotNull();
  }

  @Test
  void generate_thenFrom_sameImage() throws IOException {
    Console first =
        generate(bundle, "fox.png", "--seed", "42", "--preset", "default_7x", "--negative", "blur");
    assertThat(first.err()).isEmpty();
    assertThat(first.exitCode()).isZero();
    assertThat(first.out())
        .contains("fox.png: 128 x 64 px, seed 42, JiT default_7x, 11 steps")
        .contains("time: tokenise ");

    Console again = again("fox.png", "again.png");
    assertThat(again.err()).isEmpty();
    assertThat(again.exitCode()).isZero();
    assertThat(rgb("again.png")).containsExactly(rgb("fox.png"));

    Console other = again("fox.png", "other.png", "--seed", "43");
    assertThat(other.exitCode()).isZero();
    assertThat(rgb("other.png")).isNotEqualTo(rgb("fox.png"));
  }

  @Test
  void generate_several_eachCanBeMadeAgain() throws IOException {
    Console console = generate(bundle, "fox.png", "--count", "2", "--seed", "5", "--steps", "2");
    assertThat(console.exitCode()).isZero();
    assertThat(console.out())
        .contains("fox-0.png: ", "seed 5, standard, 2 steps", "fox-1.png: ", "seed 6,");
    Console again = again("fox-1.png", "again.png");
    assertThat(again.exitCode()).isZero();
    assertThat(rgb("again.png")).containsExactly(rgb("fox-1.png"));
  }

  @Test
  void generate_longPrompt_saysWhatWasCut() {
    Console console =
        Console.run(
            "generate",
            "--model",
            bundle,
            "--prompt",
            "a red fox in snow, ".repeat(500),
            "--size",
            "64x64",
            "--steps",
            "1",
            "-o",
            folder.resolve("fox.png"));
    assertThat(console.exitCode()).isZero();
    assertThat(console.err()).contains("note: The prompt \"a red fox").contains("were cut off");
  }

  @Test
  void generate_fromForeignPng_saysThatItHasNoRequest() throws IOException {
    Path photo = folder.resolve("photo.png");
    ImageIO.write(new BufferedImage(8, 8, BufferedImage.TYPE_INT_RGB), "png", photo.toFile());
    Console console = Console.run("generate", "--model", bundle, "--from", photo);
    assertThat(console.exitCode()).isEqualTo(1);
    assertThat(console.err()).contains(photo + ": no request in this PNG file").hasLineCount(1);
  }

  @Test
  void generate_checkpoint_convertedOnceIntoCache() throws IOException {
    Path cache = folder.resolve("cache");
    Object[] args = generationFrom(checkpoint, cache);
    Console first = Console.run(args);
    assertThat(first.exitCode()).isZero();
    assertThat(first.err()).contains("is a checkpoint; converting it once into " + cache);
    assertThat(Console.run(args).err()).isEmpty();
    try (Stream<Path> kept = Files.list(cache)) {
      assertThat(kept).singleElement().asString().contains("tiny-f32-");
    }
  }

  private Object[] generationFrom(Path checkpoint, Path cache) {
    return generation(
        checkpoint,
        "64x64",
        "fox.png",
        "--dtype",
        "f32",
        "--cache",
        cache,
        "--steps",
        1,
        "--overwrite");
  }

  @Test
  void generate_changedCheckpoint_isConvertedAgain() throws IOException {
    Path own = TinyCheckpoint.dev(folder.resolve("own"));
    Path cache = folder.resolve("cache");
    Object[] args = generationFrom(own, cache);
    assertThat(Console.run(args).exitCode()).isZero();
    Path config = own.resolve("scheduler/scheduler_config.json");
    Files.writeString(config, "\n", StandardOpenOption.APPEND);
    Console again = Console.run(args);
    assertThat(again.exitCode()).isZero();
    assertThat(again.err()).contains("is a checkpoint; converting it once into " + cache);
    try (Stream<Path> kept = Files.list(cache)) {
      assertThat(kept).hasSize(2);
    }
  }

  @Test
  void generate_sparseStagesOnTinyGrid_exitCode2() {
    Console console = Console.run(generation(bundle, "16x16", "fox.png", "--preset", "default_4x"));
    assertThat(console.exitCode()).isEqualTo(2);
    assertThat(console.err()).contains("grid of 1 x 1");
  }

  @Test
  void generate_interrupted_exitCode130AndNoFile() throws IOException {
    Interrupt interrupt = new Interrupt();
    interrupt.request();
    Console console = Console.run(interrupt, generation(bundle, "64x64", "fox.png"));
    assertThat(console.exitCode()).isEqualTo(130);
    assertThat(console.err()).isEqualToIgnoringNewLines("cancelled");
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void convert_interrupted_exitCode130AndNothingLeft() {
    Interrupt interrupt = new Interrupt();
    interrupt.request();
    Console console = Console.run(interrupt, "convert", checkpoint, folder.resolve("bundle"));
    assertThat(console.exitCode()).isEqualTo(130);
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void convert_existingBundle_keptUnlessOverwrite() throws IOException {
    Path target = Files.createDirectory(folder.resolve("bundle"));
    Files.writeString(target.resolve("precious"), "1");
    Console refused = Console.run("convert", checkpoint, target);
    assertThat(refused.exitCode()).isEqualTo(1);
    assertThat(refused.err()).contains(target.toString()).hasLineCount(1);
    assertThat(target.resolve("precious")).exists();
  }

  @Test
  void convert_singleFiles_schnell() {
    Path target = folder.resolve("bundle");
    Console console =
        Console.run(
            "convert",
            checkpoint,
            target,
            "--dtype",
            "f32",
            "--transformer",
            TinyCheckpoint.singleFile(),
            "--vae",
            TinyCheckpoint.autoencoderFile(),
            "--rope-axes",
            "4,6,6",
            "--no-checksums");
    assertThat(console.err()).isEmpty();
    assertThat(console.exitCode()).isZero();
    assertThat(Console.run("inspect", target).out()).contains("guidanceEmbedding false");
  }

  @Test
  void convert_unknownType_listsTypes() {
    Console console = Console.run("convert", checkpoint, folder.resolve("b"), "--dtype", "int4");
    assertThat(console.exitCode()).isEqualTo(2);
    assertThat(console.err()).contains("--dtype").contains("bf16, f16, f32").contains("int4");
  }

  @Test
  void compare_writesSheetAnchorsAndImages() throws IOException {
    Console console =
        Console.run(
            "compare",
            "--model",
            bundle,
            "--prompt",
            "a cat on a table",
            "--size",
            "128x64",
            "--steps",
            "3",
            "--seed",
            "7",
            "-o",
            folder.resolve("cmp.png"));
    assertThat(console.err()).isEmpty();
    assertThat(console.exitCode()).isZero();
    assertThat(console.out()).contains("sampler", "standard", "7x-paper", "7x ", "10x ", "faster");
    try (Stream<Path> files = Files.list(folder)) {
      assertThat(files.map(path -> path.getFileName().toString()))
          .containsExactlyInAnyOrder(
              "cmp.png",
              "cmp-anchors.png",
              "cmp-standard.png",
              "cmp-7x-paper.png",
              "cmp-7x.png",
              "cmp-10x.png");
    }
    BufferedImage sheet = ImageIO.read(folder.resolve("cmp.png").toFile());
    assertThat(sheet.getWidth()).isGreaterThan(4 * 256);
    assertThat(Console.run("inspect", folder.resolve("cmp-7x.png")).out())
        .contains("JiT second_order_7x, 9 steps", "seed      7");
    assertThat(Console.run("inspect", folder.resolve("cmp-7x-paper.png")).out())
        .contains("JiT default_7x, 11 steps");
  }

  @Test
  void inspect_checkpoint_listsNetworks() {
    Console console = Console.run("inspect", checkpoint);
    assertThat(console.err()).isEmpty();
    assertThat(console.exitCode()).isZero();
    assertThat(console.out())
        .contains("FLUX.1 transformer, diffusers layout, with guidance (dev)")
        .contains("CLIP text encoder", "T5 encoder", "autoencoder, diffusers layout")
        .contains("parameters", "F32 ", "BF16 ")
        .contains("transformer: inChannels 64", "complete: every tensor has its place");
  }

  @Test
  void inspect_checkpointThatMissesAPart_listsTheRestThenFails() throws IOException {
    Path incomplete = TinyCheckpoint.dev(folder.resolve("incomplete"));
    Files.delete(incomplete.resolve("vae/diffusion_pytorch_model.safetensors"));
    Console console = Console.run("inspect", incomplete);
    assertThat(console.exitCode()).isEqualTo(1);
    assertThat(console.out()).contains("FLUX.1 transformer");
    assertThat(console.err()).contains(incomplete.resolve("vae").toString()).hasLineCount(1);
  }

  @Test
  void inspect_singleFile_listsTensors() {
    Console console = Console.run("inspect", "--tensors", TinyCheckpoint.singleFile());
    assertThat(console.exitCode()).isZero();
    assertThat(console.out())
        .contains("original layout, without guidance (schnell)")
        .contains("img_in.weight BF16 [");
  }

  /** A safetensors file of one number per tensor. */
  private Path tensors(String... names) throws IOException {
    StringJoiner header = new StringJoiner(", ", "{", "}");
    for (int i = 0; i < names.length; i++) {
      header.add(
          "\"%s\": {\"dtype\": \"F32\", \"shape\": [1], \"data_offsets\": [%s, %s]}"
              .formatted(names[i], 4 * i, 4 * i + 4));
    }
    byte[] text = header.toString().getBytes(StandardCharsets.UTF_8);
    ByteBuffer bytes =
        ByteBuffer.allocate(8 + text.length + 4 * names.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putLong(text.length).put(text);
    return Files.write(folder.resolve("tensors.safetensors"), bytes.array());
  }

  @Test
  void inspect_namesBehindAPrefix_areThoseOfTheirNetwork() throws IOException {
    String prefix = "model.diffusion_model.";
    Path file = tensors(prefix + "double_blocks.0.a", prefix + "guidance_in.a");
    assertThat(Console.run("inspect", file).out())
        .contains("original layout, with guidance (dev), 1 double and 0 single blocks");
  }

  @Test
  void inspect_severalNetworksInOneFile_areNamed() throws IOException {
    Path file = tensors("model.diffusion_model.double_blocks.0.a", "vae.decoder.a");
    assertThat(Console.run("inspect", file).out())
        .contains("several parts of a model in one file (model.diffusion_model.*, vae.*)");
  }

  @Test
  void inspect_bundle_listsSizesAndSources() {
    Console console = Console.run("inspect", bundle);
    assertThat(console.exitCode()).isZero();
    assertThat(console.out())
        .contains("transformer: ", "F32", "guidanceEmbedding true", "made from:", "sha256");
  }

  @Test
  void inspect_nothingUsable_namesIt() throws IOException {
    Console missing = Console.run("inspect", folder.resolve("missing"));
    assertThat(missing.exitCode()).isEqualTo(1);
    assertThat(missing.err()).contains("missing: not found, expected a checkpoint");
    Console empty = Console.run("inspect", folder);
    assertThat(empty.exitCode()).isEqualTo(1);
    assertThat(empty.err()).contains("found no .safetensors file");
    Path broken = Files.writeString(folder.resolve("broken.safetensors"), "no tensors");
    Console damaged = Console.run("inspect", broken);
    assertThat(damaged.exitCode()).isEqualTo(1);
    assertThat(damaged.err()).contains(broken.toString()).hasLineCount(1);
  }

  /** In a process of its own, as the locale belongs to the whole process. */
  @Test
  void inspect_whereDigitsAreArabic_printsTheSame() throws Exception {
    Path out = folder.resolve("out.txt");
    Path err = folder.resolve("err.txt");
    Process child =
        new ProcessBuilder(
                ChildJvm.command(
                    Main.class,
                    List.of(
                        "-Duser.language=ar",
                        "-Duser.country=EG",
                        "-Duser.extensions=u-nu-arab",
                        "-Dfile.encoding=UTF-8"),
                    List.of("inspect", bundle.toString())))
            .redirectError(err.toFile()) // where Java tells of options that it picked up
            .redirectOutput(out.toFile())
            .start();
    assertThat(child.waitFor(1, TimeUnit.MINUTES)).isTrue();
    assertThat(child.exitValue()).as(Files.readString(err)).isZero();
    assertThat(out).hasContent(Console.run("inspect", bundle).out());
  }

  @Command(name = "exhausted")
  static final class Exhausted implements Callable<Integer> {
    @Override
    public Integer call() {
      throw new OutOfMemoryError("Java heap space");
    }
  }

  @Command(name = "talkative")
  static final class Talkative implements Callable<Integer> {
    @Spec CommandSpec spec;

    @Override
    public Integer call() {
      spec.commandLine().getOut().println("words");
      return 0;
    }
  }

  @Test
  void run_errorInACommand_isOneMessageAndExitCode1() {
    StringWriter err = new StringWriter();
    CommandLine program = new CommandLine(new Exhausted()).setErr(new PrintWriter(err));
    assertThat(Main.run(program)).isEqualTo(1);
    assertThat(err.toString())
        .startsWith("error: out of Java memory (Java heap space)")
        .hasLineCount(1);
  }

  @Test
  void run_outputThatCannotBeWritten_exitCode1() {
    StringWriter err = new StringWriter();
    OutputStream full =
        new OutputStream() {
          @Override
          public void write(int b) throws IOException {
            throw new IOException("No space left on device");
          }
        };
    CommandLine program =
        new CommandLine(new Talkative())
            .setOut(new PrintWriter(full, false, StandardCharsets.UTF_8))
            .setErr(new PrintWriter(err));
    assertThat(Main.run(program)).isEqualTo(1);
    assertThat(err.toString()).contains("the standard output is closed or full");
  }

  @Test
  void generate_largerThanTheMachine_isRefusedBeforeLoading() {
    Console console = Console.run(generation(bundle, "16384x16384", "fox.png"));
    assertThat(console.exitCode()).isEqualTo(2);
    assertThat(console.err()).contains("an image of 16384 x 16384 px takes");
  }

  @Test
  void generate_cancelledAfterTheFirstOfSeveral_keepsTheFirst() {
    Interrupt interrupt = new Interrupt();
    StringWriter out =
        new StringWriter() {
          @Override
          public void write(String text, int offset, int length) {
            interrupt.request(); // the first file has just been told
            super.write(text, offset, length);
          }
        };
    int exitCode =
        Main.commandLine(interrupt)
            .setOut(new PrintWriter(out))
            .setErr(new PrintWriter(new StringWriter()))
            .execute(
                "generate",
                "--model",
                bundle.toString(),
                "--prompt",
                "a cat",
                "--size",
                "64x64",
                "--steps",
                "2",
                "--count",
                "3",
                "-o",
                folder.resolve("fox.png").toString());
    assertThat(exitCode).isEqualTo(130);
    assertThat(folder.resolve("fox-0.png")).exists();
    assertThat(folder.resolve("fox-1.png")).doesNotExist();
  }

  @Test
  void generate_emptyModel_saysWhatToGive() {
    Console console = Console.run("generate", "--model", "", "--prompt", "a cat");
    assertThat(console.exitCode()).isEqualTo(2);
    assertThat(console.err()).contains("--model is empty");
  }

  @Test
  void generate_cacheThatCannotBeMade_saysSo() throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "");
    Console console =
        Console.run(
            "generate",
            "--model",
            checkpoint,
            "--cache",
            file.resolve("cache"),
            "--prompt",
            "a cat",
            "-o",
            folder.resolve("fox.png"));
    assertThat(console.exitCode()).isEqualTo(1);
    assertThat(console.err())
        .contains("cache: the folder for converted checkpoints cannot be made")
        .contains("choose another --cache");
  }

  @Test
  void study_thatCouldNotEndWell_isRefusedAtOnce() {
    Object[] study = {"study", "--model", bundle, "--names", "n.json", "--references", "r.png"};
    Object[] none = Stream.concat(Arrays.stream(study), Stream.of("--count", 0)).toArray();
    assertThat(Console.run(none).err()).contains("--count must be at least 1, got 0");
    Object[] sheet =
        Stream.concat(Arrays.stream(study), Stream.of("--sheet", folder.resolve("no/s.png")))
            .toArray();
    assertThat(Console.run(sheet).err()).contains("the --sheet folder does not exist");
  }

  @Test
  void printable_controlCharacters_areWrittenOutAndLongTextIsCut() {
    assertThat(Printable.of("a\u001b[2Jb\u202ec\n")).isEqualTo("a\\u001b[2Jb\\u202ec\n");
    assertThat(Printable.of("x".repeat(1_000_000))).hasSizeLessThan(1100);
    StringWriter out = new StringWriter();
    Printable.writer(new PrintWriter(out)).println("\u001b]0;title");
    assertThat(out.toString()).startsWith("\\u001b]0;title");
  }

  private Console generate(Path model, String file, Object... options) {
    return Console.run(generation(model, "128x64", file, options));
  }

  private Object[] generation(Path model, String size, String file, Object... options) {
    Object[] fixed = {
      "generate",
      "--model",
      model,
      "--prompt",
      "a cat on a table",
      "--size",
      size,
      "-o",
      folder.resolve(file)
    };
    return Stream.of(fixed, options).flatMap(Arrays::stream).toArray();
  }

  private Console again(String from, String file, Object... options) {
    Object[] fixed = {
      "generate", "--model", bundle, "--from", folder.resolve(from), "-o", folder.resolve(file)
    };
    return Console.run(Stream.of(fixed, options).flatMap(Arrays::stream).toArray());
  }

  private int[] rgb(String name) throws IOException {
    BufferedImage image = ImageIO.read(folder.resolve(name).toFile());
    return image.getRGB(0, 0, image.getWidth(), image.getHeight(), null, 0, image.getWidth());
  }
}
