package io.jitflow.flux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.djl.Device;
import ai.djl.modality.cv.BufferedImageFactory;
import ai.djl.modality.cv.Image;
import ai.djl.modality.cv.ImageFactory;
import ai.djl.ndarray.NDArray;
import io.jitflow.core.CancellableListener;
import io.jitflow.core.EulerSampler;
import io.jitflow.core.Sampler;
import io.jitflow.core.SamplingRequest;
import io.jitflow.core.SamplingStep;
import io.jitflow.core.SigmaSchedule;
import io.jitflow.core.VelocityModel;
import io.jitflow.core.jit.JitSampler;
import io.jitflow.flux.FluxOptions.MemoryPolicy;
import io.jitflow.flux.bundle.BundleException;
import io.jitflow.flux.bundle.FluxBundle;
import io.jitflow.flux.bundle.SchedulerSettings;
import io.jitflow.flux.convert.FluxConverter;
import io.jitflow.flux.file.Verification;
import io.jitflow.flux.image.GeneratedImages;
import io.jitflow.flux.image.ImageRequest;
import io.jitflow.flux.network.SelfModulating;
import io.jitflow.flux.weights.FluxNetwork;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.DoubleStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FluxPipelineTest {
  private static final FluxOptions OPTIONS = FluxOptions.defaults().withDevice(Device.cpu());
  private static final Sampler SHORT = new EulerSampler(SigmaSchedule.linear(), 2);

  @TempDir static Path scratch;
  private static Path bundle;

  @BeforeAll
  static void convert() throws IOException {
    bundle = TinyBundle.dev(scratch);
  }

  private static ImageRequest request() {
    return ImageRequest.of("a small red cat").withSize(64, 96).withSeed(7).withSampler(SHORT);
  }

  private static int[] pixels(GeneratedImages images, int index) {
    BufferedImage image = (BufferedImage) images.images().get(index).getWrappedImage();
    return image.getRGB(0, 0, image.getWidth(), image.getHeight(), null, 0, image.getWidth());
  }

  @Test
  void generate_withAnyMemoryPolicy_givesTheSamePixels() throws IOException {
    ImageRequest other = request().withPrompt("a house");
    int[] resident;
    int[] residentOther;
    try (FluxPipeline pipeline = FluxPipeline.load(bundle, OPTIONS)) {
      resident = pixels(pipeline.generate(request()), 0);
      residentOther = pixels(pipeline.generate(other), 0);
    }
    for (MemoryPolicy memory : MemoryPolicy.values()) {
      try (FluxPipeline pipeline = FluxPipeline.load(bundle, OPTIONS.withMemory(memory))) {
        assertThat(pixels(pipeline.generate(request()), 0)).as(memory.name()).isEqualTo(resident);
        assertThat(pixels(pipeline.generate(other), 0)).isEqualTo(residentOther);
        assertThat(pipeline.memoryPlan().policy())
            .isEqualTo(memory == MemoryPolicy.AUTO ? MemoryPolicy.RESIDENT : memory);
      }
    }
    assertThat(resident).isNotEqualTo(residentOther);
  }

  @Test
  void generate_requestLeftOpen_isAnsweredWithEveryDefault() throws IOException {
    try (FluxPipeline pipeline = FluxPipeline.load(bundle, OPTIONS)) {
      ImageRequest open = ImageRequest.of("a cat").withSize(32, 32);
      ImageRequest answer = pipeline.generate(open).request();
      assertThat(answer.seed()).isPresent();
      assertThat(answer.textTokens()).hasValue(32);
      assertThat(answer.sampler()).hasValue(pipeline.standardSampler());
      assertThat(pipeline.standardSampler().steps()).isEqualTo(50);
    }
  }

  @Test
  void generate_severalImages_equalsThemOneByOne() throws IOException {
    try (FluxPipeline pipeline = FluxPipeline.load(bundle, OPTIONS)) {
      GeneratedImages both = pipeline.generate(request().withCount(2));
      assertThat(pixels(both, 0)).isEqualTo(pixels(pipeline.generate(request()), 0));
      assertThat(pixels(both, 1)).isEqualTo(pixels(pipeline.generate(request().withSeed(8)), 0));
    }
  }

  @Test
  void generate_fromItsOwnPng_givesTheSamePixels() throws IOException {
    Path png = scratch.resolve("jit.png");
    try (FluxPipeline pipeline = FluxPipeline.load(bundle, OPTIONS)) {
      GeneratedImages first =
          pipeline.generate(request().withSize(128, 128).withSampler(JitSampler.preset7x()));
      first.save(png);
      GeneratedImages again = pipeline.generate(ImageRequest.fromPng(png));
      assertThat(pixels(again, 0)).isEqualTo(pixels(first, 0));
      assertThat(again.request()).isEqualTo(first.request());
    }
  }

  @Test
  void generate_fromSeveralThreads_givesEachItsOwnImage() throws IOException {
    try (FluxPipeline pipeline = FluxPipeline.load(bundle, OPTIONS)) {
      List<int[]> alone = new ArrayList<>();
      for (int seed = 0; seed < 4; seed++) {
        alone.add(pixels(pipeline.generate(request().withSeed(seed)), 0));
      }
      List<CompletableFuture<int[]>> together = new ArrayList<>();
      for (int seed = 0; seed < 4; seed++) {
        ImageRequest request = request().withSeed(seed);
        together.add(CompletableFuture.supplyAsync(() -> pixels(pipeline.generate(request), 0)));
      }
      for (int seed = 0; seed < 4; seed++) {
        assertThat(together.get(seed).join()).isEqualTo(alone.get(seed));
      }
    }
  }

  @Test
  void generate_twoPipelinesAtOnce_doNotDisturbEachOther() throws IOException {
    try (FluxPipeline one = FluxPipeline.load(bundle, OPTIONS);
        FluxPipeline two = FluxPipeline.load(bundle, OPTIONS)) {
      int[] expected = pixels(one.generate(request()), 0);
      CompletableFuture<int[]> first =
          CompletableFuture.supplyAsync(() -> pixels(one.generate(request()), 0));
      CompletableFuture<int[]> second =
          CompletableFuture.supplyAsync(() -> pixels(two.generate(request()), 0));
      assertThat(first.join()).isEqualTo(expected);
      assertThat(second.join()).isEqualTo(expected);
    }
  }

  @Test
  void generate_withNegativePrompt_followsTrueClassifierFreeGuidance() throws IOException {
    try (FluxPipeline pipeline = FluxPipeline.load(bundle, OPTIONS)) {
      int[] plain = pixels(pipeline.generate(request()), 0);
      ImageRequest same = request().withNegativePrompt("a small red cat", 4);
      // v + 4 (v - v) = v, up to rounding
      assertThat(largestDifference(pixels(pipeline.generate(same), 0), plain)).isLessThan(2);
      ImageRequest other = request().withNegativePrompt("a house", 4);
      assertThat(largestDifference(pixels(pipeline.generate(other), 0), plain)).isGreaterThan(2);
    }
  }

  private static int largestDifference(int[] a, int[] b) {
    int largest = 0;
    for (int i = 0; i < a.length; i++) {
      for (int shift = 0; shift <= 16; shift += 8) {
        largest = Math.max(largest, Math.abs((a[i] >> shift & 0xff) - (b[i] >> shift & 0xff)));
      }
    }
    return largest;
  }

  @Test
  void generate_veryLongPrompt_tellsWhatWasCutOff() throws IOException {
    try (FluxPipeline pipeline = FluxPipeline.load(bundle, OPTIONS)) {
      GeneratedImages images = pipeline.generate(request().withPrompt("cat ".repeat(2500)));
      assertThat(images.remarks()).hasSize(2);
      assertThat(images.remarks().get(0)).contains("CLIP tokens").contains("cut off");
      assertThat(pipeline.generate(request().withPrompt("")).remarks()).isEmpty();
    }
  }

  @Test
  void generate_cancelledOrFailing_leavesNothingBehind() throws IOException {
    try (FluxPipeline pipeline = FluxPipeline.load(bundle, OPTIONS)) {
      pipeline.generate(request());
      int before = pipeline.manager().getManagedArrays().size();
      for (int i = 0; i < 20; i++) {
        CancellableListener cancelling = cancelAfterFirstStep();
        assertThatThrownBy(() -> pipeline.generate(request().withListener(cancelling)))
            .isInstanceOf(CancellationException.class);
        assertThatThrownBy(
                () ->
                    pipeline.generate(
                        request()
                            .withListener(
                                step -> {
                                  throw new IllegalArgumentException("from the listener");
                                })))
            .hasMessage("from the listener");
        pipeline.generate(request());
      }
      assertThat(pipeline.manager().getManagedArrays()).hasSize(before);
    }
  }

  /** Euler steps that do not tell their noise levels beforehand. */
  private record Unannounced(EulerSampler euler) implements Sampler {
    @Override
    public NDArray sample(VelocityModel model, SamplingRequest request) {
      return euler.sample(model, request);
    }

    @Override
    public int steps() {
      return euler.steps();
    }
  }

  @Test
  void generate_samplerOfUnknownSigmas_givesTheSamePicture() throws IOException {
    for (MemoryPolicy memory : MemoryPolicy.values()) {
      try (FluxPipeline pipeline = FluxPipeline.load(bundle, OPTIONS.withMemory(memory))) {
        int[] announced = pixels(pipeline.generate(request()), 0);
        Sampler unannounced = new Unannounced((EulerSampler) SHORT);
        int[] found = pixels(pipeline.generate(request().withSampler(unannounced)), 0);
        assertThat(largestDifference(found, announced)).as(memory.name()).isLessThan(2);
      }
    }
  }

  @Test
  void load_withoutTheModulation_namesTheFile() throws IOException {
    Path incomplete = copy("incomplete");
    Path modulation = incomplete.resolve(FluxBundle.MODULATION);
    Files.delete(modulation);
    assertThatThrownBy(() -> FluxPipeline.load(incomplete, OPTIONS))
        .isInstanceOf(BundleException.class)
        .hasMessageContaining(modulation.toString())
        .hasMessageContaining("convert the checkpoint again");
  }

  @Test
  void generate_transformerThatModulatesByItself_needsNoModulation() throws IOException {
    Path own = copy("own-module");
    Files.delete(own.resolve(FluxBundle.MODULATION));
    SelfModulating.write(
        own.resolve(FluxNetwork.TRANSFORMER.fileName()),
        0.5f,
        "torch.add(torch.mul(torch.mul(img, sigma), self.gain), pooled)");
    Path manifest = own.resolve(FluxBundle.MANIFEST);
    // as the first version of the library wrote it
    Files.writeString(
        manifest,
        Files.readString(manifest).replace("\"formatVersion\": 2", "\"formatVersion\": 1"));
    for (MemoryPolicy memory : MemoryPolicy.values()) {
      try (FluxPipeline pipeline = FluxPipeline.load(own, OPTIONS.withMemory(memory))) {
        assertThat(pipeline.generate(request().withNegativePrompt("a house", 4)).images())
            .hasSize(1);
      }
    }
  }

  private static Path copy(String name) throws IOException {
    Path copy = scratch.resolve(name);
    try (var files = Files.walk(bundle)) {
      for (Path file : files.toList()) {
        Files.copy(
            file,
            copy.resolve(bundle.relativize(file).toString()),
            StandardCopyOption.REPLACE_EXISTING);
      }
    }
    return copy;
  }

  private static CancellableListener cancelAfterFirstStep() {
    CancellableListener[] self = new CancellableListener[1];
    self[0] = new CancellableListener(step -> self[0].cancel());
    return self[0];
  }

  @Test
  void cache_ofPrompts_keepsAtMostItsCapacity() throws IOException {
    try (FluxPipeline pipeline = FluxPipeline.load(bundle, OPTIONS.withCachedPrompts(2))) {
      for (int i = 0; i < 5; i++) {
        pipeline.generate(request().withPrompt("prompt " + i));
      }
      // two embeddings; the modulation of two noise levels and the array that they are views of
      assertThat(pipeline.manager().getManagedArrays()).hasSize(2 * (2 + 3));
    }
  }

  @Test
  void close_whileGenerating_endsTheCallWithinOneStep() throws Exception {
    FluxPipeline pipeline = FluxPipeline.load(bundle, OPTIONS);
    CountDownLatch running = new CountDownLatch(1);
    CountDownLatch closing = new CountDownLatch(1);
    List<SamplingStep> steps = new ArrayList<>();
    CompletableFuture<GeneratedImages> call =
        CompletableFuture.supplyAsync(
            () ->
                pipeline.generate(
                    request()
                        .withSampler(new EulerSampler(SigmaSchedule.linear(), 50))
                        .withListener(
                            step -> {
                              steps.add(step);
                              running.countDown();
                              await(closing);
                            })));
    assertThat(running.await(60, TimeUnit.SECONDS)).isTrue();
    CompletableFuture<Void> close = CompletableFuture.runAsync(pipeline::close);
    while (!pipeline.isClosing()) {
      Thread.onSpinWait();
    }
    closing.countDown();
    assertThatThrownBy(call::join)
        .hasRootCauseInstanceOf(CancellationException.class)
        .hasRootCauseMessage("the pipeline was closed while it was generating");
    close.get(60, TimeUnit.SECONDS);
    assertThat(steps).hasSize(1);
    assertThatThrownBy(() -> pipeline.generate(request()))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("the pipeline is closed");
    pipeline.close();
  }

  private static void await(CountDownLatch latch) {
    try {
      assertThat(latch.await(60, TimeUnit.SECONDS)).as("reached").isTrue();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Test
  void close_fromTheListener_endsTheCall() throws IOException {
    FluxPipeline pipeline = FluxPipeline.load(bundle, OPTIONS);
    assertThatThrownBy(() -> pipeline.generate(request().withListener(step -> pipeline.close())))
        .isInstanceOf(CancellationException.class);
    assertThat(pipeline.manager().isOpen()).isFalse();
  }

  @Test
  void closeSoon_idleOrGenerating_freesEverythingWithoutWaiting() throws Exception {
    FluxPipeline idle = FluxPipeline.load(bundle, OPTIONS);
    idle.closeSoon();
    assertThat(idle.manager().isOpen()).isFalse();
    FluxPipeline busy = FluxPipeline.load(bundle, OPTIONS);
    CountDownLatch running = new CountDownLatch(1);
    CountDownLatch closed = new CountDownLatch(1);
    CompletableFuture<GeneratedImages> call = heldAtTheFirstStep(busy, running, closed);
    busy.closeSoon();
    assertThat(busy.manager().isOpen()).isTrue();
    closed.countDown();
    assertThatThrownBy(call::join).hasRootCauseInstanceOf(CancellationException.class);
    assertThat(busy.manager().isOpen()).isFalse();
  }

  private static CompletableFuture<GeneratedImages> heldAtTheFirstStep(
      FluxPipeline pipeline, CountDownLatch running, CountDownLatch released)
      throws InterruptedException {
    CompletableFuture<GeneratedImages> call =
        CompletableFuture.supplyAsync(
            () ->
                pipeline.generate(
                    request()
                        .withListener(
                            step -> {
                              running.countDown();
                              await(released);
                            })));
    assertThat(running.await(60, TimeUnit.SECONDS)).isTrue();
    return call;
  }

  @Test
  void close_whileACallerWaitsForItsTurn_cancelsIt() throws Exception {
    FluxPipeline pipeline = FluxPipeline.load(bundle, OPTIONS);
    CountDownLatch running = new CountDownLatch(1);
    CountDownLatch closed = new CountDownLatch(1);
    CompletableFuture<GeneratedImages> drawn = heldAtTheFirstStep(pipeline, running, closed);
    CompletableFuture<RuntimeException> thrown = new CompletableFuture<>();
    Thread waiter =
        new Thread(
            () -> {
              try {
                pipeline.generate(request());
              } catch (RuntimeException e) {
                thrown.complete(e);
              }
            });
    waiter.start();
    while (waiter.isAlive() && waiter.getState() != Thread.State.WAITING) {
      Thread.onSpinWait();
    }
    pipeline.closeSoon();
    closed.countDown();
    assertThat(thrown.get(60, TimeUnit.SECONDS))
        .isInstanceOf(CancellationException.class)
        .hasMessage("the pipeline was closed while it was generating");
    assertThatThrownBy(drawn::join).hasRootCauseInstanceOf(CancellationException.class);
  }

  @Test
  void generate_interruptedWhileANetworkIsRead_isCancelled() throws IOException {
    PipelineListener interrupting =
        activity -> {
          if (activity.phase() == PipelineListener.Phase.LOAD
              && activity.item().equals(FluxNetwork.TEXT_ENCODER.key())) {
            Thread.currentThread().interrupt();
          }
        };
    FluxOptions options = OPTIONS.withMemory(MemoryPolicy.SEQUENTIAL);
    try (FluxPipeline pipeline = FluxPipeline.load(bundle, options, interrupting)) {
      assertThatThrownBy(() -> pipeline.generate(request()))
          .isInstanceOf(CancellationException.class)
          .hasMessage("interrupted while generating");
      assertThat(Thread.interrupted()).isTrue();
    }
  }

  @Test
  void generate_cancelledBeforeItsTurn_doesNothing() throws IOException {
    List<PipelineListener.Phase> phases = new ArrayList<>();
    try (FluxPipeline pipeline =
        FluxPipeline.load(bundle, OPTIONS, activity -> phases.add(activity.phase()))) {
      phases.clear();
      CancellableListener cancelled = new CancellableListener();
      cancelled.cancel();
      assertThatThrownBy(() -> pipeline.generate(request().withListener(cancelled)))
          .isInstanceOf(CancellationException.class)
          .hasMessage("the request was cancelled");
      assertThat(phases).isEmpty();
      pipeline.generate(request());
    }
  }

  @Test
  void generate_cancelledWhileOnePhaseLasts_beginsNoOther() throws IOException {
    // a prompt is encoded; CLIP, T5 and the transformer are loaded; the sampler runs
    for (int last = 1; last <= 5; last++) {
      int length = last;
      List<PipelineListener.Phase> phases = new ArrayList<>();
      boolean[] loaded = new boolean[1];
      CancellableListener cancelling = new CancellableListener();
      PipelineListener listener =
          activity -> {
            phases.add(activity.phase());
            if (loaded[0] && phases.size() == length) {
              cancelling.cancel();
            }
          };
      FluxOptions options = OPTIONS.withMemory(MemoryPolicy.SEQUENTIAL);
      try (FluxPipeline pipeline = FluxPipeline.load(bundle, options, listener)) {
        phases.clear();
        loaded[0] = true;
        assertThatThrownBy(() -> pipeline.generate(request().withListener(cancelling)))
            .isInstanceOf(CancellationException.class);
        assertThat(phases).hasSize(length);
      }
    }
  }

  @Test
  void close_whileANetworkIsLoaded_endsTheCallBeforeTheNext() throws IOException {
    List<String> loaded = new ArrayList<>();
    FluxPipeline[] self = new FluxPipeline[1];
    PipelineListener closing =
        activity -> {
          if (activity.phase() == PipelineListener.Phase.LOAD && self[0] != null) {
            loaded.add(activity.item());
            self[0].close();
          }
        };
    FluxOptions options = OPTIONS.withMemory(MemoryPolicy.SEQUENTIAL);
    try (FluxPipeline pipeline = FluxPipeline.load(bundle, options, closing)) {
      self[0] = pipeline;
      assertThatThrownBy(() -> pipeline.generate(request()))
          .isInstanceOf(CancellationException.class)
          .hasMessage("the pipeline was closed while it was generating");
      assertThat(loaded).containsExactly(FluxNetwork.TEXT_ENCODER.key());
    }
  }

  @Test
  void generate_requestThatCannotBeServed_isRefusedWithoutWaiting() throws Exception {
    try (FluxPipeline pipeline = FluxPipeline.load(bundle, OPTIONS)) {
      CountDownLatch running = new CountDownLatch(1);
      CountDownLatch released = new CountDownLatch(1);
      CompletableFuture<GeneratedImages> drawn = heldAtTheFirstStep(pipeline, running, released);
      ImageRequest tiny = request().withSize(16, 16).withSampler(JitSampler.preset7x());
      CompletableFuture<Void> refused = CompletableFuture.runAsync(() -> pipeline.generate(tiny));
      assertThatThrownBy(() -> refused.get(60, TimeUnit.SECONDS))
          .hasCauseInstanceOf(IllegalArgumentException.class);
      assertThat(drawn).isNotDone();
      released.countDown();
      drawn.get(60, TimeUnit.SECONDS);
    }
  }

  @Test
  void check_samplerThatStartsFromNoiseOnly_isRefusedForTwoPasses() throws IOException {
    try (FluxPipeline pipeline = FluxPipeline.load(bundle, OPTIONS)) {
      ImageRequest twice =
          request().withSampler(new Unannounced((EulerSampler) SHORT)).withSecondPass(0.5);
      assertThatThrownBy(() -> pipeline.check(twice))
          .isInstanceOf(UnsupportedOperationException.class)
          .hasMessageContaining("starts from noise only");
      pipeline.check(request());
    }
  }

  @Test
  void cache_ofFiftyStepsWithANegativePrompt_servesTheSameRequestAgain() throws IOException {
    List<PipelineListener.Phase> phases = new ArrayList<>();
    ImageRequest request =
        request()
            .withSize(32, 32)
            .withNegativePrompt("a house", 4)
            .withSampler(new EulerSampler(SigmaSchedule.linear(), 50));
    FluxOptions options = OPTIONS.withMemory(MemoryPolicy.SEQUENTIAL);
    try (FluxPipeline pipeline =
        FluxPipeline.load(bundle, options, activity -> phases.add(activity.phase()))) {
      pipeline.generate(request);
      phases.clear();
      pipeline.generate(request.withSeed(8));
      assertThat(phases)
          .containsExactly(PipelineListener.Phase.DENOISE, PipelineListener.Phase.DECODE);
      pipeline.generate(request.withPrompt("a tree"));
      // three embeddings; of three modulations of 50 noise levels two, each with its own array
      assertThat(pipeline.manager().getManagedArrays()).hasSize(3 * 2 + 2 * (50 + 1));
    }
  }

  @Test
  void load_gpuThatIsNotThere_saysWhatIs() {
    FluxOptions options = OPTIONS.withDevice(Device.gpu(999));
    assertThatThrownBy(() -> FluxPipeline.load(bundle, options))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("PyTorch finds ")
        .hasMessageContaining(", and no gpu(999)");
    assertThatThrownBy(() -> FluxPipeline.check(bundle, options, request()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("PyTorch finds ");
  }

  @Test
  void cache_whenTheModulationFails_keepsNoEmptyOne() throws IOException {
    Path damaged = copy("damaged-modulation");
    Path modulation = damaged.resolve(FluxBundle.MODULATION);
    Path aside = scratch.resolve("modulation-aside.pt");
    FluxOptions options = OPTIONS.withMemory(MemoryPolicy.SEQUENTIAL);
    try (FluxPipeline pipeline = FluxPipeline.load(damaged, options)) {
      Files.move(modulation, aside);
      Files.writeString(modulation, "no archive");
      assertThatThrownBy(() -> pipeline.generate(request()))
          .isInstanceOf(UncheckedIOException.class);
      Files.move(aside, modulation, StandardCopyOption.REPLACE_EXISTING);
      pipeline.generate(request());
      // an embedding; two noise levels and the array that they are views of, evaluated together
      assertThat(pipeline.manager().getManagedArrays()).hasSize(2 + 3);
    }
  }

  @Test
  void generate_whereDjlMakesOtherImages_givesBufferedImages() throws IOException {
    ImageFactory usual = ImageFactory.getInstance();
    ImageFactory.setImageFactory(
        new BufferedImageFactory() {
          @Override
          public Image fromImage(Object image) {
            throw new ClassCastException("as OpenCV's says to a BufferedImage");
          }
        });
    try (FluxPipeline pipeline = FluxPipeline.load(bundle, OPTIONS)) {
      assertThat(pixels(pipeline.generate(request()), 0)).hasSize(64 * 96);
    } finally {
      ImageFactory.setImageFactory(usual);
    }
  }

  @Test
  void generate_fromItsOwnListener_isRefused() throws IOException {
    try (FluxPipeline pipeline = FluxPipeline.load(bundle, OPTIONS)) {
      assertThatThrownBy(
              () -> pipeline.generate(request().withListener(step -> pipeline.generate(request()))))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("listener");
    }
  }

  @Test
  void load_damagedNetwork_namesTheFile() throws IOException {
    Path damaged = copy("damaged");
    Path network = damaged.resolve(FluxNetwork.TEXT_ENCODER_2.fileName());
    byte[] content = Files.readAllBytes(network);
    Files.write(network, java.util.Arrays.copyOf(content, content.length / 2));
    assertThatThrownBy(() -> FluxPipeline.load(damaged, OPTIONS))
        .isInstanceOf(IOException.class)
        .hasMessageContaining(network.toString());
    Files.delete(network);
    assertThatThrownBy(() -> FluxPipeline.load(damaged, OPTIONS))
        .isInstanceOf(BundleException.class)
        .hasMessageContaining(network.toString());
  }

  @Test
  void schedule_ofAConstantShift_isTheReferenceFormula() throws IOException {
    double shift = 3;
    Path shifted = copy("shifted");
    FluxBundle dev = FluxBundle.read(shifted);
    new FluxBundle(
            shifted,
            dev.libraryVersion(),
            dev.transformer(),
            dev.textEncoder(),
            dev.textEncoder2(),
            dev.vaeDecoder(),
            dev.dtypes(),
            dev.clipTokens(),
            dev.t5Tokens(),
            new SchedulerSettings(false, shift, 0.5, 1.15, 256, 4096),
            dev.sources(),
            dev.adapters())
        .writeManifest();
    try (FluxPipeline pipeline = FluxPipeline.load(shifted, OPTIONS)) {
      assertThat(pipeline.standardSampler().steps()).isEqualTo(4);
      double[] sigmas = pipeline.schedule().sigmas(4, 1024);
      for (int i = 0; i < 4; i++) {
        double s = 1 - i / 4.0;
        assertThat(sigmas[i])
            .isCloseTo(
                shift * s / (1 + (shift - 1) * s), org.assertj.core.data.Offset.offset(1e-6));
      }
      List<Double> drawn = new ArrayList<>();
      pipeline.generate(
          ImageRequest.of("a small red cat")
              .withSize(64, 96)
              .withListener(step -> drawn.add(step.sigma())));
      assertThat(drawn)
          .containsExactly(DoubleStream.of(sigmas).limit(4).boxed().toArray(Double[]::new));
    }
  }

  @Test
  void sequentialMemory_neverHoldsEncodersAndTransformerTogether() throws IOException {
    List<Set<FluxNetwork>> whileDenoising = new ArrayList<>();
    List<Set<FluxNetwork>> whileEncoding = new ArrayList<>();
    FluxPipeline[] self = new FluxPipeline[1];
    PipelineListener listener =
        activity -> {
          if (activity.phase() == PipelineListener.Phase.DENOISE) {
            whileDenoising.add(self[0].networksInMemory());
          }
        };
    FluxOptions options = OPTIONS.withMemory(MemoryPolicy.SEQUENTIAL).withCachedPrompts(0);
    try (FluxPipeline pipeline =
        FluxPipeline.load(
            bundle,
            options,
            activity -> {
              listener.onActivity(activity);
              boolean loadsT5 =
                  activity.phase() == PipelineListener.Phase.LOAD
                      && activity.item().equals(FluxNetwork.TEXT_ENCODER_2.key());
              if (loadsT5) {
                whileEncoding.add(self[0].networksInMemory());
              }
            })) {
      self[0] = pipeline;
      assertThat(pipeline.networksInMemory()).containsExactly(FluxNetwork.VAE_DECODER);
      pipeline.generate(request());
      pipeline.generate(request().withPrompt("a house"));
    }
    assertThat(whileDenoising)
        .hasSize(2)
        .allSatisfy(
            networks ->
                assertThat(networks)
                    .containsExactlyInAnyOrder(FluxNetwork.TRANSFORMER, FluxNetwork.VAE_DECODER));
    assertThat(whileEncoding)
        .hasSize(2)
        .allSatisfy(networks -> assertThat(networks).doesNotContain(FluxNetwork.TRANSFORMER));
  }

  @Test
  void load_fileWithOneBitChanged_isRefusedAndNamed() throws IOException {
    Path damaged = copy("one-bit");
    Path network = damaged.resolve(FluxNetwork.TRANSFORMER.fileName());
    byte[] content = Files.readAllBytes(network);
    content[content.length * 3 / 4] ^= 1;
    Files.write(network, content);
    assertThatThrownBy(() -> FluxPipeline.load(damaged, OPTIONS))
        .isInstanceOf(BundleException.class)
        .hasMessageContaining(network + ": expected content with CRC-32C")
        .hasMessageContaining("convert the checkpoint again");
    FluxOptions unverified = OPTIONS.withVerification(Verification.NONE);
    FluxPipeline.load(damaged, unverified).close();
    FluxConverter.acceptFiles(damaged); // as after putting an own module there
    FluxPipeline.load(damaged, OPTIONS).close();
  }

  @Test
  void load_tokenizerFileChanged_isRefused() throws IOException {
    Path damaged = copy("tokenizer");
    Path config = damaged.resolve("tokenizer/tokenizer_config.json");
    Files.writeString(config, Files.readString(config) + " ");
    assertThatThrownBy(() -> FluxPipeline.load(damaged, OPTIONS))
        .isInstanceOf(BundleException.class)
        .hasMessageContaining(config.toString());
  }

  @Test
  void load_verifiedInFull_comparesSha256Too() throws IOException {
    Path bundle = copy("full");
    Path manifest = bundle.resolve(FluxBundle.MANIFEST);
    String recorded = Files.readString(manifest);
    int files = recorded.indexOf("\"files\"");
    int hash = recorded.indexOf("\"sha256\": \"", files) + "\"sha256\": \"".length();
    char other = recorded.charAt(hash) == '0' ? '1' : '0';
    Files.writeString(manifest, recorded.substring(0, hash) + other + recorded.substring(hash + 1));
    FluxPipeline.load(bundle, OPTIONS).close();
    assertThatThrownBy(() -> FluxPipeline.load(bundle, OPTIONS.withVerification(Verification.FULL)))
        .isInstanceOf(BundleException.class)
        .hasMessageContaining("expected content with SHA-256");
  }

  @Test
  void listener_isToldOfEveryPhaseInOrder() throws IOException {
    List<String> told = new ArrayList<>();
    try (FluxPipeline pipeline =
        FluxPipeline.load(
            bundle, OPTIONS, activity -> told.add(activity.phase() + " " + activity.item()))) {
      told.removeIf(line -> line.startsWith("VERIFY"));
      assertThat(told)
          .containsSubsequence("LOAD text_encoder", "LOAD text_encoder_2", "LOAD transformer");
      told.clear();
      pipeline.generate(request().withCount(2));
      assertThat(told)
          .containsExactly(
              "ENCODE a small red cat", "DENOISE 1", "DECODE 1", "DENOISE 2", "DECODE 2");
    }
  }

  @Test
  void cache_whenTheNegativePromptFails_doesNotGrow() throws IOException {
    PipelineListener failing =
        activity -> {
          if (activity.item().startsWith("bad")) {
            throw new IllegalArgumentException("from the listener");
          }
        };
    try (FluxPipeline pipeline = FluxPipeline.load(bundle, OPTIONS.withCachedPrompts(1), failing)) {
      for (int i = 0; i < 5; i++) {
        ImageRequest request =
            request().withPrompt("prompt " + i).withNegativePrompt("bad " + i, 4);
        assertThatThrownBy(() -> pipeline.generate(request)).hasMessage("from the listener");
      }
      assertThat(pipeline.manager().getManagedArrays()).hasSize(2);
    }
  }

  @Test
  void generate_largerThanTheDecodersTile_isDecodedInTiles() throws IOException {
    ImageRequest wide = request().withSize(256, 128);
    int[] whole;
    int[] tiled;
    try (FluxPipeline pipeline = FluxPipeline.load(bundle, OPTIONS)) {
      whole = pixels(pipeline.generate(wide), 0);
    }
    try (FluxPipeline pipeline = FluxPipeline.load(bundle, OPTIONS.withDecodeTilePx(128))) {
      tiled = pixels(pipeline.generate(wide), 0);
    }
    assertThat(tiled).hasSameSizeAs(whole).isNotEqualTo(whole);
    // the norms see a tile instead of the image; another image altogether would differ by 60
    assertThat(meanDifference(tiled, whole)).isLessThan(20);
  }

  private static double meanDifference(int[] a, int[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      for (int shift = 0; shift <= 16; shift += 8) {
        sum += Math.abs((a[i] >> shift & 0xff) - (b[i] >> shift & 0xff));
      }
    }
    return sum / (3 * a.length);
  }

  @Test
  void memory_thatIsNotThere_isToldWithNumbers() throws IOException {
    FluxBundle description = FluxBundle.read(bundle);
    ImageRequest large = request().withSize(4096, 4096);
    assertThatThrownBy(
            () -> FluxPipeline.requireRoom(description, OPTIONS, large, 1_000_000, Long.MAX_VALUE))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("4096 x 4096 px takes about")
        .hasMessageContaining("make it smaller");
    assertThatThrownBy(
            () -> FluxPipeline.requireRoom(description, OPTIONS, large, Long.MAX_VALUE, 1_000_000))
        .hasMessageContaining("start with java -Xmx");
    ImageRequest many = request().withSize(64, 64).withCount(1000);
    assertThatThrownBy(
            () -> FluxPipeline.requireRoom(description, OPTIONS, many, Long.MAX_VALUE, 10_000_000))
        .hasMessageContaining("1000 images of 64 x 64 px take 0.0 GB of Java's heap")
        .hasMessageContaining("draw fewer at a time");
    FluxPipeline.requireRoom(description, OPTIONS, many.withCount(1), Long.MAX_VALUE, 10_000_000);
    FluxPipeline.requireRoom(description, OPTIONS, large, 1L << 50, 1L << 40);
  }

  @Test
  void memory_ofAnOpenPolicy_isCountedWithTheSmallestTile() throws IOException {
    FluxBundle description = FluxBundle.read(bundle);
    ImageRequest square = request().withSize(1024, 1024);
    long needed =
        new MemoryEstimate(
                description, ArithmeticChoice.widest(description), Device.cpu(), false, 0)
            .bytes(MemoryPolicy.STREAMED, MemoryEstimate.Size.of(description, square), 512);
    FluxPipeline.requireRoom(description, OPTIONS, square, needed, Long.MAX_VALUE);
    FluxOptions fixed = OPTIONS.withMemory(MemoryPolicy.STREAMED);
    assertThatThrownBy(
            () -> FluxPipeline.requireRoom(description, fixed, square, needed, Long.MAX_VALUE))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("make it smaller");
  }

  @Test
  void memoryPlan_moreTextTokensThanTheBundles_isMadeAnew() throws IOException {
    assumeTrue(
        MemoryPlan.freeBytes(Device.cpu(), MemoryPolicy.AUTO).orElse(0) > 2_000_000_000L,
        "tiles of 1024 px need 1.6 GB");
    try (FluxPipeline pipeline = FluxPipeline.load(bundle, OPTIONS)) {
      ImageRequest square = request().withSize(1024, 1024);
      MemoryPlan kept = pipeline.memoryPlan(square); // with the tile that was chosen at loading
      MemoryPlan anew = pipeline.memoryPlan(square.withTextTokens(64)); // with the smallest
      assertThat(kept.decodeTilePx()).isEqualTo(1024);
      assertThat(anew.needed().get(MemoryPolicy.RESIDENT))
          .isLessThan(kept.needed().get(MemoryPolicy.RESIDENT));
    }
  }

  @Test
  void generate_sizeThatTheSamplerCannotServe_isRefusedBeforeAnythingIsEncoded()
      throws IOException {
    List<PipelineListener.Phase> phases = new ArrayList<>();
    try (FluxPipeline pipeline =
        FluxPipeline.load(bundle, OPTIONS, activity -> phases.add(activity.phase()))) {
      phases.clear();
      ImageRequest tiny = request().withSize(16, 16).withSampler(JitSampler.preset7x());
      assertThatThrownBy(() -> pipeline.generate(tiny))
          .isInstanceOf(IllegalArgumentException.class);
      assertThat(phases).isEmpty();
    }
  }

  @Test
  void options_outOfRange_sayWhatIsExpected() {
    assertThatThrownBy(() -> OPTIONS.withCachedPrompts(-1))
        .hasMessageContaining("at least 0, got -1");
    assertThatThrownBy(() -> OPTIONS.withDecodeTilePx(100))
        .hasMessageContaining("multiple of 16 from 128 on, got 100");
  }
}
