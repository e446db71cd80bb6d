package io.jitflow.flux.program;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.jitflow.core.TorchNoise;
import io.jitflow.core.testing.Arrays32;
import io.jitflow.flux.network.FluxTransformer;
import io.jitflow.flux.network.ModuleFile;
import io.jitflow.flux.network.SmallNetworks;
import io.jitflow.flux.weights.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.NoSuchElementException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class MappedArchiveTest {
  private final NDManager manager = NDManager.newBaseManager(Device.cpu());
  @TempDir Path folder;

  @AfterEach
  void close() {
    manager.close();
  }

  private NDArray velocity(ModuleFile file) throws IOException {
    try (FluxTransformer transformer =
        FluxTransformer.load(file, Device.cpu(), SmallNetworks.FLUX)) {
      TorchNoise random = new TorchNoise(1);
      NDArray img = random.draw(manager, new Shape(1, 6, 8));
      NDArray ids = random.draw(manager, new Shape(1, 6, 3));
      NDArray txt = random.draw(manager, new Shape(1, 5, 12));
      NDArray rows =
          random.draw(
              manager,
              new Shape(1, SmallNetworks.FLUX.modulationRows(), SmallNetworks.FLUX.hiddenSize()));
      return transformer.velocity(img, ids, txt, rows).duplicate();
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"F32", "BF16", "F16"})
  void file_loaded_givesTheVelocityOfTheArchive(DType dtype) throws IOException {
    NetworkProgram program = NetworkProgram.of(SmallNetworks.FLUX);
    Path archive =
        SmallNetworks.write(program, folder, SmallNetworks.weights(program, name -> dtype));
    NDArray expected = velocity(ModuleFile.of(archive));
    try (MappedArchive mapped = MappedArchive.map(archive, program, dtype).orElseThrow()) {
      Arrays32.assertIdentical("mapped", velocity(mapped.file()), expected);
      Arrays32.assertIdentical(
          "in host memory", velocity(mapped.file().withHostMemory(true)), expected);
      assertThat(mapped.file().torchscript()).exists();
    }
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void close_ofTheNetwork_unmapsTheArchive() throws IOException {
    NetworkProgram program = NetworkProgram.of(SmallNetworks.FLUX);
    Path archive = SmallNetworks.write(program, folder);
    try (MappedArchive mapped = MappedArchive.map(archive, program, DType.F32).orElseThrow()) {
      try (FluxTransformer transformer =
          FluxTransformer.load(mapped.file(), Device.cpu(), SmallNetworks.FLUX)) {
        assertThat(transformer.takesModulation()).isTrue();
        assertThat(Files.readString(Path.of("/proc/self/maps"))).contains(archive.toString());
      }
      assertThat(Files.readString(Path.of("/proc/self/maps"))).doesNotContain(archive.toString());
    }
  }

  @Test
  void map_archiveOfAnotherProgram_isEmpty() throws IOException {
    Path archive = SmallNetworks.write(NetworkProgram.of(SmallNetworks.T5), folder);
    assertThat(MappedArchive.map(archive, NetworkProgram.of(SmallNetworks.FLUX), DType.F32))
        .isEmpty();
    Path int8 = SmallNetworks.write(NetworkProgram.of(SmallNetworks.FLUX), folder);
    assertThat(MappedArchive.map(int8, NetworkProgram.int8(SmallNetworks.FLUX), DType.I8))
        .isEmpty();
  }

  @Test
  void writeOrDelete_failure_leavesNoTemporaryFile() throws IOException {
    Path skeleton = Files.createFile(folder.resolve("skeleton.pt"));
    NetworkProgram program = NetworkProgram.of(SmallNetworks.FLUX);
    assertThatThrownBy(
            () -> MappedArchive.writeOrDelete(skeleton, program, Collections.emptyIterator()))
        .isInstanceOf(NoSuchElementException.class);
    assertThat(skeleton).doesNotExist();
  }

  @Test
  void skeleton_withRandomWeights_computes() throws IOException {
    for (NetworkProgram program :
        new NetworkProgram[] {
          NetworkProgram.of(SmallNetworks.FLUX), NetworkProgram.int8(SmallNetworks.FLUX)
        }) {
      Path skeleton = folder.resolve("skeleton.pt");
      program.writeSkeleton(
          skeleton, name -> program.int8Weights().containsValue(name) ? DType.I8 : DType.F32);
      assertThat(Files.size(skeleton)).isLessThan(100_000);
      NDArray velocity = velocity(ModuleFile.random(skeleton));
      assertThat(velocity.sum().getFloat()).isFinite();
      assertThat(velocity.abs().max().getFloat()).isPositive();
    }
  }
}
