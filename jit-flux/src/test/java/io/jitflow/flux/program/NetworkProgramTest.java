package io.jitflow.flux.program;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jitflow.flux.network.ClipArchitecture;
import io.jitflow.flux.network.FluxArchitecture;
import io.jitflow.flux.network.HeapTensor;
import io.jitflow.flux.network.SmallNetworks;
import io.jitflow.flux.network.T5Architecture;
import io.jitflow.flux.network.VaeArchitecture;
import io.jitflow.flux.torchscript.TensorSource;
import io.jitflow.flux.weights.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NetworkProgramTest {
  private static final FluxArchitecture DEV =
      new FluxArchitecture(
          64, 3072, 24, 12288, List.of(16, 56, 56), 19, 38, 4096, 768, true, 10000);

  @TempDir Path folder;

  private static long parameters(NetworkProgram program) {
    return program.tensors().values().stream()
        .mapToLong(shape -> Arrays.stream(shape).reduce(1, Math::multiplyExact))
        .sum();
  }

  @Test
  void tensors_fluxDev_countsAsPublished() {
    NetworkProgram program = NetworkProgram.of(DEV);
    NetworkProgram modulation = NetworkProgram.modulation(DEV);
    assertThat(program.tensors().size() + modulation.tensors().size()).isEqualTo(780);
    assertThat(parameters(program)).isEqualTo(8_621_698_112L);
    assertThat(parameters(modulation)).isEqualTo(11_901_408_320L - 8_621_698_112L);
    assertThat(program.tensors().get("single_blocks.37.linear1.weight"))
        .containsExactly(21504, 3072);
    assertThat(program.tensors().get("double_blocks.18.txt_attn.norm.key_norm.scale"))
        .containsExactly(128);
  }

  @Test
  void tensors_withoutGuidance_lacksItsEmbedder() {
    FluxArchitecture schnell =
        new FluxArchitecture(
            64, 3072, 24, 12288, List.of(16, 56, 56), 19, 38, 4096, 768, false, 10000);
    NetworkProgram program = NetworkProgram.modulation(schnell);
    assertThat(parameters(program))
        .isEqualTo(parameters(NetworkProgram.modulation(DEV)) - 10_229_760L);
    assertThat(program.tensors()).doesNotContainKey("guidance_in.in_layer.weight");
    assertThat(program.codeFiles().get("flux_modulation")).doesNotContain("self.guidance_in");
  }

  @Test
  void tensors_publishedTextEncoders_countAsPublished() {
    assertThat(
            parameters(
                NetworkProgram.of(
                    new ClipArchitecture(49408, 768, 3072, 12, 12, 77, 2, "quick_gelu", 1e-5))))
        .isEqualTo(123_060_480L);
    NetworkProgram t5 =
        NetworkProgram.of(new T5Architecture(32128, 4096, 64, 64, 10240, 24, 32, 128, 1e-6));
    assertThat(t5.tensors()).hasSize(219);
    assertThat(parameters(t5)).isEqualTo(4_762_310_656L);
  }

  @Test
  void tensors_publishedAutoencoder_hasItsDecoder() {
    NetworkProgram vae =
        NetworkProgram.of(
            new VaeArchitecture(16, List.of(128, 256, 512, 512), 2, 32, 0.3611, 0.1159, false));
    assertThat(parameters(vae)).isEqualTo(49_545_475L);
    assertThat(vae.tensors().get("decoder.up.0.block.0.nin_shortcut.weight"))
        .containsExactly(128, 256, 1, 1);
    assertThat(vae.tensors()).doesNotContainKey("decoder.up.0.upsample.conv.weight");
  }

  @Test
  void tensors_changedByTheCaller_leavesTheProgramAlone() {
    NetworkProgram program = NetworkProgram.of(DEV);
    Map<String, long[]> mine = program.tensors();
    mine.get("img_in.bias")[0] = 1;
    assertThat(program.tensors().get("img_in.bias")).containsExactly(3072);
  }

  @Test
  void codeFiles_depth_isThatOfTheNetwork() {
    String code = NetworkProgram.of(DEV).codeFiles().get("flux_transformer");
    assertThat(code.lines().filter(line -> line.contains("__annotations__[\"18\"]"))).hasSize(2);
    assertThat(code).contains("getattr(self, \"37\")").doesNotContain("getattr(self, \"38\")");
    assertThat(code).doesNotContain("# for each").doesNotContain("# if");
  }

  @Test
  void write_whereDigitsAreArabic_writesTheSame() throws IOException {
    List<byte[]> usual = archives(Locale.ROOT);
    List<byte[]> arabic = archives(Locale.forLanguageTag("ar-EG-u-nu-arab"));
    for (int i = 0; i < usual.size(); i++) {
      assertThat(arabic.get(i)).isEqualTo(usual.get(i));
    }
  }

  /** An archive, and one without weights, written where numbers are formatted in that way. */
  private List<byte[]> archives(Locale locale) throws IOException {
    Path archive = folder.resolve("archive.pt");
    Path skeleton = folder.resolve("skeleton.pt");
    Locale before = Locale.getDefault(Locale.Category.FORMAT);
    Locale.setDefault(Locale.Category.FORMAT, locale);
    try {
      NetworkProgram flux = NetworkProgram.of(SmallNetworks.FLUX);
      flux.write(archive, SmallNetworks.weights(flux, name -> DType.F32), bytes -> {});
      NetworkProgram t5 = NetworkProgram.int8(SmallNetworks.T5);
      t5.writeSkeleton(
          skeleton, name -> t5.int8Weights().containsValue(name) ? DType.I8 : DType.F32);
    } finally {
      Locale.setDefault(Locale.Category.FORMAT, before);
    }
    return List.of(Files.readAllBytes(archive), Files.readAllBytes(skeleton));
  }

  @Test
  void module_missingTensor_namesIt() {
    NetworkProgram program = NetworkProgram.of(SmallNetworks.FLUX);
    Function<String, TensorSource> all = SmallNetworks.weights(program, name -> DType.F32);
    assertThatThrownBy(
            () -> program.module(name -> name.equals("txt_in.bias") ? null : all.apply(name)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("flux_transformer")
        .hasMessageContaining("txt_in.bias")
        .hasMessageContaining("[16]")
        .hasMessageContaining("missing");
  }

  @Test
  void module_wrongShape_namesTensorAndBothShapes() {
    NetworkProgram program = NetworkProgram.of(SmallNetworks.T5);
    Function<String, TensorSource> all = SmallNetworks.weights(program, name -> DType.F32);
    assertThatThrownBy(
            () ->
                program.module(
                    name ->
                        name.equals("shared.weight")
                            ? HeapTensor.of(DType.F32, new float[6], 2, 3)
                            : all.apply(name)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("shared.weight")
        .hasMessageContaining("[40, 12]")
        .hasMessageContaining("[2, 3]");
  }

  @Test
  void architecture_axesThatDoNotFillAHead_areRefused() {
    assertThatThrownBy(
            () -> new FluxArchitecture(8, 16, 2, 32, List.of(2, 2, 2), 1, 1, 4, 4, false, 10000))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("head width 8")
        .hasMessageContaining("[2, 2, 2]");
  }

  @Test
  void architecture_groupsThatDoNotDivide_areRefused() {
    assertThatThrownBy(() -> new VaeArchitecture(4, List.of(8, 12), 1, 8, 1, 0, false))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("normGroups 8")
        .hasMessageContaining("[8, 12]");
  }

  @Test
  void architecture_unknownActivation_isRefused() {
    assertThatThrownBy(() -> new ClipArchitecture(9, 8, 8, 1, 2, 9, 2, "relu", 1e-5))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("quick_gelu or gelu")
        .hasMessageContaining("relu");
  }
}
