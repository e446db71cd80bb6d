package io.jitflow.flux.network;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * Where a network's TorchScript module comes from and where its weights lie. Immutable.
 *
 * @param torchscript the file that is loaded
 * @param weights where its weights come from
 * @param mapped the file that is mapped; for {@link Weights#MAPPED}
 * @param offsets where in it each tensor begins, in bytes, in the order of the module
 * @param hostMemory whether the weights stay in host memory and go to the device layer by layer,
 *     whenever one runs: slow, but for devices that are smaller than a network. Our own programs
 *     can do that
 */
public record ModuleFile(
    Path torchscript,
    Weights weights,
    Optional<Path> mapped,
    List<Long> offsets,
    boolean hostMemory) {

  /** Where the weights of a module come from. */
  public enum Weights {
    /** They are in its file. */
    IN_FILE,
    /** The file is a skeleton; they are pages of another one, which are not copied. */
    MAPPED,
    /** The file is a skeleton; they are drawn at random, for measurements. */
    RANDOM
  }

  /** Makes the list immutable. */
  public ModuleFile {
    offsets = List.copyOf(offsets);
  }

  /**
   * A module with its weights.
   *
   * @param torchscript a file that {@code NetworkProgram} wrote, or any other TorchScript module
   * @return the description
   */
  public static ModuleFile of(Path torchscript) {
    return new ModuleFile(torchscript, Weights.IN_FILE, Optional.empty(), List.of(), false);
  }

  /**
   * A module whose weights are pages of a file, which are read when they are first used and shared
   * by all processes that map it. They are unmapped when the module is closed.
   *
   * @param skeleton a file that {@code NetworkProgram.writeSkeleton} wrote
   * @param archive the file with the weights; it must not change while the module is used
   * @param offsets where in it each tensor begins, in bytes and a multiple of the width of its
   *     numbers, in the order of the module
   * @return the description
   */
  public static ModuleFile mapped(Path skeleton, Path archive, List<Long> offsets) {
    return new ModuleFile(skeleton, Weights.MAPPED, Optional.of(archive), offsets, false);
  }

  /**
   * A module with random weights.
   *
   * @return the description
   */
  public static ModuleFile random(Path skeleton) {
    return new ModuleFile(skeleton, Weights.RANDOM, Optional.empty(), List.of(), false);
  }

  /**
   * The same with the weights in host memory.
   *
   * @param value whether they stay there
   * @return the changed copy
   */
  public ModuleFile withHostMemory(boolean value) {
    return new ModuleFile(torchscript, weights, mapped, offsets, value);
  }
}
