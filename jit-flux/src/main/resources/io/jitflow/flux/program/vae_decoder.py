# The decoder of the FLUX.1 autoencoder. Names follow black-forest-labs/flux.

class Conv3x3(Module):
  __parameters__ = ["weight", "bias", ]
  __buffers__ = []
  weight : Tensor
  bias : Tensor
  def forward(self: __torch__.vae_decoder.Conv3x3, x: Tensor) -> Tensor:
    return torch.conv2d(x, self.weight, self.bias, [1, 1], [1, 1])

class Conv1x1(Module):
  __parameters__ = ["weight", "bias", ]
  __buffers__ = []
  weight : Tensor
  bias : Tensor
  def forward(self: __torch__.vae_decoder.Conv1x1, x: Tensor) -> Tensor:
    return torch.conv2d(x, self.weight, self.bias)

class GroupNorm(Module):
  __parameters__ = ["weight", "bias", ]
  __buffers__ = []
  weight : Tensor
  bias : Tensor
  groups : int
  def forward(self: __torch__.vae_decoder.GroupNorm, x: Tensor) -> Tensor:
    return torch.group_norm(x, self.groups, self.weight, self.bias, 1e-06)

class ResnetBlock(Module):
  __parameters__ = []
  __buffers__ = []
  norm1 : __torch__.vae_decoder.GroupNorm
  conv1 : __torch__.vae_decoder.Conv3x3
  norm2 : __torch__.vae_decoder.GroupNorm
  conv2 : __torch__.vae_decoder.Conv3x3
  def forward(self: __torch__.vae_decoder.ResnetBlock, x: Tensor) -> Tensor:
    h = (self.conv1).forward(torch.silu((self.norm1).forward(x, )), )
    h = (self.conv2).forward(torch.silu((self.norm2).forward(h, )), )
    return torch.add(x, h)

# A residual block that changes the number of channels.
class WideningResnetBlock(Module):
  __parameters__ = []
  __buffers__ = []
  norm1 : __torch__.vae_decoder.GroupNorm
  conv1 : __torch__.vae_decoder.Conv3x3
  norm2 : __torch__.vae_decoder.GroupNorm
  conv2 : __torch__.vae_decoder.Conv3x3
  nin_shortcut : __torch__.vae_decoder.Conv1x1
  def forward(self: __torch__.vae_decoder.WideningResnetBlock, x: Tensor) -> Tensor:
    h = (self.conv1).forward(torch.silu((self.norm1).forward(x, )), )
    h = (self.conv2).forward(torch.silu((self.norm2).forward(h, )), )
    return torch.add((self.nin_shortcut).forward(x, ), h)

# Attention between all pixels, one head over all channels.
class AttnBlock(Module):
  __parameters__ = []
  __buffers__ = []
  norm : __torch__.vae_decoder.GroupNorm
  q : __torch__.vae_decoder.Conv1x1
  k : __torch__.vae_decoder.Conv1x1
  v : __torch__.vae_decoder.Conv1x1
  proj_out : __torch__.vae_decoder.Conv1x1
  # [batch, channels, height, width] -> [batch, 1, height * width, channels]
  def pixels(self: __torch__.vae_decoder.AttnBlock, x: Tensor) -> Tensor:
    return torch.contiguous(torch.unsqueeze(torch.transpose(torch.flatten(x, 2), 1, 2), 1))
  def forward(self: __torch__.vae_decoder.AttnBlock, x: Tensor) -> Tensor:
    h = (self.norm).forward(x, )
    q = (self).pixels((self.q).forward(h, ), )
    k = (self).pixels((self.k).forward(h, ), )
    v = (self).pixels((self.v).forward(h, ), )
    h = torch.squeeze(torch.scaled_dot_product_attention(q, k, v), 1)
    h = torch.reshape(torch.transpose(h, 1, 2), torch.size(x))
    return torch.add(x, (self.proj_out).forward(h, ))

class Middle(Module):
  __parameters__ = []
  __buffers__ = []
  block_1 : __torch__.vae_decoder.ResnetBlock
  attn_1 : __torch__.vae_decoder.AttnBlock
  block_2 : __torch__.vae_decoder.ResnetBlock
  def forward(self: __torch__.vae_decoder.Middle, x: Tensor) -> Tensor:
    x = (self.attn_1).forward((self.block_1).forward(x, ), )
    return (self.block_2).forward(x, )

class Upsample(Module):
  __parameters__ = []
  __buffers__ = []
  conv : __torch__.vae_decoder.Conv3x3
  def forward(self: __torch__.vae_decoder.Upsample, x: Tensor) -> Tensor:
    return (self.conv).forward(torch.upsample_nearest2d(x, None, [2., 2.]), )

class Blocks(Module):
  __parameters__ = []
  __buffers__ = []
  __annotations__ = []
  __annotations__["{i}"] = __torch__.vae_decoder.ResnetBlock  # for each block
  def forward(self: __torch__.vae_decoder.Blocks, x: Tensor) -> Tensor:
    x = (getattr(self, "{i}")).forward(x, )  # for each block
    return x

class WideningBlocks(Module):
  __parameters__ = []
  __buffers__ = []
  __annotations__ = []
  __annotations__["0"] = __torch__.vae_decoder.WideningResnetBlock
  __annotations__["{block}"] = __torch__.vae_decoder.ResnetBlock  # for each later_block
  def forward(self: __torch__.vae_decoder.WideningBlocks, x: Tensor) -> Tensor:
    x = (getattr(self, "{i}")).forward(x, )  # for each block
    return x

class Level(Module):
  __parameters__ = []
  __buffers__ = []
  block : __torch__.vae_decoder.Blocks
  def forward(self: __torch__.vae_decoder.Level, x: Tensor) -> Tensor:
    return (self.block).forward(x, )

class LevelWidening(Module):
  __parameters__ = []
  __buffers__ = []
  block : __torch__.vae_decoder.WideningBlocks
  def forward(self: __torch__.vae_decoder.LevelWidening, x: Tensor) -> Tensor:
    return (self.block).forward(x, )

class UpsamplingLevel(Module):
  __parameters__ = []
  __buffers__ = []
  block : __torch__.vae_decoder.Blocks
  upsample : __torch__.vae_decoder.Upsample
  def forward(self: __torch__.vae_decoder.UpsamplingLevel, x: Tensor) -> Tensor:
    return (self.upsample).forward((self.block).forward(x, ), )

class UpsamplingLevelWidening(Module):
  __parameters__ = []
  __buffers__ = []
  block : __torch__.vae_decoder.WideningBlocks
  upsample : __torch__.vae_decoder.Upsample
  def forward(self: __torch__.vae_decoder.UpsamplingLevelWidening, x: Tensor) -> Tensor:
    return (self.upsample).forward((self.block).forward(x, ), )

# The levels, coarsest (highest number) first.
class Up(Module):
  __parameters__ = []
  __buffers__ = []
  __annotations__ = []
  __annotations__["{level}"] = __torch__.vae_decoder.{class}  # for each level
  def forward(self: __torch__.vae_decoder.Up, x: Tensor) -> Tensor:
    x = (getattr(self, "{level}")).forward(x, )  # for each level
    return x

class Decoder(Module):
  __parameters__ = []
  __buffers__ = []
  conv_in : __torch__.vae_decoder.Conv3x3
  mid : __torch__.vae_decoder.Middle
  up : __torch__.vae_decoder.Up
  norm_out : __torch__.vae_decoder.GroupNorm
  conv_out : __torch__.vae_decoder.Conv3x3
  def forward(self: __torch__.vae_decoder.Decoder, z: Tensor) -> Tensor:
    x = (self.up).forward((self.mid).forward((self.conv_in).forward(z, ), ), )
    return (self.conv_out).forward(torch.silu((self.norm_out).forward(x, )), )

class AutoEncoder(Module):
  __parameters__ = []
  __buffers__ = []
  scaling_factor : float
  shift_factor : float
  post_quant_conv : __torch__.vae_decoder.Conv1x1  # if post_quant_conv
  decoder : __torch__.vae_decoder.Decoder
  # latent: [batch, channels, height, width] as the sampler leaves it -> image: [batch, 3, height, width]
  # enlarged by the number of levels, nominally in [-1, 1]
  def forward(self: __torch__.vae_decoder.AutoEncoder, latent: Tensor) -> Tensor:
    z = torch.add(torch.div(latent, self.scaling_factor), self.shift_factor)
    z = torch.to(z, self.decoder.conv_in.weight.dtype)
    z = (self.post_quant_conv).forward(z, )  # if post_quant_conv
    return torch.to((self.decoder).forward(z, ), 6)
