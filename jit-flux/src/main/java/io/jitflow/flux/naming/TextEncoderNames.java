package io.jitflow.flux.naming;

import java.util.Collection;

/** Names of the text encoders' tensors, which are those of huggingface/transformers. */
public final class TextEncoderNames {
  private static final String CLIP_PREFIX = "text_model.";
  private static final String T5_TABLE = "shared.weight";
  private static final String T5_OTHER_TABLE = "encoder.embed_tokens.weight";

  private TextEncoderNames() {}

  /**
   * The names of CLIP's text encoder, with or without the prefix {@code text_model.}.
   *
   * @param prefixed whether the checkpoint has the prefix
   * @return the rules
   */
  public static NameRules clip(boolean prefixed) {
    return new NameRules(
        prefixed ? "transformers" : "transformers, without the prefix " + CLIP_PREFIX,
        name -> new TensorExpression.Same(prefixed ? name : name.substring(CLIP_PREFIX.length())),
        TextEncoderNames::unusedByClip);
  }

  /** Position ids are 0, 1, 2, ...; the rest belongs to the image half of a full CLIP. */
  private static boolean unusedByClip(String name) {
    return name.endsWith("embeddings.position_ids")
        || name.startsWith("vision_model.")
        || name.startsWith("visual_projection.")
        || name.startsWith("text_projection.")
        || name.equals("logit_scale");
  }

  /**
   * The names of T5's encoder.
   *
   * @param names the tensors of the checkpoint
   * @return the rules
   */
  public static NameRules t5(Collection<String> names) {
    String table = names.contains(T5_TABLE) ? T5_TABLE : T5_OTHER_TABLE;
    return new NameRules(
        "transformers",
        name -> new TensorExpression.Same(name.equals(T5_TABLE) ? table : name),
        name ->
            (name.equals(T5_OTHER_TABLE) && table.equals(T5_TABLE))
                || name.startsWith("decoder.")
                || name.equals("lm_head.weight"));
  }
}
