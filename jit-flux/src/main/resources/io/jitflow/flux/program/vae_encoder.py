# The encoder of the FLUX.1 autoencoder. Names follow black-forest-labs/flux.

# Halves the resolution; the padding is on the right and below only.
class Downsample(Module):
  __parameters__ = []
  __buffers__ = []
  conv : __torch__.vae_layers.Conv3x3
  def forward(self: __torch__.vae_encoder.Downsample, x: Tensor) -> Tensor:
    return torch.conv2d(torch.constant_pad_nd(x, [0, 1, 0, 1]), self.conv.weight, self.conv.bias, [2, 2])

class DownsamplingLevel(Module):
  __parameters__ = []
  __buffers__ = []
  block : __torch__.vae_layers.Blocks
  downsample : __torch__.vae_encoder.Downsample
  def forward(self: __torch__.vae_encoder.DownsamplingLevel, x: Tensor) -> Tensor:
    return (self.downsample).forward((self.block).forward(x, ), )

class DownsamplingLevelWidening(Module):
  __parameters__ = []
  __buffers__ = []
  block : __torch__.vae_layers.WideningBlocks
  downsample : __torch__.vae_encoder.Downsample
  def forward(self: __torch__.vae_encoder.DownsamplingLevelWidening, x: Tensor) -> Tensor:
    return (self.downsample).forward((self.block).forward(x, ), )

# The levels, finest (level 0) first.
class Down(Module):
  __parameters__ = []
  __buffers__ = []
  __annotations__ = []
  __annotations__["{level}"] = __torch__.{class}  # for each level
  def forward(self: __torch__.vae_encoder.Down, x: Tensor) -> Tensor:
    x = (getattr(self, "{level}")).forward(x, )  # for each level
    return x

class Encoder(Module):
  __parameters__ = []
  __buffers__ = []
  conv_in : __torch__.vae_layers.Conv3x3
  down : __torch__.vae_encoder.Down
  mid : __torch__.vae_layers.Middle
  norm_out : __torch__.vae_layers.GroupNorm
  conv_out : __torch__.vae_layers.Conv3x3
  def forward(self: __torch__.vae_encoder.Encoder, x: Tensor) -> Tensor:
    x = (self.mid).forward((self.down).forward((self.conv_in).forward(x, ), ), )
    return (self.conv_out).forward(torch.silu((self.norm_out).forward(x, )), )

class AutoEncoder(Module):
  __parameters__ = []
  __buffers__ = []
  encoder : __torch__.vae_encoder.Encoder
  # image: [batch, 3, height, width], nominally in [-1, 1] -> mean and log variance of the latent before
  # shift and scaling: [batch, 2 * channels, height, width], reduced by the number of levels
  def forward(self: __torch__.vae_encoder.AutoEncoder, image: Tensor) -> Tensor:
    image = torch.to(image, self.encoder.conv_in.weight.dtype)
    return torch.to((self.encoder).forward(image, ), 6)
