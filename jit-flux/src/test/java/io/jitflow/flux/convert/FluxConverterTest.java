package io.jitflow.flux.convert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jitflow.flux.FluxBundle;
import io.jitflow.flux.FluxNetwork;
import io.jitflow.flux.SchedulerSettings;
import io.jitflow.flux.SourceFile;
import io.jitflow.flux.convert.ConversionOptions.Checksums;
import io.jitflow.flux.convert.ConversionOptions.ExistingBundle;
import io.jitflow.flux.convert.ConversionProgress.Step;
import io.jitflow.flux.safetensors.DType;
import io.jitflow.flux.safetensors.SafetensorsException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FluxConverterTest {
  private static final ConversionOptions F32 =
      ConversionOptions.defaults().withDtype(DType.F32).withChecksums(Checksums.NONE);

  @TempDir Path folder;
  private Path dev;
  private Path bundles;

  @BeforeEach
  void copyCheckpoint() throws IOException {
    dev = TinyCheckpoint.diffusers(folder.resolve("dev"), "dev");
    bundles = Files.createDirectory(folder.resolve("bundles"));
  }

  private List<String> entries() throws IOException {
    try (Stream<Path> entries = Files.list(bundles)) {
      return entries.map(e -> e.getFileName().toString()).sorted().toList();
    }
  }

  private FluxBundle convert(FluxCheckpoint checkpoint, ConversionOptions options)
      throws IOException {
    return FluxConverter.convert(
        checkpoint, bundles.resolve("b"), options, ConversionListener.NONE);
  }

  @Test
  void convert_diffusersFolder_makesACompleteBundle() throws Exception {
    FluxBundle made = convert(FluxCheckpoint.ofDirectory(dev), ConversionOptions.defaults());
    FluxBundle read = FluxBundle.read(bundles.resolve("b"));
    assertThat(read).isEqualTo(made);
    assertThat(read.transformer().guidanceEmbedding()).isTrue();
    assertThat(read.transformer().ropeAxes()).containsExactly(4, 6, 6);
    assertThat(read.transformer().heads()).isEqualTo(4);
    assertThat(read.transformer().mlpWidth()).isEqualTo(256);
    assertThat(read.textEncoder().eosTokenId()).isEqualTo(2);
    assertThat(read.textEncoder2().buckets()).isEqualTo(32);
    assertThat(read.vaeDecoder().blockChannels()).containsExactly(32, 64, 32, 32);
    assertThat(read.vaeDecoder().scalingFactor()).isEqualTo(0.3611);
    assertThat(read.dtypes()).containsEntry(FluxNetwork.TRANSFORMER, DType.BF16);
    assertThat(read.clipTokens()).isEqualTo(77);
    assertThat(read.t5Tokens()).isEqualTo(512);
    assertThat(read.scheduler()).isEqualTo(SchedulerSettings.DEV);
    assertThat(read.clipTokenizer().resolve("merges.txt")).isRegularFile();
    assertThat(read.t5Tokenizer().resolve("tokenizer.json")).isRegularFile();
    assertThat(entries()).containsExactly("b");
  }

  @Test
  void convert_sources_areRecordedWithTheirHashes() throws Exception {
    FluxBundle bundle = convert(FluxCheckpoint.ofDirectory(dev), ConversionOptions.defaults());
    assertThat(bundle.sources()).hasSize(4 + 1 + 1 + 1);
    Path vae = dev.resolve("vae/diffusion_pytorch_model.safetensors");
    byte[] hash = MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(vae));
    assertThat(bundle.sources())
        .contains(
            new SourceFile(
                FluxNetwork.VAE_DECODER,
                vae.getFileName().toString(),
                Files.size(vae),
                java.util.Optional.of(HexFormat.of().formatHex(hash))));
    FluxBundle without = FluxConverter.convert(
        FluxCheckpoint.ofDirectory(dev), bundles.resolve("c"), F32, ConversionListener.NONE);
    assertThat(without.sources()).allMatch(source -> source.sha256().isEmpty());
  }

  @Test
  void convert_bothLayouts_giveTheSameArchives() throws Exception {
    convert(FluxCheckpoint.ofDirectory(dev), F32);
    FluxConverter.convert(
        TinyCheckpoint.original(dev, "dev"), bundles.resolve("o"), F32, ConversionListener.NONE);
    for (FluxNetwork network : FluxNetwork.values()) {
      assertThat(bundles.resolve("b").resolve(network.fileName()))
          .hasSameBinaryContentAs(bundles.resolve("o").resolve(network.fileName()));
    }
  }
}
