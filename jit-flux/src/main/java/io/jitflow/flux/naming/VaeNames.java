package io.jitflow.flux.naming;

import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Names of the autoencoder's tensors. Our program has the names of the original release
 * (black-forest-labs/flux, {@code src/flux/modules/autoencoder.py}); diffusers counts the decoder's
 * levels from the coarsest. An encoder that is not converted is skipped.
 */
public final class VaeNames {
  private static final Pattern DOWN =
      Pattern.compile("encoder\\.down\\.(\\d+)\\.(block|downsample)(.*)");
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
    Matcher down = DOWN.matcher(tensor);
    if (down.matches()) {
      return "encoder.down_blocks."
          + down.group(1)
          + (down.group(2).equals("block") ? ".resnets" : ".downsamplers.0")
          + down.group(3).replace("nin_shortcut", "conv_shortcut");
    }
    String[] path = tensor.split("\\.", -1);
    if (path.length == 5 && path[2].equals("attn_1")) {
      return path[0] + ".mid_block.attentions.0." + MID_ATTENTION.get(path[3]) + "." + path[4];
    }
    return tensor
        .replace("coder.mid.block_1.", "coder.mid_block.resnets.0.")
        .replace("coder.mid.block_2.", "coder.mid_block.resnets.1.")
        .replace("nin_shortcut", "conv_shortcut")
        .replace("coder.norm_out.", "coder.conv_norm_out.");
  }
}
