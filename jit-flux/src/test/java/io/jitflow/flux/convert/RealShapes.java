package io.jitflow.flux.convert;

import io.jitflow.flux.safetensors.RawSafetensors;
import io.jitflow.flux.weights.DType;

/** Names and shapes of published checkpoints, written down independently of the converter. */
final class RealShapes {
  private RealShapes() {}

  /** A FLUX.1 transformer as its authors published it. */
  static RawSafetensors originalTransformer(int doubleBlocks, int singleBlocks, boolean guidance) {
    Layers layers = new Layers();
    layers.linear("img_in", 3072, 64).linear("txt_in", 3072, 4096);
    for (String part :
        guidance ? new String[] {"time_in", "guidance_in"} : new String[] {"time_in"}) {
      layers.linear(part + ".in_layer", 3072, 256).linear(part + ".out_layer", 3072, 3072);
    }
    layers.linear("vector_in.in_layer", 3072, 768).linear("vector_in.out_layer", 3072, 3072);
    for (int i = 0; i < doubleBlocks; i++) {
      for (String stream : new String[] {"img", "txt"}) {
        String block = "double_blocks." + i + "." + stream + "_";
        layers
            .linear(block + "mod.lin", 18432, 3072)
            .linear(block + "attn.qkv", 9216, 3072)
            .add(block + "attn.norm.query_norm.scale", 128)
            .add(block + "attn.norm.key_norm.scale", 128)
            .linear(block + "attn.proj", 3072, 3072)
            .linear(block + "mlp.0", 12288, 3072)
            .linear(block + "mlp.2", 3072, 12288);
      }
    }
    for (int i = 0; i < singleBlocks; i++) {
      String block = "single_blocks." + i + ".";
      layers
          .linear(block + "linear1", 21504, 3072)
          .linear(block + "linear2", 3072, 15360)
          .add(block + "norm.query_norm.scale", 128)
          .add(block + "norm.key_norm.scale", 128)
          .linear(block + "modulation.lin", 9216, 3072);
    }
    return layers
        .linear("final_layer.linear", 64, 3072)
        .linear("final_layer.adaLN_modulation.1", 6144, 3072)
        .file;
  }

  /** A FLUX.1 transformer in the diffusers layout. */
  static RawSafetensors diffusersTransformer(int doubleBlocks, int singleBlocks, boolean guidance) {
    Layers layers = new Layers();
    for (String part :
        guidance ? new String[] {"timestep", "guidance"} : new String[] {"timestep"}) {
      String name = "time_text_embed." + part + "_embedder.linear_";
      layers.linear(name + "1", 3072, 256).linear(name + "2", 3072, 3072);
    }
    layers
        .linear("time_text_embed.text_embedder.linear_1", 3072, 768)
        .linear("time_text_embed.text_embedder.linear_2", 3072, 3072)
        .linear("context_embedder", 3072, 4096)
        .linear("x_embedder", 3072, 64);
    for (int i = 0; i < doubleBlocks; i++) {
      String block = "transformer_blocks." + i + ".";
      layers
          .linear(block + "norm1.linear", 18432, 3072)
          .linear(block + "norm1_context.linear", 18432, 3072);
      for (String name :
          new String[] {
            "to_q",
            "to_k",
            "to_v",
            "add_q_proj",
            "add_k_proj",
            "add_v_proj",
            "to_out.0",
            "to_add_out"
          }) {
        layers.linear(block + "attn." + name, 3072, 3072);
      }
      for (String name : new String[] {"norm_q", "norm_k", "norm_added_q", "norm_added_k"}) {
        layers.add(block + "attn." + name + ".weight", 128);
      }
      for (String stream : new String[] {"ff", "ff_context"}) {
        layers
            .linear(block + stream + ".net.0.proj", 12288, 3072)
            .linear(block + stream + ".net.2", 3072, 12288);
      }
    }
    for (int i = 0; i < singleBlocks; i++) {
      String block = "single_transformer_blocks." + i + ".";
      layers.linear(block + "norm.linear", 9216, 3072);
      for (String name : new String[] {"to_q", "to_k", "to_v"}) {
        layers.linear(block + "attn." + name, 3072, 3072);
      }
      layers
          .add(block + "attn.norm_q.weight", 128)
          .add(block + "attn.norm_k.weight", 128)
          .linear(block + "proj_mlp", 12288, 3072)
          .linear(block + "proj_out", 3072, 15360);
    }
    return layers.linear("norm_out.linear", 6144, 3072).linear("proj_out", 64, 3072).file;
  }

  /** A T5 v1.1 encoder with the tiny sets' head count, head width and feed-forward width. */
  static RawSafetensors t5(long width, int blocks) {
    return t5(352, width, 48, 6, 96, blocks, DType.F32);
  }

  /** The encoder of T5 v1.1 XXL, as FLUX.1 uses it. */
  static RawSafetensors t5Xxl() {
    return t5(32128, 4096, 4096, 64, 10240, 24, DType.BF16);
  }

  private static RawSafetensors t5(
      long vocabulary, long width, long inner, long heads, long mlp, int blocks, DType dtype) {
    RawSafetensors file = new RawSafetensors();
    for (int i = 0; i < blocks; i++) {
      String block = "encoder.block." + i + ".layer.";
      for (String name : new String[] {"q", "k", "v"}) {
        file.add(block + "0.SelfAttention." + name + ".weight", dtype, inner, width);
      }
      file.add(block + "0.SelfAttention.o.weight", dtype, width, inner);
      if (i == 0) {
        file.add(block + "0.SelfAttention.relative_attention_bias.weight", dtype, 32, heads);
      }
      file.add(block + "0.layer_norm.weight", dtype, width)
          .add(block + "1.DenseReluDense.wi_0.weight", dtype, mlp, width)
          .add(block + "1.DenseReluDense.wi_1.weight", dtype, mlp, width)
          .add(block + "1.DenseReluDense.wo.weight", dtype, width, mlp)
          .add(block + "1.layer_norm.weight", dtype, width);
    }
    return file.add("encoder.final_layer_norm.weight", dtype, width)
        .add("shared.weight", dtype, vocabulary, width);
  }

  /** CLIP-L's text encoder. */
  static RawSafetensors clipL() {
    Layers layers = new Layers();
    layers
        .add("text_model.embeddings.token_embedding.weight", 49408, 768)
        .add("text_model.embeddings.position_embedding.weight", 77, 768);
    for (int i = 0; i < 12; i++) {
      String layer = "text_model.encoder.layers." + i + ".";
      for (String name : new String[] {"q_proj", "k_proj", "v_proj", "out_proj"}) {
        layers.linear(layer + "self_attn." + name, 768, 768);
      }
      layers
          .norm(layer + "layer_norm1", 768)
          .norm(layer + "layer_norm2", 768)
          .linear(layer + "mlp.fc1", 3072, 768)
          .linear(layer + "mlp.fc2", 768, 3072);
    }
    return layers.norm("text_model.final_layer_norm", 768).file;
  }

  /** The original autoencoder, {@code ae.safetensors}. */
  static RawSafetensors originalAutoencoder() {
    Layers layers = new Layers(DType.F32);
    layers.conv("encoder.conv_in", 128, 3, 3).conv("decoder.conv_in", 512, 16, 3);
    for (String half : new String[] {"encoder", "decoder"}) {
      resnet(layers, half + ".mid.block_1", 512, 512);
      layers.norm(half + ".mid.attn_1.norm", 512);
      for (String name : new String[] {"q", "k", "v", "proj_out"}) {
        layers.conv(half + ".mid.attn_1." + name, 512, 512, 1);
      }
      resnet(layers, half + ".mid.block_2", 512, 512);
    }
    int[] channels = {128, 256, 512, 512};
    for (int level = 0; level < 4; level++) {
      int out = channels[level];
      int coarser = channels[Math.min(level + 1, 3)];
      int finer = channels[Math.max(level - 1, 0)];
      for (int block = 0; block < 3; block++) {
        resnet(layers, "decoder.up." + level + ".block." + block, out, block == 0 ? coarser : out);
        if (block < 2) {
          resnet(
              layers, "encoder.down." + level + ".block." + block, out, block == 0 ? finer : out);
        }
      }
      if (level > 0) {
        layers.conv("decoder.up." + level + ".upsample.conv", out, out, 3);
      }
      if (level < 3) {
        layers.conv("encoder.down." + level + ".downsample.conv", out, out, 3);
      }
    }
    return layers
        .norm("encoder.norm_out", 512)
        .conv("encoder.conv_out", 32, 512, 3)
        .norm("decoder.norm_out", 128)
        .conv("decoder.conv_out", 3, 128, 3)
        .file;
  }

  private static void resnet(Layers layers, String name, long out, long in) {
    layers
        .norm(name + ".norm1", in)
        .conv(name + ".conv1", out, in, 3)
        .norm(name + ".norm2", out)
        .conv(name + ".conv2", out, out, 3);
    if (in != out) {
      layers.conv(name + ".nin_shortcut", out, in, 1);
    }
  }

  /** Adds weights and biases. */
  private static final class Layers {
    private final RawSafetensors file = new RawSafetensors();
    private final DType dtype;

    Layers() {
      this(DType.BF16);
    }

    Layers(DType dtype) {
      this.dtype = dtype;
    }

    Layers add(String name, long... shape) {
      file.add(name, dtype, shape);
      return this;
    }

    Layers linear(String name, long out, long in) {
      return add(name + ".weight", out, in).add(name + ".bias", out);
    }

    Layers norm(String name, long channels) {
      return add(name + ".weight", channels).add(name + ".bias", channels);
    }

    Layers conv(String name, long out, long in, long kernel) {
      return add(name + ".weight", out, in, kernel, kernel).add(name + ".bias", out);
    }
  }
}
