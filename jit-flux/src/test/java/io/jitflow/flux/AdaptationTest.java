package io.jitflow.flux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Device;
import io.jitflow.core.EulerSampler;
import io.jitflow.core.SigmaSchedule;
import io.jitflow.flux.FluxOptions.MemoryPolicy;
import io.jitflow.flux.PipelineListener.Phase;
import io.jitflow.flux.adapter.AdapterException;
import io.jitflow.flux.adapter.AdapterFixture;
import io.jitflow.flux.adapter.AdapterFixture.Naming;
import io.jitflow.flux.bundle.FluxBundle;
import io.jitflow.flux.bundle.MergedAdapter;
import io.jitflow.flux.file.BrokenFileException;
import io.jitflow.flux.image.GeneratedImages;
import io.jitflow.flux.image.ImageRequest;
import io.jitflow.flux.weights.LoraAdapter;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Adapters that are added to loaded networks, against the same adapters merged at conversion. */
class AdaptationTest {
  private static final ImageRequest REQUEST =
      ImageRequest.of("a red fox")
          .withSize(64, 48)
          .withSeed(3)
          .withSampler(new EulerSampler(SigmaSchedule.linear(), 2));

  @TempDir Path scratch;
  private LoraAdapter adapter;

  @BeforeEach
  void adapter() throws IOException {
    // one matrix of each file: transformer, modulation, final layer
    Path file =
        new AdapterFixture(2)
            .layer("double_blocks.0.img_attn.qkv", 192, 64, 2, 1)
            .layer("single_blocks.0.linear1", 448, 64, 3, 0)
            .layer("single_blocks.0.modulation.lin", 192, 64, 2, 0)
            .layer("final_layer.adaLN_modulation.1", 128, 64, 2, 0)
            .write(scratch.resolve("style.safetensors"), Naming.DIFFUSERS);
    adapter = LoraAdapter.of(file).withScale(0.2);
  }

  private static FluxOptions options(MemoryPolicy memory, LoraAdapter... adapters) {
    return FluxOptions.defaults()
        .withDevice(Device.cpu())
        .withMemory(memory)
        .withAdapters(List.of(adapters));
  }

  private static GeneratedImages generate(Path bundle, FluxOptions options) throws IOException {
    try (FluxPipeline pipeline = FluxPipeline.load(bundle, options)) {
      pipeline.generate(
          REQUEST.withPrompt("something else first")); // reloads, where memory is short
      return pipeline.generate(REQUEST);
    }
  }

  @Test
  void generate_adapterAtLoad_isThePictureOfTheMergedBundle() throws IOException {
    Path plain = TinyBundle.dev(scratch);
    Path merged = TinyBundle.dev(scratch, adapter);
    byte[] weights = Files.readAllBytes(plain.resolve("transformer.pt"));
    GeneratedImages without = generate(plain, options(MemoryPolicy.RESIDENT));
    GeneratedImages atConversion = generate(merged, options(MemoryPolicy.RESIDENT));
    for (MemoryPolicy memory : MemoryPolicy.values()) {
      GeneratedImages atLoad = generate(plain, options(memory, adapter));
      assertThat(distance(atLoad.bufferedImage(0), atConversion.bufferedImage(0)))
          .as("8-bit levels, %s", memory)
          .isLessThanOrEqualTo(1);
      assertThat(distance(atLoad.bufferedImage(0), without.bufferedImage(0))).isGreaterThan(8);
      assertThat(atLoad.model()).endsWith(MergedAdapter.of(adapter).description());
      assertThat(atConversion.model()).isEqualTo(atLoad.model());
    }
    assertThat(plain.resolve("transformer.pt")).hasBinaryContent(weights);
  }

  @Test
  void load_adapterForAnotherModel_isRefused() throws IOException {
    Path plain = TinyBundle.dev(scratch);
    Path wide =
        new AdapterFixture(2)
            .layer("double_blocks.0.img_attn.qkv", 9216, 3072, 1, 0)
            .write(scratch.resolve("wide.safetensors"), Naming.KOHYA);
    List<Phase> phases = new ArrayList<>();
    assertThatThrownBy(
            () ->
                FluxPipeline.load(
                    plain,
                    options(MemoryPolicy.RESIDENT, LoraAdapter.of(wide)),
                    activity -> phases.add(activity.phase())))
        .isInstanceOf(AdapterException.class)
        .hasMessageContaining("for another model");
    assertThat(phases).as("before the bundle's files are read").isEmpty();
  }

  @Test
  void open_folderForAFile_saysWhatIsWrong() throws IOException {
    FluxBundle bundle = FluxBundle.read(TinyBundle.dev(scratch));
    LoraAdapter folder = LoraAdapter.of(Files.createDirectory(scratch.resolve("styles")));
    assertThatThrownBy(() -> Adaptation.open(bundle, List.of(adapter, folder)))
        .isInstanceOf(BrokenFileException.class)
        .hasMessageContaining(folder.file().toString())
        .hasMessageContaining("expected a file, found a folder; name a file in it");
  }

  @Test
  void check_streamedWeights_refusesAdaptersOnADeviceOnly() throws IOException {
    FluxBundle bundle = FluxBundle.read(TinyBundle.dev(scratch));
    try (Adaptation adaptation = Adaptation.open(bundle, List.of(adapter));
        Adaptation none = Adaptation.open(bundle, List.of())) {
      none.check(MemoryPolicy.STREAMED, Device.gpu());
      adaptation.check(MemoryPolicy.SEQUENTIAL, Device.gpu());
      adaptation.check(MemoryPolicy.STREAMED, Device.cpu());
      assertThatThrownBy(() -> adaptation.check(MemoryPolicy.STREAMED, Device.gpu()))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("streamed from the bundle's files to gpu(0)")
          .hasMessageContaining("convert --lora");
    }
  }

  private static int distance(BufferedImage a, BufferedImage b) {
    int most = 0;
    for (int y = 0; y < a.getHeight(); y++) {
      for (int x = 0; x < a.getWidth(); x++) {
        for (int shift = 0; shift < 24; shift += 8) {
          int difference = (a.getRGB(x, y) >> shift & 255) - (b.getRGB(x, y) >> shift & 255);
          most = Math.max(most, Math.abs(difference));
        }
      }
    }
    return most;
  }
}
