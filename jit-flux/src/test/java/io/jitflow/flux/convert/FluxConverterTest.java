package io.jitflow.flux.convert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.jitflow.flux.bundle.BundleException;
import io.jitflow.flux.bundle.FluxBundle;
import io.jitflow.flux.bundle.ReadProgress;
import io.jitflow.flux.bundle.SchedulerSettings;
import io.jitflow.flux.bundle.SourceFile;
import io.jitflow.flux.convert.ConversionListener.Progress.Step;
import io.jitflow.flux.convert.ConversionOptions.Checksums;
import io.jitflow.flux.convert.ConversionOptions.ExistingBundle;
import io.jitflow.flux.file.Verification;
import io.jitflow.flux.safetensors.SafetensorsException;
import io.jitflow.flux.weights.DType;
import io.jitflow.flux.weights.FluxNetwork;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
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
    return FluxBundle.read(
        FluxConverter.convert(checkpoint, bundles.resolve("b"), options, ConversionListener.NONE));
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
                Optional.of(HexFormat.of().formatHex(hash))));
    FluxBundle without =
        FluxBundle.read(
            FluxConverter.convert(
                FluxCheckpoint.ofDirectory(dev),
                bundles.resolve("c"),
                F32,
                ConversionListener.NONE));
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

  @Test
  void convert_schnell_takesItsScheduleAndLength() throws Exception {
    Path schnell = TinyCheckpoint.diffusers(folder.resolve("schnell"), "schnell");
    FluxBundle bundle = convert(FluxCheckpoint.ofDirectory(schnell), F32);
    assertThat(bundle.transformer().guidanceEmbedding()).isFalse();
    assertThat(bundle.scheduler()).isEqualTo(SchedulerSettings.SCHNELL);
    assertThat(bundle.t5Tokens()).isEqualTo(256);
  }

  @Test
  void convert_originalFilesWithoutScheduler_takeTheSettingsOfTheVariant() throws Exception {
    Path encoders = TinyCheckpoint.textEncoders(folder.resolve("encoders"));
    FluxBundle bundle = convert(TinyCheckpoint.original(encoders, "dev"), F32);
    assertThat(bundle.scheduler()).isEqualTo(SchedulerSettings.DEV);
    FluxBundle schnell =
        FluxBundle.read(
            FluxConverter.convert(
                TinyCheckpoint.original(encoders, "schnell"),
                bundles.resolve("s"),
                F32.withT5Tokens(32),
                ConversionListener.NONE));
    assertThat(schnell.scheduler()).isEqualTo(SchedulerSettings.SCHNELL);
    assertThat(schnell.t5Tokens()).isEqualTo(32);
  }

  @Test
  void convert_progress_endsAtTheTotal() throws Exception {
    List<ConversionListener.Progress> all = new ArrayList<>();
    FluxConverter.convert(
        FluxCheckpoint.ofDirectory(dev),
        bundles.resolve("b"),
        ConversionOptions.defaults(),
        all::add);
    ConversionListener.Progress last = all.get(all.size() - 1);
    assertThat(last.bytesDone()).isEqualTo(last.bytesTotal());
    assertThat(all).extracting(ConversionListener.Progress::bytesDone).isSorted();
    assertThat(all)
        .extracting(ConversionListener.Progress::step)
        .contains(Step.CHECKSUM, Step.WRITE);
    assertThat(all)
        .filteredOn(p -> p.network() == FluxNetwork.TRANSFORMER && p.step() == Step.WRITE)
        .extracting(ConversionListener.Progress::item)
        .contains("double_blocks.0.img_attn.qkv.weight", "final_layer.linear.bias");
  }

  @Test
  void convert_int8_quantisesTheMatricesOfTheLargeNetworks() throws Exception {
    ConversionOptions int8 = F32.withDtype(DType.I8);
    FluxBundle made = convert(FluxCheckpoint.ofDirectory(dev), int8);
    assertThat(made.dtypes())
        .containsEntry(FluxNetwork.TRANSFORMER, DType.I8)
        .containsEntry(FluxNetwork.TEXT_ENCODER, DType.BF16)
        .containsEntry(FluxNetwork.TEXT_ENCODER_2, DType.I8)
        .containsEntry(FluxNetwork.VAE_DECODER, DType.BF16);
    ConversionPlan plan = FluxConverter.plan(FluxCheckpoint.ofDirectory(dev), int8);
    for (ConversionPlan.Network network : plan.networks()) {
      long entries = 0;
      for (Path file : files(made, network.network())) {
        try (ZipFile zip = new ZipFile(file.toFile())) {
          entries +=
              zip.stream()
                  .filter(entry -> entry.getName().contains("/data/"))
                  .mapToLong(ZipEntry::getSize)
                  .sum();
        }
      }
      assertThat(entries).as(network.network().key()).isEqualTo(network.outputBytes());
    }
  }

  /** Every file that holds tensors of a network. */
  private static List<Path> files(FluxBundle bundle, FluxNetwork network) throws IOException {
    return switch (network) {
      case TRANSFORMER -> List.of(bundle.file(network), bundle.requireModulation());
      case VAE_DECODER ->
          List.of(
              bundle.file(network), bundle.file(network).resolveSibling(FluxBundle.VAE_ENCODER));
      default -> List.of(bundle.file(network));
    };
  }

  @Test
  void options_int8ForASmallNetwork_isRefused() {
    assertThatThrownBy(() -> F32.withDtype(FluxNetwork.VAE_DECODER, DType.I8))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("vae_decoder: weights are BF16, F16 or F32, got I8");
  }

  @Test
  void options_networkWithoutType_isNamed() {
    ConversionOptions options = ConversionOptions.defaults();
    Map<FluxNetwork, DType> two =
        Map.of(FluxNetwork.TRANSFORMER, DType.BF16, FluxNetwork.VAE_DECODER, DType.BF16);
    assertThatThrownBy(
            () ->
                new ConversionOptions(
                    two,
                    options.checksums(),
                    options.existing(),
                    options.t5Tokens(),
                    options.adapters()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("dtypes must name every network, got none for text_encoder, text_encoder_2");
  }

  @Test
  void convert_f16_keepsTheAutoencoderInF32() throws Exception {
    FluxBundle made = convert(FluxCheckpoint.ofDirectory(dev), F32.withDtype(DType.F16));
    assertThat(made.dtypes())
        .containsEntry(FluxNetwork.TRANSFORMER, DType.F16)
        .containsEntry(FluxNetwork.TEXT_ENCODER, DType.F16)
        .containsEntry(FluxNetwork.TEXT_ENCODER_2, DType.F16)
        .containsEntry(FluxNetwork.VAE_DECODER, DType.F32);
    assertThat(autoencoder(F32.withDtype(DType.F16)))
        .isEqualTo(autoencoder(F32.withDtype(DType.F32)));
    // unless that is what one wants
    assertThat(autoencoder(F32.withDtype(DType.F16).withDtype(FluxNetwork.VAE_DECODER, DType.F16)))
        .isEqualTo(autoencoder(F32.withDtype(DType.BF16)));
  }

  /** Bytes of decoder and encoder. */
  private long autoencoder(ConversionOptions options) throws IOException {
    return FluxConverter.plan(FluxCheckpoint.ofDirectory(dev), options).networks().stream()
        .filter(network -> network.network() == FluxNetwork.VAE_DECODER)
        .mapToLong(ConversionPlan.Network::outputBytes)
        .sum();
  }

  @Test
  void convert_f16_keepsTheOverflowingProjectionInF32() throws Exception {
    convert(FluxCheckpoint.ofDirectory(dev), F32.withDtype(DType.F16));
    ConversionPlan plan =
        FluxConverter.plan(FluxCheckpoint.ofDirectory(dev), F32.withDtype(DType.F16));
    ConversionPlan.Network t5 = plan.networks().get(2);
    long wo = 2L * 48 * 96;
    assertThat(t5.outputBytes()).isEqualTo((t5.parameters() - wo) * 2 + wo * 4);
    try (ZipFile zip = new ZipFile(bundles.resolve("b").resolve("text_encoder_2.pt").toFile())) {
      long bytes =
          zip.stream()
              .filter(e -> e.getName().contains("/data/"))
              .mapToLong(ZipEntry::getSize)
              .sum();
      assertThat(bytes).isEqualTo(t5.outputBytes());
    }
  }

  @Test
  void plan_checkpoint_saysWhatIsInIt() throws Exception {
    ConversionPlan plan = FluxConverter.plan(FluxCheckpoint.ofDirectory(dev), F32);
    ConversionPlan.Network transformer = plan.networks().get(0);
    assertThat(transformer.parameters()).isEqualTo(553_184);
    assertThat(transformer.layout()).isEqualTo("diffusers");
    assertThat(transformer.sourceBytes()).isEqualTo(Map.of(DType.F32, 553_184L * 4));
    assertThat(plan.networks())
        .as("encoder and decoder of the VAE are both read")
        .allMatch(network -> network.skipped().isEmpty());
    assertThat(plan.requiredBytes())
        .isGreaterThan(plan.networks().stream().mapToLong(n -> n.outputBytes()).sum());
    assertThat(entries()).isEmpty();
  }

  @Test
  @DisabledOnOs(OS.WINDOWS)
  void convert_downloadCache_followsItsLinks() throws Exception {
    Path blobs = Files.createDirectory(folder.resolve("blobs"));
    List<Path> files;
    try (Stream<Path> walk = Files.walk(dev)) {
      files = walk.filter(Files::isRegularFile).toList();
    }
    for (int i = 0; i < files.size(); i++) {
      Path blob = blobs.resolve("blob" + i);
      Files.move(files.get(i), blob);
      Files.createSymbolicLink(files.get(i), files.get(i).getParent().relativize(blob));
    }
    FluxBundle bundle = convert(FluxCheckpoint.ofDirectory(dev), F32);
    assertThat(Files.isSymbolicLink(bundle.clipTokenizer().resolve("vocab.json"))).isFalse();
    assertThat(bundle.sources().get(0).name()).startsWith("diffusion_pytorch_model-");
  }

  @Test
  void acceptFiles_ownModule_recordsWhatWasRecordedBefore() throws Exception {
    for (Checksums checksums : Checksums.values()) {
      Path target = bundles.resolve(checksums.name());
      FluxConverter.convert(
          FluxCheckpoint.ofDirectory(dev),
          target,
          F32.withChecksums(checksums),
          ConversionListener.NONE);
      long before = hashes(target);
      assertThat(before > 0).isEqualTo(checksums == Checksums.SHA256);
      Files.writeString(target.resolve("vae_decoder.pt"), "a module of one's own");
      FluxBundle bundle = FluxBundle.read(target);
      assertThatThrownBy(() -> bundle.verify(Verification.FAST, ReadProgress.NONE))
          .isInstanceOf(BundleException.class)
          .hasMessageContaining("vae_decoder.pt")
          .hasMessageContaining("record it with FluxConverter.acceptFiles");
      FluxConverter.acceptFiles(target);
      assertThat(hashes(target)).isEqualTo(before);
      assertThat(bundle.verify(Verification.FULL, ReadProgress.NONE)).isTrue();
    }
  }

  /** How many SHA-256 the manifest has. */
  private static long hashes(Path bundle) throws IOException {
    return Files.readAllLines(bundle.resolve(FluxBundle.MANIFEST)).stream()
        .filter(line -> line.contains("\"sha256\": "))
        .count();
  }

  // Targets.

  @Test
  void convert_existingBundle_isKept() throws Exception {
    convert(FluxCheckpoint.ofDirectory(dev), F32);
    byte[] before = Files.readAllBytes(bundles.resolve("b/manifest.json"));
    assertThatThrownBy(() -> convert(FluxCheckpoint.ofDirectory(dev), F32.withDtype(DType.BF16)))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("expected a free name for the bundle, found a folder");
    assertThat(bundles.resolve("b/manifest.json")).hasBinaryContent(before);
  }

  @Test
  void convert_existingBundleWithReplace_isReplaced() throws Exception {
    convert(FluxCheckpoint.ofDirectory(dev), F32);
    convert(
        FluxCheckpoint.ofDirectory(dev),
        F32.withDtype(DType.BF16).withExisting(ExistingBundle.REPLACE));
    assertThat(FluxBundle.read(bundles.resolve("b")).dtypes()).containsValue(DType.BF16);
    assertThat(entries()).containsExactly("b");
  }

  @Test
  void convert_otherFolderWithReplace_isNotTouched() throws Exception {
    Files.createDirectory(bundles.resolve("b"));
    Path precious = Files.writeString(bundles.resolve("b/thesis.txt"), "x");
    assertThatThrownBy(
            () ->
                convert(FluxCheckpoint.ofDirectory(dev), F32.withExisting(ExistingBundle.REPLACE)))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("found a folder without manifest.json");
    assertThat(precious).exists();
  }

  @Test
  void convert_failureWhileReplacing_keepsTheOldBundle() throws Exception {
    convert(FluxCheckpoint.ofDirectory(dev), F32);
    assertThatThrownBy(
            () ->
                FluxConverter.convert(
                    FluxCheckpoint.ofDirectory(dev),
                    bundles.resolve("b"),
                    F32.withExisting(ExistingBundle.REPLACE),
                    progress -> {
                      if (progress.network() == FluxNetwork.VAE_DECODER) {
                        throw new IllegalStateException("stop");
                      }
                    }))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("stop");
    assertThat(FluxBundle.read(bundles.resolve("b")).dtypes()).containsValue(DType.F32);
    assertThat(entries()).containsExactly("b");
  }

  @Test
  void convert_interrupted_leavesNothingBehind() throws Exception {
    try {
      assertThatThrownBy(
              () ->
                  FluxConverter.convert(
                      FluxCheckpoint.ofDirectory(dev),
                      bundles.resolve("b"),
                      F32,
                      progress -> {
                        if (progress.network() == FluxNetwork.TEXT_ENCODER) {
                          Thread.currentThread().interrupt();
                        }
                      }))
          .isInstanceOf(InterruptedIOException.class)
          .hasMessageContaining("left nothing behind");
    } finally {
      assertThat(Thread.interrupted()).isTrue();
    }
    assertThat(entries()).isEmpty();
  }

  @Test
  void convert_fileThatCannotBeWritten_isNamed() throws Exception {
    assertThatThrownBy(
            () ->
                FluxConverter.convert(
                    FluxCheckpoint.ofDirectory(dev),
                    bundles.resolve("b"),
                    F32,
                    progress -> occupy("vae_decoder.pt")))
        .isInstanceOf(IOException.class)
        .hasMessageMatching(
            "(?s).*[/\\\\]\\.b\\.partial-\\w+[/\\\\]vae_decoder\\.pt: could not be written: .*");
    assertThat(entries()).isEmpty();
  }

  /** Puts a folder where the converter will want to write a file. */
  private void occupy(String name) {
    try {
      String partial =
          entries().stream().filter(entry -> entry.contains(".partial-")).findFirst().orElseThrow();
      Files.createDirectories(bundles.resolve(partial).resolve(name));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void convert_afterAKillBetweenTheTwoRenames_returnsTheOldBundleFirst() throws Exception {
    convert(FluxCheckpoint.ofDirectory(dev), F32);
    Path target = bundles.resolve("b");
    Path aside = Files.createDirectory(bundles.resolve(".b.old-12345678"));
    Files.move(target, aside.resolve("bundle"));
    Path partial = Files.createDirectory(bundles.resolve(".b.partial-12345678"));
    Files.writeString(partial.resolve("transformer.pt"), "half");
    assertThatThrownBy(() -> FluxBundle.read(target))
        .isInstanceOf(BundleException.class)
        .hasMessageContaining("its replacement was interrupted")
        .hasMessageContaining(Path.of(".b.old-12345678", "bundle").toString());

    assertThatThrownBy(() -> convert(FluxCheckpoint.ofDirectory(dev), F32))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("expected a free name for the bundle");
    assertThat(FluxBundle.read(target).verify(Verification.FULL, ReadProgress.NONE)).isTrue();
    assertThat(entries()).containsExactly("b");
  }

  @Test
  void convert_whileAnotherConversionIntoTheSamePlaceRuns_isRefused() throws Exception {
    List<Throwable> refusals = new ArrayList<>();
    FluxConverter.convert(
        FluxCheckpoint.ofDirectory(dev),
        bundles.resolve("b"),
        F32,
        progress -> {
          if (refusals.isEmpty()) {
            refusals.add(catchThrowable(() -> convert(FluxCheckpoint.ofDirectory(dev), F32)));
          }
        });
    assertThat(refusals.get(0))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("another conversion into the same place is running");
    assertThat(entries()).containsExactly("b");
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void exchange_ofTwoFolders_isOneStep() throws Exception {
    FolderExchange.assumePossible(folder);
    Path one = Files.createDirectory(bundles.resolve("one"));
    Path two = Files.createDirectory(bundles.resolve("two"));
    Files.writeString(one.resolve("1"), "");
    assertThat(AtomicExchange.exchange(one, two)).isTrue();
    assertThat(two.resolve("1")).exists();
    assertThat(one).isEmptyDirectory();
    assertThat(AtomicExchange.exchange(one, bundles.resolve("none"))).isFalse();
  }

  @Test
  void convert_targetWithoutName_isRefused() {
    assertThatThrownBy(
            () ->
                FluxConverter.convert(
                    FluxCheckpoint.ofDirectory(dev),
                    Path.of("/"),
                    F32.withExisting(ExistingBundle.REPLACE),
                    ConversionListener.NONE))
        .isInstanceOfAny(IllegalArgumentException.class, CheckpointException.class);
  }

  @Test
  void requireRoom_tooLittle_saysHowMuchIsNeeded() {
    assertThatThrownBy(() -> FluxConverter.requireRoom(bundles, 33_800_000_000L, 12_100_000_000L))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining(
            "expected room for a bundle of 33.80 GB, found 12.10 GB; free 21.70 GB");
    assertThatThrownBy(() -> FluxConverter.requireRoom(bundles, 40_000_001, 39_000_000))
        .hasMessageContaining("expected room for a bundle of 41 MB, found 39 MB; free 2 MB");
  }

  // Malformed checkpoints.

  private void refused(FluxCheckpoint checkpoint, String... parts) throws IOException {
    assertThatThrownBy(() -> convert(checkpoint, F32))
        .isInstanceOfAny(CheckpointException.class, SafetensorsException.class)
        .satisfies(e -> assertThat(e.getMessage()).contains(parts));
    assertThat(entries()).isEmpty();
  }

  private void edit(String file, String from, String to) throws IOException {
    Path path = dev.resolve(file);
    String text = Files.readString(path);
    assertThat(text).contains(from);
    Files.writeString(path, text.replace(from, to));
  }

  @Test
  void ofDirectory_notACheckpoint_isRefused() throws Exception {
    assertThatThrownBy(() -> FluxCheckpoint.ofDirectory(folder.resolve("none")))
        .hasMessageContaining("found nothing");
    assertThatThrownBy(() -> FluxCheckpoint.ofDirectory(bundles))
        .hasMessageContaining("expected a diffusers model with model_index.json, found none");
    edit("model_index.json", "FluxPipeline", "FluxFillPipeline");
    assertThatThrownBy(() -> FluxCheckpoint.ofDirectory(dev))
        .hasMessageContaining("_class_name: expected FluxPipeline, found FluxFillPipeline");
    Files.writeString(dev.resolve("model_index.json"), "{");
    assertThatThrownBy(() -> FluxCheckpoint.ofDirectory(dev))
        .hasMessageContaining("model_index.json: expected JSON in UTF-8");
  }

  @Test
  void convert_missingShard_isRefused() throws Exception {
    Path shard = dev.resolve("transformer/diffusion_pytorch_model-00003-of-00004.safetensors");
    Files.delete(shard);
    refused(FluxCheckpoint.ofDirectory(dev), shard.toString(), "expected this shard");
  }

  @Test
  void convert_truncatedShard_isRefused() throws Exception {
    Path shard = dev.resolve("transformer/diffusion_pytorch_model-00003-of-00004.safetensors");
    byte[] bytes = Files.readAllBytes(shard);
    Files.write(shard, Arrays.copyOf(bytes, bytes.length - 100));
    refused(FluxCheckpoint.ofDirectory(dev), shard.toString(), "truncated");
  }

  @Test
  void convert_missingConfig_isRefused() throws Exception {
    for (String part : List.of("transformer", "vae", "text_encoder", "text_encoder_2")) {
      Path config = dev.resolve(part).resolve("config.json");
      byte[] content = Files.readAllBytes(config);
      Files.delete(config);
      refused(FluxCheckpoint.ofDirectory(dev), config.toString(), "expected the configuration of");
      Files.write(config, content);
    }
  }

  @Test
  void convert_configThatDisagreesWithTheWeights_isRefused() throws Exception {
    edit("transformer/config.json", "\"num_layers\": 2", "\"num_layers\": 2000000000");
    refused(
        FluxCheckpoint.ofDirectory(dev),
        "num_layers: expected 2, the number of transformer_blocks.*",
        "found 2000000000");
  }

  @Test
  void convert_wrongWidth_listsTheTensors() throws Exception {
    edit("transformer/config.json", "\"joint_attention_dim\": 48", "\"joint_attention_dim\": 64");
    refused(
        FluxCheckpoint.ofDirectory(dev),
        "wrong (1): 'context_embedder.weight' [64, 48] expected [64, 64]");
  }

  @Test
  void convert_configWithOtherTypes_isRefused() throws Exception {
    edit("transformer/config.json", "\"num_attention_heads\": 4", "\"num_attention_heads\": 4.5");
    refused(FluxCheckpoint.ofDirectory(dev), "num_attention_heads: expected a whole number", "4.5");
  }

  @Test
  void convert_otherNetworkKinds_areRefused() throws Exception {
    edit("text_encoder_2/config.json", "gated-gelu", "relu");
    refused(FluxCheckpoint.ofDirectory(dev), "feed_forward_proj: expected gated-gelu, found relu");
  }

  @Test
  void convert_schedulerThatSaysMore_isRefused() throws Exception {
    edit("scheduler/scheduler_config.json", "\"shift\":3.0", "\"shift\":3.0,\"warp\":2");
    refused(FluxCheckpoint.ofDirectory(dev), "scheduler_config.json: warp: expected no such entry");
  }

  @Test
  void convert_schedulerOfOtherTimesteps_isRefused() throws Exception {
    edit(
        "scheduler/scheduler_config.json",
        "\"shift\":3.0",
        "\"shift\":3.0,\"num_train_timesteps\":500");
    refused(FluxCheckpoint.ofDirectory(dev), "num_train_timesteps: expected 1000, found 500");
  }

  @Test
  void convert_fillModel_isRefused() throws Exception {
    edit("transformer/config.json", "\"out_channels\": null", "\"out_channels\": 32");
    refused(FluxCheckpoint.ofDirectory(dev), "out_channels", "Fill, Depth and Canny");
  }

  @Test
  void convert_originalFileWithOtherHeads_asksForTheAxes() throws Exception {
    refused(
        FluxCheckpoint.ofOriginalFiles(
            TinyCheckpoint.parity("flux-tiny-transformer/dev/bfl.safetensors"),
            TinyCheckpoint.parity("flux-tiny-vae/tiny/bfl-ae.safetensors"),
            dev),
        "expected heads of 128 channels as in FLUX.1, found 16",
        "axes_dims_rope");
  }

  @Test
  void convert_originalFileWithConfigBeside_takesItsAxes() throws Exception {
    Path file = dev.resolve("flux1-tiny.safetensors");
    Files.copy(TinyCheckpoint.parity("flux-tiny-transformer/dev/bfl.safetensors"), file);
    Files.copy(dev.resolve("transformer/config.json"), dev.resolve("config.json"));
    FluxBundle bundle = convert(FluxCheckpoint.ofDirectory(dev).withTransformer(file), F32);
    assertThat(bundle.transformer().ropeAxes()).containsExactly(4, 6, 6);
  }

  @Test
  void convert_originalFilesWithConfigurations_takesWhatTheySay() throws Exception {
    edit("vae/config.json", "\"scaling_factor\": 0.3611", "\"scaling_factor\": 0.5");
    FluxCheckpoint files =
        FluxCheckpoint.ofOriginalFiles(
            TinyCheckpoint.parity("flux-tiny-transformer/dev/bfl.safetensors"),
            TinyCheckpoint.parity("flux-tiny-vae/tiny/bfl-ae.safetensors"),
            dev);
    FluxBundle bundle =
        convert(
            files
                .withTransformerConfig(dev.resolve("transformer/config.json"))
                .withVaeConfig(dev.resolve("vae/config.json")),
            F32);
    assertThat(bundle.transformer().ropeAxes()).containsExactly(4, 6, 6);
    assertThat(bundle.vaeDecoder().scalingFactor()).isEqualTo(0.5);
  }

  @Test
  void convert_impossibleAxes_areRefused() throws Exception {
    refused(
        FluxCheckpoint.ofDirectory(dev).withRopeAxes(List.of(4, 6, 8)),
        "no network has these sizes: ropeAxes must be three positive even numbers");
  }

  @Test
  void convert_partsSwapped_areRefused() throws Exception {
    refused(
        FluxCheckpoint.ofDirectory(dev).withTransformer(dev.resolve("vae")),
        "expected a FLUX.1 transformer (tensors double_blocks.* or transformer_blocks.*), found"
            + " 'decoder.conv_in.bias'");
    refused(
        FluxCheckpoint.ofDirectory(dev).withVae(dev.resolve("transformer")),
        "expected the autoencoder of FLUX.1");
  }

  @Test
  void convert_partsOfDifferentModels_areRefused() throws Exception {
    Path mixed = TinyCheckpoint.diffusers(folder.resolve("mixed"), "dev");
    String config = Files.readString(mixed.resolve("text_encoder_2/config.json"));
    RealShapes.t5(96, 1).writeSparse(mixed.resolve("text_encoder_2/model.safetensors"));
    Files.writeString(
        mixed.resolve("text_encoder_2/config.json"),
        config
            .replace("\"d_model\": 48", "\"d_model\": 96")
            .replace("\"num_layers\": 2", "\"num_layers\": 1"));
    refused(
        FluxCheckpoint.ofDirectory(mixed),
        "the networks do not belong together: text_encoder_2 gives 96 values, the transformer"
            + " takes 48");
  }

  @Test
  void convert_missingTokenizer_isRefused() throws Exception {
    for (String name : List.of("tokenizer.json", "merges.txt")) {
      Files.delete(dev.resolve("tokenizer").resolve(name));
    }
    refused(
        FluxCheckpoint.ofDirectory(dev),
        "expected a tokenizer (tokenizer.json, or vocab.json and merges.txt), found vocab.json");
  }

  @Test
  void convert_unknownScheduler_isRefused() throws Exception {
    edit("scheduler/scheduler_config.json", "FlowMatchEulerDiscreteScheduler", "DDIMScheduler");
    refused(
        FluxCheckpoint.ofDirectory(dev),
        "_class_name: expected FlowMatchEulerDiscreteScheduler, found DDIMScheduler");
  }

  @Test
  void convert_schedulerWithOtherSigmas_isRefused() throws Exception {
    edit("scheduler/scheduler_config.json", "\"shift\":3.0", "\"invert_sigmas\":true");
    refused(FluxCheckpoint.ofDirectory(dev), "invert_sigmas: expected false, found true");
  }

  @Test
  void convert_sourceChangedMeanwhile_isRefused() throws Exception {
    Path clip = dev.resolve("text_encoder/model.safetensors");
    boolean[] changed = {false};
    assertThatThrownBy(
            () ->
                FluxConverter.convert(
                    FluxCheckpoint.ofDirectory(dev),
                    bundles.resolve("b"),
                    F32,
                    progress -> {
                      if (progress.network() == FluxNetwork.VAE_DECODER && !changed[0]) {
                        changed[0] = true;
                        append(clip);
                      }
                    }))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("the file was changed during the conversion");
    assertThat(entries()).isEmpty();
  }

  private static void append(Path file) {
    try {
      Files.write(file, new byte[1], StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  @DisabledOnOs(OS.WINDOWS)
  void convert_sourceShortenedMeanwhile_isRefused() throws Exception {
    Path vae = dev.resolve("vae/diffusion_pytorch_model.safetensors");
    assertThatThrownBy(
            () ->
                FluxConverter.convert(
                    FluxCheckpoint.ofDirectory(dev),
                    bundles.resolve("b"),
                    F32,
                    progress -> shorten(vae)))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("could not be read any more");
    assertThat(entries()).isEmpty();
  }

  private static void shorten(Path file) {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      channel.truncate(10);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
