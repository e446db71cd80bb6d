package io.jitflow.flux.naming;

import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Names of the decoder's tensors. Our program has the names of the original release
 * (black-forest-labs/flux, {@code src/flux/modules/autoencoder.py}); diffusers counts the levels
 * from the coarsest. The encoder is not needed.
 */
public final class VaeNames {
  private static final Pattern UP = Pattern.compile("decoder\\.up\\.(\\d+)\\.(block|upsample)(.*)");
  private static final Map<String, String> MID_ATTENTION =
      Map.of("norm", "group_norm", "q", "to_q", "k", "to_k", "v", "to_v", "proj_out", "to_out.0");

  /** The original release's names, which are those of our program. */
  public static final NameRules ORIGINAL =
      new NameRules("original", TensorExpression.Same::new, VaeNames::inEncoder);

  private VaeNames() {}

  /**
   * The names of diffusers.
   *
   * @param levels how many resolutions the autoencoder has
   * @return the rules
   */
  public static NameRules diffusers(int levels) {
    return new NameRules(
        "diffusers",
        name -> new TensorExpression.Same(diffusers(name, levels)),
        VaeNames::inEncoder);
  }

  private static boolean inEncoder(String name) {
    return name.startsWith("encoder.") || name.startsWith("quant_conv.");
  }

  private static String diffusers(String tensor, int levels) {
    Matcher up = UP.matcher(tensor);
    if (up.matches()) {
      int level = levels - 1 - Integer.parseInt(up.group(1));
      return "decoder.up_blocks."
          + level
          + (up.group(2).equals("block") ? ".resnets" : ".upsamplers.0")
          + up.group(3).replace("nin_shortcut", "conv_shortcut");
    }
    if (tensor.startsWith("decoder.mid.attn_1.")) {
      String[] path = tensor.split("\\.", -1);
      return "decoder.mid_block.attentions.0." + MID_ATTENTION.get(path[3]) + "." + path[4];
    }
    return tensor
        .replace("decoder.mid.block_1.", "decoder.mid_block.resnets.0.")
        .replace("decoder.mid.block_2.", "decoder.mid_block.resnets.1.")
        .replace("nin_shortcut", "conv_shortcut")
        .replace("decoder.norm_out.", "decoder.conv_norm_out.");
  }
}
