package io.jitflow.flux.bundle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jitflow.flux.network.ClipArchitecture;
import io.jitflow.flux.network.FluxArchitecture;
import io.jitflow.flux.network.T5Architecture;
import io.jitflow.flux.network.VaeArchitecture;
import io.jitflow.flux.weights.DType;
import io.jitflow.flux.weights.FluxNetwork;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FluxBundleTest {
  private static final FluxArchitecture TRANSFORMER =
      new FluxArchitecture(
          64, 3072, 24, 12288, List.of(16, 56, 56), 19, 38, 4096, 768, true, 10000);
  private static final ClipArchitecture CLIP =
      new ClipArchitecture(49408, 768, 3072, 12, 12, 77, 2, "quick_gelu", 1e-5);
  private static final T5Architecture T5 =
      new T5Architecture(32128, 4096, 64, 64, 10240, 24, 32, 128, 1e-6);
  private static final VaeArchitecture VAE =
      new VaeArchitecture(16, List.of(128, 256, 512, 512), 2, 32, 0.3611, 0.1159, false);
  private static final Map<FluxNetwork, DType> DTYPES =
      Map.of(
          FluxNetwork.TRANSFORMER, DType.BF16,
          FluxNetwork.TEXT_ENCODER, DType.F32,
          FluxNetwork.TEXT_ENCODER_2, DType.F16,
          FluxNetwork.VAE_DECODER, DType.F32);

  @TempDir Path folder;
  private FluxBundle bundle;

  @BeforeEach
  void write() throws IOException {
    bundle =
        new FluxBundle(
            folder,
            "1.2.3",
            TRANSFORMER,
            CLIP,
            T5,
            VAE,
            DTYPES,
            77,
            512,
            SchedulerSettings.DEV,
            List.of(
                new SourceFile(
                    FluxNetwork.TRANSFORMER,
                    "flux1-dev.safetensors",
                    23_802_932_552L,
                    Optional.of("0123456789abcdef".repeat(4))),
                new SourceFile(
                    FluxNetwork.VAE_DECODER, "ae.safetensors", 335_304_388, Optional.empty())),
            List.of(
                new MergedAdapter("style.safetensors", 0.8, 123, "0123456789abcdef".repeat(4))));
    bundle.writeManifest();
    for (FluxNetwork network : FluxNetwork.values()) {
      Files.writeString(bundle.file(network), "x");
    }
    Files.createDirectory(bundle.clipTokenizer());
    Files.createDirectory(bundle.t5Tokenizer());
  }

  private Path manifest() {
    return folder.resolve("manifest.json");
  }

  private void edit(String from, String to) throws IOException {
    String text = Files.readString(manifest());
    assertThat(text).contains(from);
    Files.writeString(manifest(), text.replace(from, to));
  }

  private void refused(String... parts) {
    assertThatThrownBy(() -> FluxBundle.read(folder))
        .isInstanceOf(BundleException.class)
        .satisfies(e -> assertThat(e.getMessage()).contains(parts));
  }

  @Test
  void read_writtenManifest_isTheSame() throws IOException {
    assertThat(FluxBundle.read(folder)).isEqualTo(bundle);
  }

  @Test
  void at_otherFolder_changesThePathsOnly() {
    FluxBundle moved = bundle.at(Path.of("elsewhere"));
    assertThat(moved.file(FluxNetwork.VAE_DECODER))
        .isEqualTo(Path.of("elsewhere", "vae_decoder.pt"));
    assertThat(moved.at(folder)).isEqualTo(bundle);
  }

  @Test
  void read_moduleOfAnotherSize_isAccepted() throws IOException {
    Files.writeString(bundle.file(FluxNetwork.TRANSFORMER), "a module made elsewhere");
    assertThat(FluxBundle.read(folder)).isEqualTo(bundle);
  }

  @Test
  void read_missingFolderOrManifest_isRefused() throws IOException {
    assertThatThrownBy(() -> FluxBundle.read(folder.resolve("none")))
        .isInstanceOf(BundleException.class)
        .hasMessageContaining("none: expected a bundle folder, found nothing");
    Files.delete(manifest());
    refused("expected a bundle, found no manifest.json; check the path");
    Files.writeString(folder.resolve("model_index.json"), "{}");
    refused("this is a diffusers checkpoint, convert it first");
  }

  @Test
  void read_manifestThatIsNoJson_isRefused() throws IOException {
    Files.writeString(manifest(), "{\"format\":");
    refused(manifest().toString(), "expected JSON in UTF-8");
    Files.write(manifest(), "\u00e4".getBytes(StandardCharsets.ISO_8859_1));
    refused("expected JSON in UTF-8");
    Files.writeString(manifest(), "[1]");
    refused("expected a JSON object, found a list");
    Files.writeString(manifest(), "");
    refused("expected");
  }

  @Test
  void read_manifestOfSomethingElse_isRefused() throws IOException {
    Files.writeString(manifest(), "{\"name\":\"my web app\"}");
    refused("found another JSON file; check the path");
  }

  @Test
  void read_otherFormatVersion_isRefused() throws IOException {
    edit("\"formatVersion\": 2", "\"formatVersion\": 3");
    refused("expected format version 2, found 3; use a newer version of this library");
  }

  @Test
  void read_firstFormatVersion_isReadWithoutModulation() throws IOException {
    edit("\"formatVersion\": 2", "\"formatVersion\": 1");
    FluxBundle read = FluxBundle.read(bundle.folder());
    assertThat(read.modulation()).isEmpty();
    assertThatThrownBy(read::requireModulation)
        .isInstanceOf(BundleException.class)
        .hasMessageContaining("modulation.pt")
        .hasMessageContaining("convert the checkpoint again");
  }

  @Test
  void read_entryOfALaterVersion_isRefused() throws IOException {
    edit("\"heads\": 24,", "\"heads\": 24, \"experts\": 8,");
    refused(
        "networks.transformer.architecture.experts: expected no such entry in format version 2",
        "use the version of this library that made the bundle");
  }

  @Test
  void read_numberThatWraps_isRefused() throws IOException {
    edit("\"heads\": 24,", "\"heads\": 4294967320,");
    refused("networks.transformer.architecture.heads: expected a whole number of 32 bits");
  }

  @Test
  void read_entryMissing_isRefused() throws IOException {
    edit("\"heads\": 24,", "");
    refused("networks.transformer.architecture.heads: expected a whole number, found nothing");
  }

  @Test
  void read_entryOfAnotherType_isRefused() throws IOException {
    edit("\"layersPerBlock\": 2", "\"layersPerBlock\": 2.5");
    refused("networks.vae_decoder.architecture.layersPerBlock: expected a whole number, found 2.5");
  }

  @Test
  void read_impossibleSizes_areRefused() throws IOException {
    edit("\"heads\": 24", "\"heads\": 23");
    refused("networks.transformer.architecture: hiddenSize must be a multiple of heads");
  }

  @Test
  void read_networksThatDoNotFit_areRefused() throws IOException {
    edit("\"pooledWidth\": 768", "\"pooledWidth\": 640");
    refused(
        "the networks do not belong together: text_encoder gives 768 values, the transformer"
            + " takes 640");
  }

  @Test
  void read_unknownDtype_isRefused() throws IOException {
    edit("\"dtype\": \"F16\"", "\"dtype\": \"FP4\"");
    refused("networks.text_encoder_2.dtype: expected BF16, F16, F32 or I8, found FP4");
  }

  @Test
  void read_badHash_isRefused() throws IOException {
    edit("0123456789abcdef0123", "../../../../../../..");
    refused("sources: sha256 must be 64 lower-case hexadecimal digits");
  }

  @Test
  void read_missingNetwork_isRefused() throws IOException {
    Path file = bundle.file(FluxNetwork.TEXT_ENCODER_2);
    Files.delete(file);
    refused(file.toString(), "expected the TorchScript file", "found nothing");
    Files.createFile(file);
    refused(file.toString(), "found no content");
  }

  @Test
  void read_missingTokenizer_isRefused() throws IOException {
    Files.delete(bundle.t5Tokenizer());
    refused(bundle.t5Tokenizer().toString(), "expected the folder of a tokenizer, found nothing");
  }

  @Test
  void writeManifest_overAnOlderOne_putsANewFileThere(@TempDir Path other) throws IOException {
    Path old = Files.createLink(other.resolve("old"), manifest());
    byte[] before = Files.readAllBytes(old);
    Files.writeString(folder.resolve(".manifest.json.killed"), "{"); // by a killed process
    bundle.writeManifest(); // there are files now
    assertThat(old).as("the older file, whole until the end").hasBinaryContent(before);
    assertThat(Files.readString(manifest()))
        .contains("\"name\": \"transformer.pt\"")
        .doesNotContain("killed");
    assertThat(FluxBundle.read(folder)).isEqualTo(bundle);
    try (Stream<Path> entries = Files.list(folder)) {
      assertThat(entries.map(entry -> entry.getFileName().toString()))
          .filteredOn(name -> name.startsWith("."))
          .containsExactly(".manifest.json.killed");
    }
  }

  @Test
  void create_networkWithoutType_isNamed() {
    assertThatThrownBy(
            () -> FluxBundle.requireEveryNetwork(Map.of(FluxNetwork.TEXT_ENCODER_2, DType.BF16)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "dtypes must name every network, got none for transformer, text_encoder, vae_decoder");
  }

  @Test
  void create_promptLengthBeyondThePositions_isRefused() {
    assertThatThrownBy(
            () ->
                new FluxBundle(
                    folder,
                    "1",
                    TRANSFORMER,
                    CLIP,
                    T5,
                    VAE,
                    DTYPES,
                    78,
                    512,
                    SchedulerSettings.DEV,
                    List.of(),
                    List.of()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("clipTokens must be between 2 and the 77 positions");
  }
}
