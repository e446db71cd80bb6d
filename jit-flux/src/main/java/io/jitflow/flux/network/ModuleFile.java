package io.jitflow.flux.network;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;

/**
 * Where a network's TorchScript module comes from and where its weights lie. Immutable.
 *
 * @param torchscript the file that is loaded
 * @param weights where its weights come from
 * @param mapped the bytes of the tensors in the order of the module; for {@link Weights#MAPPED}
 * @param hostMemory whether the weights stay in host memory and go to the device layer by layer,
 *     whenever one runs: slow, but for devices that are smaller than a network. Our own programs
 *     can do that
 */
public record ModuleFile(
    Path torchscript, Weights weights, List<ByteBuffer> mapped, boolean hostMemory) {

  /** Where the weights of a module come from. */
  public enum Weights {
    /** They are in its file. */
    IN_FILE,
    /** The file is a skeleton; they lie in mapped memory, which is not copied. */
    MAPPED,
    /** The file is a skeleton; they are drawn at random, for measurements. */
    RANDOM
  }

  /**
   * Makes the list immutable.
   *
   * @param torchscript the file that is loaded
   * @param weights where its weights come from
   * @param mapped the bytes of the tensors in the order of the module
   * @param hostMemory whether the weights stay in host memory
   */
  public ModuleFile {
    mapped = List.copyOf(mapped);
  }

  /**
   * A module with its weights.
   *
   * @param torchscript a file that {@code NetworkProgram} wrote, or any other TorchScript module
   * @return the description
   */
  public static ModuleFile of(Path torchscript) {
    return new ModuleFile(torchscript, Weights.IN_FILE, List.of(), false);
  }

  /**
   * A module whose weights lie in memory already.
   *
   * @param skeleton a file that {@code NetworkProgram.writeSkeleton} wrote
   * @param tensors direct buffers, in the order of the archive, each with the bytes of one tensor
   * @return the description
   */
  public static ModuleFile mapped(Path skeleton, List<ByteBuffer> tensors) {
    return new ModuleFile(skeleton, Weights.MAPPED, tensors, false);
  }

  /**
   * A module with random weights.
   *
   * @param skeleton a file that {@code NetworkProgram.writeSkeleton} wrote
   * @return the description
   */
  public static ModuleFile random(Path skeleton) {
    return new ModuleFile(skeleton, Weights.RANDOM, List.of(), false);
  }

  /**
   * The same with the weights in host memory.
   *
   * @param value whether they stay there
   * @return the changed copy
   */
  public ModuleFile withHostMemory(boolean value) {
    return new ModuleFile(torchscript, weights, mapped, value);
  }
}
