package io.jitflow.flux;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import io.jitflow.core.CancellableListener;
import io.jitflow.core.EulerSampler;
import io.jitflow.core.SigmaSchedule;
import io.jitflow.core.jit.JitConfig;
import io.jitflow.core.jit.JitSampler;
import io.jitflow.core.testing.Fixtures;
import io.jitflow.flux.convert.FluxCheckpoint;
import io.jitflow.flux.image.ImageRequest;
import io.jitflow.flux.weights.DType;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/**
 * Resident memory over many images and over many cancelled ones. Takes some minutes: {@code mvn
 * verify -Dexcluded.tags=gpu -Dtest=FluxSoakTest -Dsurefire.failIfNoSpecifiedTests=false}.
 */
@Tag("slow")
@EnabledOnOs(OS.LINUX)
class FluxSoakTest {
  private static final int IMAGES = Integer.getInteger("jit.soak.images", 10_000);
  private static final int IMAGES_OF_FLUX_MINI = 300;
  private static final Duration TIME =
      Duration.ofSeconds(Integer.getInteger("jit.soak.seconds", 600));
  private static final int THREADS = 8;
  private static final long ALLOWED_GROWTH_MB = 100;

  @TempDir static Path scratch;
  private static Path bundle;

  @BeforeAll
  static void convert() throws IOException {
    bundle = TinyBundle.dev(scratch);
  }

  private static ImageRequest request(int i) {
    ImageRequest request =
        ImageRequest.of("prompt " + i % 40).withSize(32 + 16 * (i % 3), 48).withSeed(i);
    return i % 2 == 0
        ? request.withSampler(new EulerSampler(SigmaSchedule.linear(), 2))
        : request.withSampler(new JitSampler(JitConfig.default4x().withSteps(4)));
  }

  private static long residentMb() throws IOException {
    String line =
        Files.readString(Path.of("/proc/self/status"))
            .lines()
            .filter(text -> text.startsWith("VmRSS:"))
            .findFirst()
            .orElseThrow();
    return Long.parseLong(line.replaceAll("\\D", "")) / 1024;
  }

  private static FluxPipeline load(Path folder) throws IOException {
    return FluxPipeline.load(folder, FluxOptions.defaults().withDevice(Device.cpu()));
  }

  /** The trained small model, at a size at which it is used. */
  @Test
  void residentMemory_overImagesOfFluxMini_staysWhereItWas() throws IOException {
    FluxCheckpoint mini = FluxCheckpoint.ofDirectory(Fixtures.folder("flux-mini"));
    Path folder = ParityBundle.convert(mini, DType.F32, scratch).folder();
    List<Long> resident = new ArrayList<>();
    try (FluxPipeline pipeline = load(folder)) {
      for (int i = 1; i <= IMAGES_OF_FLUX_MINI; i++) {
        pipeline.generate(
            ImageRequest.of("prompt " + i % 40)
                .withSize(256, 256)
                .withSeed(i)
                .withSampler(new EulerSampler(pipeline.schedule(), 2)));
        if (i % (IMAGES_OF_FLUX_MINI / 6) == 0) {
          resident.add(residentMb());
          System.out.printf("%d images of flux-mini: %d MB%n", i, residentMb());
        }
      }
    }
    assertThat(resident.get(5)).isLessThan(resident.get(1) + ALLOWED_GROWTH_MB);
  }

  @Test
  void residentMemory_overManyImages_staysWhereItWas() throws IOException {
    List<Long> resident = new ArrayList<>();
    try (FluxPipeline pipeline = load(bundle)) {
      for (int i = 1; i <= IMAGES; i++) {
        pipeline.generate(request(i));
        if (i % (IMAGES / 10) == 0) {
          resident.add(residentMb());
          System.out.printf("%d images: %d MB%n", i, residentMb());
        }
      }
    }
    assertThat(resident.get(9)).isLessThan(resident.get(0) + ALLOWED_GROWTH_MB);
  }

  @Test
  void residentMemory_overManyCancelledCalls_staysWhereItWas() throws IOException {
    long end = System.nanoTime() + TIME.toNanos();
    AtomicInteger complete = new AtomicInteger();
    AtomicInteger cancelled = new AtomicInteger();
    List<Long> resident = new ArrayList<>();
    try (FluxPipeline pipeline = load(bundle)) {
      List<CompletableFuture<Void>> threads = new ArrayList<>();
      for (int t = 0; t < THREADS; t++) {
        Random random = new Random(t);
        threads.add(
            CompletableFuture.runAsync(
                () -> {
                  while (System.nanoTime() < end) {
                    callAndPerhapsCancel(pipeline, random, complete, cancelled);
                    tell(resident, complete.get() + cancelled.get());
                  }
                },
                action -> new Thread(action).start()));
      }
      threads.forEach(CompletableFuture::join);
    }
    System.out.printf("%s complete, %s cancelled: %d MB%n", complete, cancelled, residentMb());
    assertThat(complete.get()).isPositive();
    assertThat(cancelled.get()).isPositive();
    // the first thousand calls fill the Java heap and the engine's caches
    assertThat(resident).hasSizeGreaterThan(1);
    assertThat(residentMb()).isLessThan(resident.get(1) + ALLOWED_GROWTH_MB);
  }

  private static void callAndPerhapsCancel(
      FluxPipeline pipeline, Random random, AtomicInteger complete, AtomicInteger cancelled) {
    int cancelAfter = random.nextInt(6);
    AtomicInteger steps = new AtomicInteger();
    CancellableListener[] self = new CancellableListener[1];
    self[0] =
        new CancellableListener(
            step -> {
              if (steps.incrementAndGet() > cancelAfter) {
                self[0].cancel();
              }
            });
    try {
      pipeline.generate(request(random.nextInt(1000)).withListener(self[0]));
      complete.incrementAndGet();
    } catch (CancellationException e) {
      cancelled.incrementAndGet();
    }
  }

  /** At every thousandth call. */
  private static synchronized void tell(List<Long> resident, int calls) {
    if (calls / 1000 > resident.size() - 1) {
      try {
        resident.add(residentMb());
        System.out.printf("%d calls: %d MB%n", calls, residentMb());
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }
}
