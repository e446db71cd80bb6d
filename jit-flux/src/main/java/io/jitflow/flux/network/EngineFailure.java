package io.jitflow.flux.network;

import java.util.List;
import java.util.Locale;

/** What an exception of the engine means, which has one type for all of them. */
public final class EngineFailure {
  /** How libtorch says it on CPUs and on GPUs. */
  private static final List<String> OUT_OF_MEMORY =
      List.of(
          "out of memory",
          "not enough memory",
          "can't allocate memory",
          "cannot allocate memory",
          "bad_alloc");

  private static final List<String> OF_DEVICE =
      List.of(
          "cuda error",
          "cuda driver",
          "cuda devices",
          "no cuda gpus",
          "'cuda' backend",
          "cublas_status",
          "cudnn error",
          "nvidia driver");

  private EngineFailure() {}

  /**
   * Whether memory has ended.
   *
   * @param e what the engine threw
   * @return true if a smaller image, or another machine, would help
   */
  public static boolean isOutOfMemory(Exception e) {
    return says(e, OUT_OF_MEMORY);
  }

  /**
   * Whether the device is the cause: one that is not there, that this libtorch was not built for,
   * or that has failed.
   *
   * @param e what the engine threw
   * @return true if no file is to blame
   */
  static boolean isOfDevice(Exception e) {
    return says(e, OF_DEVICE);
  }

  private static boolean says(Exception e, List<String> words) {
    String message = String.valueOf(e.getMessage()).toLowerCase(Locale.ROOT);
    return words.stream().anyMatch(message::contains);
  }
}
