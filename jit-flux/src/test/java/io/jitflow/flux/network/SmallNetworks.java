package io.jitflow.flux.network;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.jitflow.flux.program.NetworkProgram;
import io.jitflow.flux.torchscript.TensorSource;
import io.jitflow.flux.weights.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Function;

/** Networks of a few thousand parameters with random weights. */
public final class SmallNetworks {
  public static final FluxArchitecture FLUX =
      new FluxArchitecture(8, 16, 2, 32, List.of(2, 2, 4), 1, 2, 12, 10, true, 10000);
  public static final ClipArchitecture CLIP =
      new ClipArchitecture(50, 8, 16, 2, 2, 9, 2, "quick_gelu", 1e-5);
  public static final T5Architecture T5 = new T5Architecture(40, 12, 4, 2, 20, 2, 8, 16, 1e-6);
  public static final VaeArchitecture VAE =
      new VaeArchitecture(4, List.of(8, 16, 16), 1, 4, 0.5, 0.1, false);

  private SmallNetworks() {}

  /** The same standard normal values every time. */
  static NDArray noise(NDManager manager, long... shape) {
    Random random = new Random(5);
    float[] values = new float[(int) new Shape(shape).size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return manager.create(values, new Shape(shape));
  }

  /** Writes a program with F32 weights into a folder. */
  public static Path write(NetworkProgram program, Path folder) throws IOException {
    return write(program, folder, weights(program, name -> DType.F32));
  }

  public static Path write(
      NetworkProgram program, Path folder, Function<String, TensorSource> weights)
      throws IOException {
    Path file = Files.createTempFile(folder, program.name(), ".pt");
    program.write(file, weights, bytes -> {});
    return file;
  }

  /** Weights of a useful size: about one over the square root of the inputs, norms about one. */
  public static Function<String, TensorSource> weights(
      NetworkProgram program, Function<String, DType> dtypes) {
    Map<String, long[]> shapes = program.tensors();
    return name -> {
      long[] shape = shapes.get(name);
      int count = 1;
      for (long size : shape) {
        count = Math.toIntExact(count * size);
      }
      Random random = new Random(name.hashCode());
      float[] values = new float[count];
      boolean matrix = shape.length > 1;
      double spread = matrix ? Math.sqrt((double) shape[0] / count) : 0.1;
      boolean gain = !matrix && (name.endsWith("weight") || name.endsWith("scale"));
      for (int i = 0; i < count; i++) {
        values[i] = (float) ((gain ? 1 : 0) + spread * random.nextGaussian());
      }
      return HeapTensor.of(dtypes.apply(name), values, shape);
    };
  }
}
