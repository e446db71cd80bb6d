# The decoder of the FLUX.1 autoencoder. Names follow black-forest-labs/flux.

class Upsample(Module):
  __parameters__ = []
  __buffers__ = []
  conv : __torch__.vae_layers.Conv3x3
  def forward(self: __torch__.vae_decoder.Upsample, x: Tensor) -> Tensor:
    return (self.conv).forward(torch.upsample_nearest2d(x, None, [2., 2.]), )

class UpsamplingLevel(Module):
  __parameters__ = []
  __buffers__ = []
  block : __torch__.vae_layers.Blocks
  upsample : __torch__.vae_decoder.Upsample
  def forward(self: __torch__.vae_decoder.UpsamplingLevel, x: Tensor) -> Tensor:
    return (self.upsample).forward((self.block).forward(x, ), )

class UpsamplingLevelWidening(Module):
  __parameters__ = []
  __buffers__ = []
  block : __torch__.vae_layers.WideningBlocks
  upsample : __torch__.vae_decoder.Upsample
  def forward(self: __torch__.vae_decoder.UpsamplingLevelWidening, x: Tensor) -> Tensor:
    return (self.upsample).forward((self.block).forward(x, ), )

# The levels, coarsest (highest number) first.
class Up(Module):
  __parameters__ = []
  __buffers__ = []
  __annotations__ = []
  __annotations__["{level}"] = __torch__.{class}  # for each level
  def forward(self: __torch__.vae_decoder.Up, x: Tensor) -> Tensor:
    x = (getattr(self, "{level}")).forward(x, )  # for each level
    return x

class Decoder(Module):
  __parameters__ = []
  __buffers__ = []
  conv_in : __torch__.vae_layers.Conv3x3
  mid : __torch__.vae_layers.Middle
  up : __torch__.vae_decoder.Up
  norm_out : __torch__.vae_layers.GroupNorm
  conv_out : __torch__.vae_layers.Conv3x3
  def forward(self: __torch__.vae_decoder.Decoder, z: Tensor) -> Tensor:
    x = (self.up).forward((self.mid).forward((self.conv_in).forward(z, ), ), )
    return (self.conv_out).forward(torch.silu((self.norm_out).forward(x, )), )

class AutoEncoder(Module):
  __parameters__ = []
  __buffers__ = []
  scaling_factor : float
  shift_factor : float
  post_quant_conv : __torch__.vae_layers.Conv1x1  # if post_quant_conv
  decoder : __torch__.vae_decoder.Decoder
  # latent: [batch, channels, height, width] as the sampler leaves it -> image: [batch, 3, height, width]
  # enlarged by the number of levels, nominally in [-1, 1]
  def forward(self: __torch__.vae_decoder.AutoEncoder, latent: Tensor) -> Tensor:
    z = torch.add(torch.div(latent, self.scaling_factor), self.shift_factor)
    z = torch.to(z, self.decoder.conv_in.weight.dtype)
    z = (self.post_quant_conv).forward(z, )  # if post_quant_conv
    return torch.to((self.decoder).forward(z, ), 6)
