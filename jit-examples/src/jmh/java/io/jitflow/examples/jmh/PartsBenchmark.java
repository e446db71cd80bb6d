package io.jitflow.examples.jmh;

import ai.djl.modality.cv.Image;
import ai.djl.modality.cv.ImageFactory;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.jitflow.core.SamplingRequest;
import io.jitflow.core.TorchNoise;
import io.jitflow.core.jit.JitSampler;
import io.jitflow.core.token.TokenGrid;
import io.jitflow.flux.image.GeneratedImages;
import io.jitflow.flux.image.GeneratedImages.PhaseTimings;
import io.jitflow.flux.image.ImageRequest;
import io.jitflow.flux.network.LatentPacking;
import java.awt.image.BufferedImage;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** Parts of an image's way that run on the processor, at 512 and 1024 px. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class PartsBenchmark {

  /** Side of the image. */
  @Param({"512", "1024"})
  public int sidePx;

  private NDManager manager;
  private TokenGrid grid;
  private NDArray latents;
  private GeneratedImages images;

  /** Makes the inputs. */
  @Setup
  public void open() {
    manager = NDManager.newBaseManager("PyTorch");
    grid = new TokenGrid(sidePx / 16, sidePx / 16);
    latents = manager.create(new TorchNoise(1).draw(grid.tokens() * 64), latentShape());
    BufferedImage picture = new BufferedImage(sidePx, sidePx, BufferedImage.TYPE_INT_RGB);
    Random random = new Random(1);
    for (int y = 0; y < sidePx; y++) {
      for (int x = 0; x < sidePx; x++) {
        picture.setRGB(x, y, x + y + random.nextInt(16));
      }
    }
    Image image = ImageFactory.getInstance().fromImage(picture);
    PhaseTimings none =
        new PhaseTimings(Duration.ZERO, Duration.ZERO, Duration.ZERO, Duration.ZERO, Duration.ZERO);
    images =
        new GeneratedImages(
            List.of(image),
            ImageRequest.of("a red fox").withSeed(1).withSampler(JitSampler.preset7x()),
            "benchmark",
            none,
            List.of());
  }

  private Shape latentShape() {
    return new Shape(1, 16, 2L * grid.rows(), 2L * grid.cols());
  }

  /** Frees them. */
  @TearDown
  public void close() {
    manager.close();
  }

  /** The initial noise of one image. */
  @Benchmark
  public float[] noise() {
    return new TorchNoise(1).draw(grid.tokens() * 64);
  }

  /** Latents to tokens and back. */
  @Benchmark
  public void packing() {
    try (NDArray tokens = LatentPacking.pack(latents);
        NDArray back = LatentPacking.unpack(tokens, grid)) {
      back.getShape();
    }
  }

  /** A whole run of JiT 7x whose model does nothing but copy. */
  @Benchmark
  public void sampler() {
    try (NDManager run = manager.newSubManager();
        NDArray noise = LatentPacking.pack(latents)) {
      noise.attach(run);
      JitSampler.preset7x()
          .sample(
              (tokens, at, sigma) -> tokens.mul(0.5f),
              SamplingRequest.of(noise, grid).withTransitionNoise(noise));
    }
  }

  /** One image to the bytes of its file. */
  @Benchmark
  public byte[] png() {
    return images.toPng(0);
  }
}
