package io.jitflow.flux.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.jitflow.core.ActiveTokens;
import io.jitflow.core.testing.Arrays32;
import io.jitflow.core.token.TokenGrid;
import io.jitflow.core.token.TokenSubset;
import io.jitflow.flux.weights.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FluxTransformerTest {
  private static final int TEXT_TOKENS = 5;

  /** Sums of float32 products in another order; the values are of the order of one. */
  private static final double REORDERED = 1e-5;

  @TempDir Path folder;
  private NDManager manager;
  private ModulatedFlux transformer;

  @BeforeEach
  void load() throws IOException {
    manager = NDManager.newBaseManager(Device.cpu());
    transformer = ModulatedFlux.small(folder, tensor -> DType.F32);
  }

  @AfterEach
  void close() {
    transformer.close();
    manager.close();
  }

  private static NDArray random(NDManager manager, long seed, long... shape) {
    Random random = new Random(seed);
    float[] values = new float[(int) new Shape(shape).size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return manager.create(values, new Shape(shape));
  }

  private NDArray velocity(NDArray img, NDArray ids) {
    long batch = img.getShape().get(0);
    return transformer.velocity(
        img,
        ids,
        random(img.getManager(), 1, 1, TEXT_TOKENS, 12).repeat(0, batch),
        random(img.getManager(), 2, 1, 10).repeat(0, batch),
        0.6,
        3.5);
  }

  private NDArray gridIds(int batch) {
    return new ActiveTokens(manager, TokenSubset.all(new TokenGrid(2, 3), batch)).positions();
  }

  @Test
  void velocity_tokensInAnotherOrder_givesTheSameInThatOrder() {
    NDArray img = random(manager, 3, 1, 6, 8);
    NDArray ids = gridIds(1);
    NDArray straight = velocity(img, ids);
    NDArray reversed = velocity(img.flip(1), ids.flip(1));
    Arrays32.assertClose("velocity", reversed.flip(1), straight, REORDERED);
  }

  @Test
  void velocity_otherPositions_givesAnotherVelocity() {
    NDArray img = random(manager, 3, 1, 6, 8);
    NDArray here = velocity(img, gridIds(1));
    NDArray there = velocity(img, gridIds(1).flip(1));
    assertThat(here.sub(there).abs().max().getFloat()).isGreaterThan(0.01f);
  }

  @Test
  void velocity_samplesWithTheirOwnPositions_equalThoseSamplesAlone() {
    NDArray img = random(manager, 4, 2, 6, 8);
    NDArray ids = gridIds(2);
    NDArray mixed = ids.get("0:1").concat(ids.get("1:2").add(3), 0);
    NDArray both = velocity(img, mixed);
    for (int sample = 0; sample < 2; sample++) {
      String one = sample + ":" + (sample + 1);
      NDArray alone = velocity(img.get(one), mixed.get(one));
      Arrays32.assertClose("sample " + sample, both.get(one), alone, REORDERED);
    }
  }

  @Test
  void velocity_guidance_matters() {
    NDArray img = random(manager, 3, 1, 6, 8);
    NDArray txt = random(manager, 1, 1, TEXT_TOKENS, 12);
    NDArray vec = random(manager, 2, 1, 10);
    NDArray weak = transformer.velocity(img, gridIds(1), txt, vec, 0.6, 1);
    NDArray strong = transformer.velocity(img, gridIds(1), txt, vec, 0.6, 4);
    assertThat(weak.sub(strong).abs().max().getFloat()).isGreaterThan(0.01f);
  }

  @Test
  void velocity_result_belongsToTheManagerOfImgAndNothingElseStays() {
    NDArray txt = random(manager, 1, 1, TEXT_TOKENS, 12);
    NDArray vec = random(manager, 2, 1, 10);
    try (NDManager step = manager.newSubManager()) {
      NDArray img = random(step, 3, 1, 6, 8);
      NDArray ids = gridIds(1);
      int before = step.getManagedArrays().size();
      NDArray velocity = transformer.velocity(img, ids, txt, vec, 0.6, 3.5);
      assertThat(velocity.getManager()).isSameAs(step);
      assertThat(step.getManagedArrays()).hasSize(before + 1);
    }
  }

  @Test
  void velocity_namedInputs_areTakenAsTensors() {
    NDArray img = random(manager, 3, 1, 6, 8);
    NDArray expected = velocity(img, gridIds(1));
    img.setName("module_method:other");
    NDArray ids = gridIds(1);
    ids.setName("a.b");
    Arrays32.assertIdentical("velocity", velocity(img, ids), expected);
    assertThat(img.getName()).isEqualTo("module_method:other");
  }

  @Test
  void velocity_fromTwoThreads_equalsOneAfterTheOther() throws Exception {
    List<Callable<float[]>> calls = new ArrayList<>();
    List<float[]> expected = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      int seed = i;
      Callable<float[]> call =
          () -> {
            try (NDManager own = NDManager.newBaseManager(Device.cpu())) {
              int tokens = 1 + seed % 6;
              NDArray img = random(own, seed, 1, tokens, 8);
              return velocity(img, random(own, seed, 1, tokens, 3)).toFloatArray();
            }
          };
      calls.add(call);
      expected.add(call.call());
    }
    ExecutorService threads = Executors.newFixedThreadPool(2);
    try {
      List<Future<float[]>> results = threads.invokeAll(calls, 60, TimeUnit.SECONDS);
      for (int i = 0; i < calls.size(); i++) {
        assertThat(results.get(i).get()).isEqualTo(expected.get(i));
      }
    } finally {
      threads.shutdown();
    }
  }

  @Test
  void close_whileOtherThreadsRun_letsThemFinishOrRefusesThem() throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(2);
    CountDownLatch running = new CountDownLatch(2);
    try {
      List<Future<Integer>> runs = new ArrayList<>();
      for (int i = 0; i < 2; i++) {
        runs.add(
            threads.submit(
                () -> {
                  int done = 0;
                  try (NDManager own = NDManager.newBaseManager(Device.cpu())) {
                    while (true) {
                      velocity(random(own, 1, 1, 6, 8), random(own, 2, 1, 6, 3)).close();
                      if (done++ == 0) {
                        running.countDown();
                      }
                    }
                  } catch (IllegalStateException e) {
                    assertThat(e).hasMessage("the FLUX transformer is closed");
                    return done;
                  }
                }));
      }
      assertThat(running.await(60, TimeUnit.SECONDS)).isTrue();
      transformer.transformer.close();
      for (Future<Integer> run : runs) {
        assertThat(run.get(60, TimeUnit.SECONDS)).isPositive();
      }
    } finally {
      threads.shutdown();
    }
  }

  @Test
  void velocity_afterClose_saysSo() {
    NDArray img = random(manager, 1, 1, 6, 8);
    transformer.transformer.close();
    transformer.transformer.close();
    assertThatThrownBy(() -> velocity(img, gridIds(1)))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("the FLUX transformer is closed");
  }

  @Test
  void velocity_otherWidth_namesBothShapes() {
    assertThatThrownBy(() -> velocity(random(manager, 1, 1, 6, 9), gridIds(1)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("FLUX transformer: img must have shape (*, *, 8), got (1, 6, 9)");
  }

  @Test
  void velocity_idsOfOtherCount_namesBothShapes() {
    assertThatThrownBy(() -> velocity(random(manager, 1, 1, 5, 8), gridIds(1)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("FLUX transformer: imgIds must have shape (1, 5, 3), got (1, 6, 3)");
  }

  @Test
  void velocity_integerIds_namesBothTypes() {
    NDArray ids = gridIds(1).toType(DataType.INT64, false);
    assertThatThrownBy(() -> velocity(random(manager, 1, 1, 6, 8), ids))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("imgIds must be float32, got int64");
  }

  @Test
  void velocity_sigmaInThousands_isRefused() {
    NDArray img = random(manager, 1, 1, 6, 8);
    NDArray txt = random(manager, 1, 1, TEXT_TOKENS, 12);
    NDArray vec = random(manager, 2, 1, 10);
    assertThatThrownBy(() -> transformer.velocity(img, gridIds(1), txt, vec, 600, 3.5))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("sigma must lie in [0, 1], got 600.0");
  }

  @Test
  void velocity_halfPrecisionWeights_comeClose() throws IOException {
    NDArray img = random(manager, 3, 1, 6, 8);
    NDArray txt = random(manager, 1, 1, TEXT_TOKENS, 12);
    NDArray vec = random(manager, 2, 1, 10);
    // 1000 times these is exact in 8 bits
    double sigma = 0.5;
    double guidance = 4;
    NDArray expected = transformer.velocity(img, gridIds(1), txt, vec, sigma, guidance);
    for (DType dtype : List.of(DType.BF16, DType.F16)) {
      try (ModulatedFlux half = ModulatedFlux.small(folder, tensor -> dtype)) {
        NDArray found = half.velocity(img, gridIds(1), txt, vec, sigma, guidance);
        // 8 or 11 significant bits, cut off rather than rounded, through three blocks
        Arrays32.assertClose(dtype.name(), found, expected, dtype == DType.BF16 ? 0.2 : 0.03);
      }
    }
  }

  @Test
  void load_missingFile_namesIt() {
    Path missing = folder.resolve("nowhere.pt");
    assertThatThrownBy(() -> FluxTransformer.load(missing, Device.cpu(), SmallNetworks.FLUX))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("nowhere.pt is not a file");
  }

  @Test
  void load_otherFile_saysThatItIsNotTorchScript() throws IOException {
    Path file = Files.writeString(folder.resolve("text.pt"), "not an archive");
    assertThatThrownBy(() -> FluxTransformer.load(file, Device.cpu(), SmallNetworks.FLUX))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("text.pt is not a TorchScript file");
  }

  @Test
  void rows_ofSeveralSigmas_equalThoseOneByOne() {
    NDArray vec = random(manager, 2, 1, 10);
    double[] sigmas = {1, 0.7, 0.2};
    NDArray together = transformer.modulation().rows(vec, sigmas, 3.5);
    assertThat(together.getShape())
        .isEqualTo(new Shape(3, SmallNetworks.FLUX.modulationRows(), 16));
    for (int i = 0; i < sigmas.length; i++) {
      NDArray alone = transformer.modulation().rows(vec, new double[] {sigmas[i]}, 3.5);
      Arrays32.assertClose("sigma " + sigmas[i], together.get(i + ":" + (i + 1)), alone, REORDERED);
    }
  }

  @Test
  void velocity_withoutTheModulationThatItTakes_saysWhatToCall() {
    NDArray img = random(manager, 3, 1, 6, 8);
    NDArray txt = random(manager, 1, 1, TEXT_TOKENS, 12);
    NDArray vec = random(manager, 2, 1, 10);
    assertThat(transformer.transformer.takesModulation()).isTrue();
    assertThatThrownBy(() -> transformer.transformer.velocity(img, gridIds(1), txt, vec, 0.5, 3.5))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("FluxModulation");
  }

  @Test
  void velocity_modulationOfOtherSize_namesBothShapes() {
    NDArray img = random(manager, 3, 1, 6, 8);
    NDArray txt = random(manager, 1, 1, TEXT_TOKENS, 12);
    NDArray rows = manager.zeros(new Shape(1, 19, 16));
    assertThatThrownBy(() -> transformer.transformer.velocity(img, gridIds(1), txt, rows))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("FLUX transformer: modulation must have shape (1, 20, 16), got (1, 19, 16)");
  }

  private FluxTransformer foreign(String returned) throws IOException {
    Path file = Files.createTempFile(folder, "foreign", ".pt");
    SelfModulating.write(file, 2, returned);
    return FluxTransformer.load(file, Device.cpu(), SmallNetworks.FLUX);
  }

  @Test
  void velocity_moduleMadeElsewhere_isUsedInstead() throws IOException {
    NDArray img = random(manager, 3, 2, 6, 8);
    NDArray txt = random(manager, 1, 2, TEXT_TOKENS, 12);
    NDArray vec = random(manager, 2, 2, 10);
    try (FluxTransformer foreign =
        foreign("torch.add(torch.mul(torch.mul(img, sigma), self.gain), scale)")) {
      assertThat(foreign.takesModulation()).isFalse();
      NDArray found = foreign.velocity(img, gridIds(2), txt, vec, 0.5, 3.5);
      Arrays32.assertClose("velocity", found, img.add(3.5), 1e-6);
    }
  }

  @Test
  void velocity_moduleWithAnotherResult_namesBothShapes() throws IOException {
    NDArray img = random(manager, 3, 1, 6, 8);
    NDArray txt = random(manager, 1, 1, TEXT_TOKENS, 12);
    NDArray vec = random(manager, 2, 1, 10);
    try (FluxTransformer foreign = foreign("txt")) {
      assertThatThrownBy(() -> foreign.velocity(img, gridIds(1), txt, vec, 0.5, 3.5))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("must return FLOAT32 (1, 6, 8)")
          .hasMessageContaining("(1, 5, 12)");
    }
  }
}
