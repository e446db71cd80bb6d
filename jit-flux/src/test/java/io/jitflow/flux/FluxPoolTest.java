package io.jitflow.flux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Device;
import ai.djl.engine.EngineException;
import ai.djl.ndarray.NDArray;
import io.jitflow.core.CancellableListener;
import io.jitflow.core.EulerSampler;
import io.jitflow.core.Sampler;
import io.jitflow.core.SamplingListener;
import io.jitflow.core.SamplingRequest;
import io.jitflow.core.SigmaSchedule;
import io.jitflow.core.VelocityModel;
import io.jitflow.core.jit.JitSampler;
import io.jitflow.core.token.TokenGrid;
import io.jitflow.flux.bundle.BundleException;
import io.jitflow.flux.image.GeneratedImages;
import io.jitflow.flux.image.ImageRequest;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class FluxPoolTest {
  private static final FluxOptions CPU = FluxOptions.defaults().withDevice(Device.cpu());

  @TempDir static Path scratch;
  private static Path bundle;

  @BeforeAll
  static void convert() throws IOException {
    bundle = TinyBundle.dev(scratch);
  }

  private static ImageRequest request(long seed) {
    return ImageRequest.of("a small red cat")
        .withSize(64, 64)
        .withSeed(seed)
        .withSampler(new EulerSampler(SigmaSchedule.linear(), 2));
  }

  private static int[] pixels(GeneratedImages images) {
    BufferedImage image = (BufferedImage) images.images().get(0).getWrappedImage();
    return image.getRGB(0, 0, image.getWidth(), image.getHeight(), null, 0, image.getWidth());
  }

  /** Holds a run at its first step, so that a test decides what waits behind it. */
  private static final class Gate implements SamplingListener {
    private final CountDownLatch reached = new CountDownLatch(1);
    private final CountDownLatch opened = new CountDownLatch(1);

    @Override
    public void onStep(io.jitflow.core.SamplingStep step) {
      reached.countDown();
      awaitUninterrupted(opened);
    }

    /** Has a request drawn up to its first step. */
    CompletableFuture<GeneratedImages> hold(FluxPool pool, long seed) throws InterruptedException {
      CompletableFuture<GeneratedImages> held =
          pool.generateAsync(request(seed).withListener(this));
      awaitReached();
      return held;
    }

    void awaitReached() throws InterruptedException {
      assertThat(reached.await(60, TimeUnit.SECONDS)).isTrue();
    }

    void open() {
      opened.countDown();
    }
  }

  @Test
  void generate_byOneOrSeveralPipelines_givesThePixelsOfAPlainPipeline() throws Exception {
    List<int[]> expected = new ArrayList<>();
    try (FluxPipeline pipeline = FluxPipeline.load(bundle, CPU)) {
      for (int seed = 0; seed < 6; seed++) {
        expected.add(pixels(pipeline.generate(request(seed))));
      }
    }
    try (FluxPool pool = FluxPool.load(bundle, List.of(CPU, CPU), 6)) {
      assertThat(pool.size()).isEqualTo(2);
      List<CompletableFuture<GeneratedImages>> answers = new ArrayList<>();
      for (int seed = 0; seed < 6; seed++) {
        answers.add(pool.generateAsync(request(seed)));
      }
      for (int seed = 0; seed < 6; seed++) {
        assertThat(pixels(answers.get(seed).get())).isEqualTo(expected.get(seed));
      }
      assertThat(pixels(pool.generate(request(3)))).isEqualTo(expected.get(3));
    }
  }

  @Test
  void generateAsync_twoPipelines_drawTwoAtOnce() throws Exception {
    try (FluxPool pool = FluxPool.load(bundle, List.of(CPU, CPU), 0)) {
      Gate first = new Gate();
      Gate second = new Gate();
      CompletableFuture<GeneratedImages> one = pool.generateAsync(request(1).withListener(first));
      CompletableFuture<GeneratedImages> two = pool.generateAsync(request(2).withListener(second));
      first.awaitReached();
      second.awaitReached();
      assertThat(pool.running()).isEqualTo(2);
      first.open();
      second.open();
      CompletableFuture.allOf(one, two).get();
      assertThat(pool.running()).isZero();
    }
  }

  @Test
  void generateAsync_manyWaiting_servesThemInTheOrderOfTheirArrival() throws Exception {
    try (FluxPool pool = FluxPool.load(bundle, List.of(CPU), 5)) {
      Gate gate = new Gate();
      List<CompletableFuture<?>> answers = new ArrayList<>();
      answers.add(pool.generateAsync(request(0).withListener(gate)));
      gate.awaitReached();
      List<Integer> served = Collections.synchronizedList(new ArrayList<>());
      for (int i = 1; i <= 5; i++) {
        int number = i;
        answers.add(
            pool.generateAsync(
                request(i)
                    .withListener(
                        step -> {
                          if (step.step() == 0) {
                            served.add(number);
                          }
                        })));
      }
      assertThat(pool.waiting()).isEqualTo(5);
      gate.open();
      CompletableFuture.allOf(answers.toArray(CompletableFuture[]::new)).get();
      assertThat(served).containsExactly(1, 2, 3, 4, 5);
    }
  }

  @Test
  void generateAsync_fullQueue_refusesAndTakesAgainOnceThereIsRoom() throws Exception {
    try (FluxPool pool = FluxPool.load(bundle, List.of(CPU), 1)) {
      Gate gate = new Gate();
      CompletableFuture<GeneratedImages> drawn = gate.hold(pool, 0);
      CompletableFuture<GeneratedImages> waiting = pool.generateAsync(request(1));
      assertThatThrownBy(() -> pool.generateAsync(request(2)))
          .isInstanceOf(RejectedExecutionException.class)
          .hasMessageContaining("1 images are being drawn and 1 requests wait, of at most 1");
      assertThatThrownBy(() -> pool.generate(request(2)))
          .isInstanceOf(RejectedExecutionException.class);
      assertThat(waiting.cancel(false)).isTrue();
      assertThat(pool.waiting()).isZero();
      CompletableFuture<GeneratedImages> next = pool.generateAsync(request(3));
      gate.open();
      drawn.get();
      next.get();
      for (int i = 0; i < 3; i++) {
        pool.generate(request(i)); // no seat was lost
      }
    }
  }

  @Test
  void generateAsync_withoutALimit_refusesNothing() throws Exception {
    try (FluxPool pool = FluxPool.load(bundle, List.of(CPU), Integer.MAX_VALUE)) {
      pool.generateAsync(request(1)).get();
    }
  }

  @Test
  void generate_manyThreadsWithCancelsInterruptsAndTimeOuts_losesNoSeat() throws Exception {
    List<int[]> expected = new ArrayList<>();
    int threads = 6;
    int each = 12;
    try (FluxPool pool = FluxPool.load(bundle, List.of(CPU, CPU), threads)) {
      for (int seed = 0; seed < 3; seed++) {
        expected.add(pixels(pool.generate(request(seed))));
      }
      AtomicInteger drawn = new AtomicInteger();
      List<CompletableFuture<Void>> callers = new ArrayList<>();
      for (int t = 0; t < threads; t++) {
        Random random = new Random(t);
        callers.add(
            CompletableFuture.runAsync(
                () -> {
                  for (int i = 0; i < each; i++) {
                    int seed = random.nextInt(3);
                    switch (random.nextInt(4)) {
                      case 0 -> pool.generateAsync(request(seed)).cancel(false);
                      case 1 -> {
                        Thread.currentThread().interrupt();
                        try {
                          pool.generate(request(seed)); // where the answer is faster
                        } catch (CancellationException e) {
                          assertThat(e).hasMessageContaining("interrupted");
                        }
                        assertThat(Thread.interrupted()).isTrue();
                      }
                      case 2 -> {
                        CompletableFuture<GeneratedImages> answer =
                            pool.generateAsync(request(seed))
                                .orTimeout(random.nextInt(5), TimeUnit.MILLISECONDS);
                        try {
                          answer.join();
                        } catch (CompletionException e) {
                          assertThat(e).hasCauseInstanceOf(TimeoutException.class);
                        }
                      }
                      default -> {
                        assertThat(pixels(pool.generate(request(seed))))
                            .isEqualTo(expected.get(seed));
                        drawn.incrementAndGet();
                      }
                    }
                  }
                },
                work -> new Thread(work).start()));
      }
      CompletableFuture.allOf(callers.toArray(CompletableFuture[]::new)).get();
      assertThat(drawn.get()).isBetween(1, threads * each - 1);
      // every seat is free again: two pipelines draw, as many wait as may, and no more
      List<Gate> gates = List.of(new Gate(), new Gate());
      List<CompletableFuture<?>> answers = new ArrayList<>();
      for (Gate gate : gates) {
        answers.add(pool.generateAsync(request(0).withListener(gate)));
      }
      for (Gate gate : gates) {
        gate.awaitReached();
      }
      for (int i = 0; i < threads; i++) {
        answers.add(pool.generateAsync(request(1)));
      }
      assertThat(pool.running()).isEqualTo(2);
      assertThat(pool.waiting()).isEqualTo(threads);
      assertThatThrownBy(() -> pool.generateAsync(request(2)))
          .isInstanceOf(RejectedExecutionException.class);
      gates.forEach(Gate::open);
      CompletableFuture.allOf(answers.toArray(CompletableFuture[]::new)).get();
    }
  }

  @Test
  void generateAsync_cancelledWhileDrawn_endsWithinAStep() throws Exception {
    try (FluxPool pool = FluxPool.load(bundle, CPU)) {
      AtomicInteger steps = new AtomicInteger();
      Gate gate = new Gate();
      CompletableFuture<GeneratedImages> answer =
          pool.generateAsync(
              request(0)
                  .withSampler(new EulerSampler(SigmaSchedule.linear(), 50))
                  .withListener(
                      step -> {
                        steps.incrementAndGet();
                        gate.onStep(step);
                      }));
      gate.awaitReached();
      answer.cancel(false);
      gate.open();
      pool.generate(request(1)); // waits for the end of the cancelled run
      assertThat(steps).hasValue(1);
      assertThat(answer).isCancelled();
    }
  }

  @Test
  void generateAsync_timedOut_endsTheRun() throws Exception {
    try (FluxPool pool = FluxPool.load(bundle, CPU)) {
      AtomicInteger steps = new AtomicInteger();
      CompletableFuture<GeneratedImages> answer =
          pool.generateAsync(
                  request(0)
                      .withSampler(new EulerSampler(SigmaSchedule.linear(), 10_000))
                      .withListener(step -> steps.incrementAndGet()))
              .orTimeout(200, TimeUnit.MILLISECONDS);
      assertThatThrownBy(answer::get).hasCauseInstanceOf(TimeoutException.class);
      pool.generate(request(1));
      assertThat(steps.get()).isLessThan(10_000);
    }
  }

  @Test
  void generate_threadInterruptedWhileWaiting_leavesTheQueue() throws Exception {
    try (FluxPool pool = FluxPool.load(bundle, CPU);
        FluxPipeline pipeline = FluxPipeline.load(bundle, CPU)) {
      interruptBehind(gate -> pool.generate(request(0).withListener(gate)), pool::generate);
      assertThat(pool.waiting()).isZero();
      interruptBehind(gate -> pipeline.generate(request(0).withListener(gate)), pipeline::generate);
    }
  }

  /** Starts one call, interrupts another that waits behind it, and lets the first one end. */
  private static void interruptBehind(
      java.util.function.Consumer<Gate> first, java.util.function.Consumer<ImageRequest> second)
      throws Exception {
    Gate gate = new Gate();
    CompletableFuture<Void> running = CompletableFuture.runAsync(() -> first.accept(gate));
    gate.awaitReached();
    AtomicReference<Throwable> thrown = new AtomicReference<>();
    AtomicInteger interrupted = new AtomicInteger();
    Thread waiter =
        new Thread(
            () -> {
              try {
                second.accept(request(1));
              } catch (CancellationException e) {
                thrown.set(e);
                interrupted.set(Thread.currentThread().isInterrupted() ? 1 : 0);
              }
            });
    waiter.start();
    while (waiter.isAlive() && waiter.getState() != Thread.State.WAITING) {
      Thread.onSpinWait();
    }
    waiter.interrupt();
    waiter.join(30_000);
    assertThat(thrown.get())
        .isInstanceOf(CancellationException.class)
        .hasMessageContaining("interrupted");
    assertThat(interrupted).hasValue(1);
    assertThat(running).isNotDone();
    gate.open();
    running.get(60, TimeUnit.SECONDS);
  }

  @Test
  void generate_pipelineThreadInterruptedWhileDrawing_endsWithinAStep() throws IOException {
    try (FluxPipeline pipeline = FluxPipeline.load(bundle, CPU)) {
      AtomicInteger steps = new AtomicInteger();
      ImageRequest request =
          request(0)
              .withListener(
                  step -> {
                    steps.incrementAndGet();
                    Thread.currentThread().interrupt();
                  });
      assertThatThrownBy(() -> pipeline.generate(request))
          .isInstanceOf(CancellationException.class)
          .hasMessageContaining("interrupted");
      assertThat(Thread.interrupted()).isTrue();
      assertThat(steps).hasValue(1);
      pipeline.generate(request(1));
    }
  }

  @Test
  void generate_failingListener_failsTheCallerOnly() throws IOException {
    try (FluxPool pool = FluxPool.load(bundle, CPU)) {
      ImageRequest failing =
          request(0)
              .withListener(
                  step -> {
                    throw new IllegalArgumentException("from the listener");
                  });
      assertThatThrownBy(() -> pool.generate(failing))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("from the listener");
      pool.generate(request(1));
    }
  }

  @SuppressWarnings("unchecked")
  private static <E extends Throwable> void throwUndeclared(Throwable thrown) throws E {
    throw (E) thrown;
  }

  @Test
  void generate_listenerThatThrowsACheckedException_failsTheCallerOnly() throws Exception {
    try (FluxPool pool = FluxPool.load(bundle, CPU)) {
      TimeoutException thrown = new TimeoutException("from the listener");
      ImageRequest failing =
          request(0).withListener(step -> FluxPoolTest.<RuntimeException>throwUndeclared(thrown));
      assertThatThrownBy(() -> pool.generateAsync(failing).get(60, TimeUnit.SECONDS))
          .isInstanceOf(ExecutionException.class)
          .hasCause(thrown);
      assertThatThrownBy(() -> pool.generate(failing))
          .isInstanceOf(CompletionException.class)
          .hasCause(thrown);
      pool.generate(request(1));
    }
  }

  @Test
  void generate_listenerThatThrowsACompletionException_passesItOn() throws IOException {
    try (FluxPool pool = FluxPool.load(bundle, CPU)) {
      CompletionException thrown = new CompletionException(new IOException("from the listener"));
      ImageRequest failing =
          request(0)
              .withListener(
                  step -> {
                    throw thrown;
                  });
      assertThatThrownBy(() -> pool.generate(failing)).isSameAs(thrown);
    }
  }

  @Test
  void generateAsync_listenerThatCancelsWhileItsRequestWaits_isNotBegun() throws Exception {
    try (FluxPool pool = FluxPool.load(bundle, List.of(CPU), 1)) {
      Gate gate = new Gate();
      CompletableFuture<GeneratedImages> drawn = gate.hold(pool, 0);
      AtomicInteger begun = new AtomicInteger();
      CancellableListener cancelling = new CancellableListener();
      CompletableFuture<GeneratedImages> waiting =
          pool.generateAsync(
              request(1).withSampler(new Announcing(begun)).withListener(cancelling));
      cancelling.cancel();
      gate.open();
      assertThatThrownBy(() -> waiting.get(60, TimeUnit.SECONDS))
          .isInstanceOf(CancellationException.class);
      assertThat(begun).as("what comes after the prompt is encoded").hasValue(0);
      drawn.get(60, TimeUnit.SECONDS);
    }
  }

  /** Counts how often its noise levels are asked for. */
  private record Announcing(AtomicInteger asked) implements Sampler {
    @Override
    public NDArray sample(VelocityModel model, SamplingRequest request) {
      return new EulerSampler(SigmaSchedule.linear(), steps()).sample(model, request);
    }

    @Override
    public double[] sigmas(TokenGrid grid) {
      asked.incrementAndGet();
      return new double[0];
    }

    @Override
    public int steps() {
      return 2;
    }
  }

  @Test
  void generateAsync_requestThatCannotBeServed_isRefusedBeforeItWaits() throws Exception {
    try (FluxPool pool = FluxPool.load(bundle, List.of(CPU), 0)) {
      Gate gate = new Gate();
      CompletableFuture<GeneratedImages> drawn = gate.hold(pool, 0);
      ImageRequest tiny = request(1).withSize(16, 16).withSampler(JitSampler.preset7x());
      assertThatThrownBy(() -> pool.generateAsync(tiny))
          .as("by what it is, and not by the queue, which is full")
          .isInstanceOf(IllegalArgumentException.class);
      gate.open();
      drawn.get(60, TimeUnit.SECONDS);
    }
  }

  private static ImageRequest failingWith(String message) {
    return request(0)
        .withListener(
            step -> {
              throw new EngineException(message);
            });
  }

  @Test
  void generate_engineThatFails_leavesTheQueueToTheOtherPipelines() throws Exception {
    ImageRequest failing = failingWith("CUDA error: an illegal memory access was encountered");
    try (FluxPool pool = FluxPool.load(bundle, List.of(CPU, CPU), 2)) {
      assertThatThrownBy(() -> pool.generate(failingWith("CUDA out of memory")))
          .isInstanceOf(EngineException.class);
      assertThat(pool.healthy()).isEqualTo(2);
      assertThatThrownBy(() -> pool.generate(failing)).isInstanceOf(EngineException.class);
      assertThat(pool.healthy()).isEqualTo(1);
      Gate gate = new Gate();
      CompletableFuture<GeneratedImages> drawn = gate.hold(pool, 1);
      CompletableFuture<GeneratedImages> waiting = pool.generateAsync(request(2));
      assertThat(pool.running()).isEqualTo(1);
      assertThat(pool.waiting()).isEqualTo(1);
      gate.open();
      CompletableFuture.allOf(drawn, waiting).get(60, TimeUnit.SECONDS);
      for (int i = 0; i < 2; i++) { // the last one has no other that could take over
        assertThatThrownBy(() -> pool.generate(failing)).isInstanceOf(EngineException.class);
        assertThat(pool.healthy()).isEqualTo(1);
      }
      pool.generate(request(3));
    }
  }

  @Test
  void generate_engineThatFailedAWhileAgo_drawsAgain() throws Exception {
    ImageRequest failing = failingWith("CUDA error: unspecified launch failure");
    try (FluxPool pool =
        FluxPool.load(
            List.of(CPU, CPU), 0, Duration.ofMillis(1), each -> FluxPipeline.load(bundle, each))) {
      assertThatThrownBy(() -> pool.generate(failing)).isInstanceOf(EngineException.class);
      while (pool.healthy() < 2) {
        Thread.onSpinWait();
      }
      Gate first = new Gate();
      Gate second = new Gate();
      CompletableFuture<GeneratedImages> one = pool.generateAsync(request(1).withListener(first));
      CompletableFuture<GeneratedImages> two = pool.generateAsync(request(2).withListener(second));
      first.awaitReached();
      second.awaitReached();
      first.open();
      second.open();
      CompletableFuture.allOf(one, two).get(60, TimeUnit.SECONDS);
    }
  }

  @Test
  void load_whereTheSecondPipelineFails_closesTheFirst() {
    List<FluxPipeline> loaded = new ArrayList<>();
    FluxPool.Loader loader =
        options -> {
          if (!loaded.isEmpty()) {
            throw new StackOverflowError("while the second is loaded");
          }
          loaded.add(FluxPipeline.load(bundle, options));
          return loaded.get(0);
        };
    assertThatThrownBy(() -> FluxPool.load(List.of(CPU, CPU), 0, Duration.ZERO, loader))
        .isInstanceOf(StackOverflowError.class);
    assertThat(loaded.get(0).manager().isOpen()).isFalse();
  }

  @Test
  void generate_fromItsOwnListener_isRefused() throws IOException {
    try (FluxPool pool = FluxPool.load(bundle, List.of(CPU, CPU), 0)) {
      ImageRequest nested = request(0).withListener(step -> pool.generate(request(1)));
      assertThatThrownBy(() -> pool.generate(nested))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("generateAsync");
    }
  }

  @Test
  void close_whileDrawingAndWaiting_cancelsBoth() throws Exception {
    FluxPool pool = FluxPool.load(bundle, CPU);
    Gate gate = new Gate();
    CompletableFuture<GeneratedImages> drawn =
        pool.generateAsync(
            request(0)
                .withSampler(new EulerSampler(SigmaSchedule.linear(), 50))
                .withListener(gate));
    gate.awaitReached();
    CompletableFuture<GeneratedImages> waiting = pool.generateAsync(request(1));
    CompletableFuture<Void> closing = CompletableFuture.runAsync(pool::close);
    assertThatThrownBy(waiting::get)
        .isInstanceOf(CancellationException.class)
        .hasMessageContaining("pool was closed");
    gate.open();
    closing.get();
    assertThatThrownBy(drawn::get).isInstanceOf(CancellationException.class);
    assertThat(pool.isClosed()).isTrue();
    assertThatThrownBy(() -> pool.generate(request(2)))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("the pool is closed");
    pool.close();
  }

  @Test
  void close_fromTheListenersOfTwoRequests_endsBoth() throws Exception {
    FluxPool pool = FluxPool.load(bundle, List.of(CPU, CPU), 0);
    CountDownLatch bothDraw = new CountDownLatch(2);
    List<CompletableFuture<GeneratedImages>> answers = new ArrayList<>();
    for (int seed = 0; seed < 2; seed++) {
      answers.add(
          pool.generateAsync(
              request(seed)
                  .withListener(
                      step -> {
                        bothDraw.countDown();
                        awaitUninterrupted(bothDraw);
                        pool.close();
                      })));
    }
    for (CompletableFuture<GeneratedImages> answer : answers) {
      assertThatThrownBy(() -> answer.get(60, TimeUnit.SECONDS))
          .isInstanceOf(CancellationException.class);
    }
    assertThat(pool.isClosed()).isTrue();
    pool.close();
  }

  private static void awaitUninterrupted(CountDownLatch latch) {
    try {
      assertThat(latch.await(60, TimeUnit.SECONDS)).as("opened").isTrue();
    } catch (InterruptedException e) {
      throw new IllegalStateException("the test's pool must not be interrupted", e);
    }
  }

  @Test
  void close_whileOnePipelineIsHeld_endsTheOthersMeanwhile() throws Exception {
    FluxPool pool = FluxPool.load(bundle, List.of(CPU, CPU), 0);
    Gate gate = new Gate();
    CompletableFuture<GeneratedImages> held = gate.hold(pool, 0);
    CountDownLatch started = new CountDownLatch(1);
    CompletableFuture<GeneratedImages> other =
        pool.generateAsync(
            request(1)
                .withSampler(new EulerSampler(SigmaSchedule.linear(), 10_000))
                .withListener(step -> started.countDown()));
    assertThat(started.await(60, TimeUnit.SECONDS)).isTrue();
    CompletableFuture<Void> closing = CompletableFuture.runAsync(pool::close);
    assertThatThrownBy(() -> other.get(60, TimeUnit.SECONDS))
        .isInstanceOf(CancellationException.class);
    assertThat(held).isNotDone();
    gate.open();
    closing.get(60, TimeUnit.SECONDS);
    assertThatThrownBy(held::get).isInstanceOf(CancellationException.class);
  }

  @Test
  void generate_requestOfAnAnswer_isTheCallersAndIsDrawnAgain() throws IOException {
    try (FluxPool pool = FluxPool.load(bundle, CPU)) {
      AtomicInteger steps = new AtomicInteger();
      SamplingListener listener = step -> steps.incrementAndGet();
      GeneratedImages first = pool.generate(request(42).withListener(listener));
      assertThat(first.request().listener()).containsSame(listener);
      GeneratedImages again = pool.generate(first.request());
      assertThat(pixels(again)).isEqualTo(pixels(first));
      assertThat(steps).hasValue(4);
      assertThat(pool.generate(request(42)).request().listener()).isEmpty();
    }
  }

  @Test
  void load_wrongArguments_areRefused() {
    assertThatThrownBy(() -> FluxPool.load(bundle, List.of(), 1))
        .hasMessageContaining("at least one pipeline");
    assertThatThrownBy(() -> FluxPool.load(bundle, List.of(CPU), -1))
        .hasMessageContaining("queueLimit must be at least 0, got -1");
    assertThatThrownBy(() -> FluxPool.load(scratch.resolve("missing"), CPU))
        .isInstanceOf(BundleException.class);
  }

  @Test
  void onEveryGpu_givesOneForEachGpuOrItself() {
    int gpus = ai.djl.engine.Engine.getEngine("PyTorch").getGpuCount();
    assertThat(FluxOptions.defaults().onEveryGpu()).hasSize(Math.max(1, gpus));
  }
}
