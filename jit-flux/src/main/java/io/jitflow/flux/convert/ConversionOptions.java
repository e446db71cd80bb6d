package io.jitflow.flux.convert;

import io.jitflow.core.check.Checks;
import io.jitflow.flux.bundle.FluxBundle;
import io.jitflow.flux.safetensors.FloatConversion;
import io.jitflow.flux.weights.DType;
import io.jitflow.flux.weights.FluxNetwork;
import io.jitflow.flux.weights.LoraAdapter;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalInt;

/**
 * What a conversion makes.
 *
 * @param dtypes element type of each network's weights: BF16, F16, F32, or I8 for the transformer
 *     and T5
 * @param checksums whether the checkpoint's files are hashed
 * @param existing what happens to a bundle that is already there
 * @param t5Tokens length to which prompts are padded for T5; if empty, what the tokenizer says, at
 *     most 512 with a guidance embedding (dev) and 256 without (schnell)
 * @param adapters LoRA files that are added to the weights, in this order
 */
public record ConversionOptions(
    Map<FluxNetwork, DType> dtypes,
    Checksums checksums,
    ExistingBundle existing,
    OptionalInt t5Tokens,
    List<LoraAdapter> adapters) {

  /** Whether the checkpoint's files are hashed. */
  public enum Checksums {
    /** The manifest records the SHA-256 of every file, which costs reading every file once more. */
    SHA256,
    /** No hashes. */
    NONE
  }

  /** What happens to a bundle that is already there. */
  public enum ExistingBundle {
    /** It stays, and the conversion is refused. */
    KEEP,
    /** It is removed after the new one is complete. */
    REPLACE
  }

  /**
   * Checks the options.
   *
   * @param dtypes one for each network; copied
   * @param checksums any
   * @param existing any
   * @param t5Tokens 1 or more, or empty
   * @param adapters copied
   * @throws IllegalArgumentException if a network has no type or one that it cannot have, or the
   *     prompt length is not positive
   */
  public ConversionOptions {
    adapters = List.copyOf(adapters);
    Objects.requireNonNull(checksums, "checksums");
    Objects.requireNonNull(existing, "existing");
    FluxBundle.requireEveryNetwork(dtypes);
    dtypes.forEach(
        (network, dtype) -> {
          boolean int8 = NetworkPlan.supportsInt8(network);
          Checks.argument(
              FloatConversion.supports(dtype) || (int8 && dtype == DType.I8),
              "%s: weights are %s, got %s",
              network.key(),
              int8 ? "BF16, F16, F32 or I8" : "BF16, F16 or F32",
              dtype);
        });
    dtypes = Collections.unmodifiableMap(new EnumMap<>(dtypes));
    t5Tokens.ifPresent(
        tokens -> Checks.argument(tokens >= 1, "t5Tokens must be positive, got %d", tokens));
  }

  /**
   * BF16 weights, hashed sources, an existing bundle kept, prompt length from the tokenizer.
   *
   * @return the defaults
   */
  public static ConversionOptions defaults() {
    return new ConversionOptions(
        all(DType.BF16), Checksums.SHA256, ExistingBundle.KEEP, OptionalInt.empty(), List.of());
  }

  /**
   * One type for all networks, where they can have it. With I8 the small ones get BF16. With F16
   * the autoencoder gets F32: its activations may exceed F16, and pictures become black then.
   */
  private static Map<FluxNetwork, DType> all(DType dtype) {
    Map<FluxNetwork, DType> dtypes = new EnumMap<>(FluxNetwork.class);
    for (FluxNetwork network : FluxNetwork.values()) {
      boolean small = dtype == DType.I8 && !NetworkPlan.supportsInt8(network);
      boolean overflows = dtype == DType.F16 && network == FluxNetwork.VAE_DECODER;
      dtypes.put(network, small ? DType.BF16 : overflows ? DType.F32 : dtype);
    }
    return dtypes;
  }

  /**
   * Sets the type of all networks.
   *
   * @param dtype BF16, F16, F32 or I8. With F16 the autoencoder, decoder and encoder, gets F32,
   *     because its activations may exceed F16, unless {@link #withDtype(FluxNetwork, DType)} says
   *     otherwise afterwards; T5's projections {@code DenseReluDense.wo} stay in F32. I8 is for the
   *     matrices of the transformer's blocks and of T5; all else is BF16 then
   * @return a copy
   * @throws IllegalArgumentException if the type is another
   */
  public ConversionOptions withDtype(DType dtype) {
    return new ConversionOptions(all(dtype), checksums, existing, t5Tokens, adapters);
  }

  /**
   * Sets the type of one network.
   *
   * @param network which one
   * @param dtype BF16, F16, F32, or I8 for the transformer and T5
   * @return a copy
   * @throws IllegalArgumentException if the type is another
   */
  public ConversionOptions withDtype(FluxNetwork network, DType dtype) {
    Map<FluxNetwork, DType> changed = new EnumMap<>(dtypes);
    changed.put(network, dtype);
    return new ConversionOptions(changed, checksums, existing, t5Tokens, adapters);
  }

  /**
   * Sets whether the checkpoint's files are hashed.
   *
   * @param checksums SHA256 or NONE
   * @return a copy
   */
  public ConversionOptions withChecksums(Checksums checksums) {
    return new ConversionOptions(dtypes, checksums, existing, t5Tokens, adapters);
  }

  /**
   * Sets what happens to a bundle that is already there.
   *
   * @param existing KEEP or REPLACE
   * @return a copy
   */
  public ConversionOptions withExisting(ExistingBundle existing) {
    return new ConversionOptions(dtypes, checksums, existing, t5Tokens, adapters);
  }

  /**
   * Sets the length to which prompts are padded for T5.
   *
   * @param tokens positive
   * @return a copy
   * @throws IllegalArgumentException if it is not positive
   */
  public ConversionOptions withT5Tokens(int tokens) {
    return new ConversionOptions(dtypes, checksums, existing, OptionalInt.of(tokens), adapters);
  }

  /**
   * Sets the adapters that are added to the weights, in float32, before they are narrowed.
   *
   * @param adapters LoRA files with their scales
   * @return a copy
   */
  public ConversionOptions withAdapters(List<LoraAdapter> adapters) {
    return new ConversionOptions(dtypes, checksums, existing, t5Tokens, adapters);
  }
}
