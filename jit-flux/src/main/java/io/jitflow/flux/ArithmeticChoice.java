package io.jitflow.flux;

import ai.djl.Device;
import com.sun.management.OperatingSystemMXBean;
import io.jitflow.flux.FluxOptions.Arithmetic;
import io.jitflow.flux.FluxOptions.MemoryPolicy;
import io.jitflow.flux.bundle.FluxBundle;
import io.jitflow.flux.weights.DType;
import io.jitflow.flux.weights.FluxNetwork;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Set;
import java.util.function.Supplier;

/**
 * What {@link Arithmetic} means for a bundle on a device.
 *
 * @param converted the networks whose weights become float32 when they are loaded
 * @param reason in words for the log
 */
record ArithmeticChoice(Set<FluxNetwork> converted, String reason) {

  static ArithmeticChoice of(FluxOptions options, FluxBundle bundle, Device device)
      throws IOException {
    long memory = device.isGpu() ? Long.MAX_VALUE : machineMemory();
    return of(options, bundle, device, memory, Bfloat16Units::ofThisMachine);
  }

  /** Float32 for everything, whatever the machine: the most that memory is needed for. */
  static ArithmeticChoice widest(FluxBundle bundle) {
    return new ArithmeticChoice(notFloat32(bundle), "float32 arithmetic");
  }

  private static Set<FluxNetwork> notFloat32(FluxBundle bundle) {
    Set<FluxNetwork> others = EnumSet.noneOf(FluxNetwork.class);
    for (FluxNetwork network : FluxNetwork.values()) {
      if (bundle.dtype(network) != DType.F32) {
        others.add(network);
      }
    }
    return others;
  }

  /** What the machine, or the container, has in bytes. */
  static long machineMemory() {
    return ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
        .getTotalMemorySize();
  }

  /** The same on a machine of which this is known. */
  static ArithmeticChoice of(
      FluxOptions options,
      FluxBundle bundle,
      Device device,
      long memoryBytes,
      Supplier<Bfloat16Units> units)
      throws IOException {
    Set<FluxNetwork> others = notFloat32(bundle);
    boolean isChoice = options.arithmetic() == Arithmetic.AUTO && !device.isGpu();
    if (others.isEmpty()) {
      return new ArithmeticChoice(Set.of(), "float32 arithmetic, as stored");
    }
    if (options.arithmetic() == Arithmetic.FLOAT32) {
      return new ArithmeticChoice(others, "float32 arithmetic, as the options say");
    }
    if (!isChoice) {
      return new ArithmeticChoice(Set.of(), "arithmetic as stored: " + bundle.dtypes());
    }
    String reason = "float32 arithmetic, since float16 is slow on CPUs";
    if (others.stream().anyMatch(network -> bundle.dtype(network) != DType.F16)) {
      Bfloat16Units measured = units.get();
      if (measured.present()) {
        others.removeIf(network -> bundle.dtype(network) != DType.F16);
        reason =
            "bfloat16 arithmetic, for which this processor has units (" + measured.reason() + ")";
      } else {
        reason =
            "float32 arithmetic, since this processor has no units for bfloat16 ("
                + measured.reason()
                + ")";
      }
    }
    boolean whole =
        options.memory() == MemoryPolicy.RESIDENT || options.memory() == MemoryPolicy.SEQUENTIAL;
    long needed = whole ? bytesInFloat32(bundle, others, options.memory()) : 0;
    if (needed > memoryBytes) { // else weights are widened where they are used
      return new ArithmeticChoice(
          Set.of(),
          String.format(
              Locale.ROOT,
              "arithmetic as stored, slow here, because the networks would take %.1f GB in float32"
                  + " and the machine has %.1f GB",
              needed / 1e9,
              memoryBytes / 1e9));
    }
    return new ArithmeticChoice(others, reason);
  }

  boolean converts(FluxNetwork network) {
    return converted.contains(network);
  }

  /** What is in memory at the same time. */
  private static long bytesInFloat32(
      FluxBundle bundle, Set<FluxNetwork> converted, MemoryPolicy memory) throws IOException {
    long text =
        bytes(bundle, converted, FluxNetwork.TEXT_ENCODER)
            + bytes(bundle, converted, FluxNetwork.TEXT_ENCODER_2);
    long transformer = bytes(bundle, converted, FluxNetwork.TRANSFORMER);
    long vae = bytes(bundle, converted, FluxNetwork.VAE_DECODER);
    return vae
        + (memory == MemoryPolicy.RESIDENT ? text + transformer : Math.max(text, transformer));
  }

  private static long bytes(FluxBundle bundle, Set<FluxNetwork> converted, FluxNetwork network)
      throws IOException {
    long stored = Files.size(bundle.file(network));
    boolean halves = bundle.dtype(network).byteSize() == DType.BF16.byteSize();
    return converted.contains(network) && halves ? 2 * stored : stored;
  }

  @Override
  public String toString() {
    return reason;
  }
}
