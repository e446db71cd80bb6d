# Layers that the two halves of the FLUX.1 autoencoder share. Names follow black-forest-labs/flux.

class Conv3x3(Module):
  __parameters__ = ["weight", "bias", ]
  __buffers__ = []
  weight : Tensor
  bias : Tensor
  def forward(self: __torch__.vae_layers.Conv3x3, x: Tensor) -> Tensor:
    return torch.conv2d(x, self.weight, self.bias, [1, 1], [1, 1])

class Conv1x1(Module):
  __parameters__ = ["weight", "bias", ]
  __buffers__ = []
  weight : Tensor
  bias : Tensor
  def forward(self: __torch__.vae_layers.Conv1x1, x: Tensor) -> Tensor:
    return torch.conv2d(x, self.weight, self.bias)

class GroupNorm(Module):
  __parameters__ = ["weight", "bias", ]
  __buffers__ = []
  weight : Tensor
  bias : Tensor
  groups : int
  def forward(self: __torch__.vae_layers.GroupNorm, x: Tensor) -> Tensor:
    return torch.group_norm(x, self.groups, self.weight, self.bias, 1e-06)

class ResnetBlock(Module):
  __parameters__ = []
  __buffers__ = []
  norm1 : __torch__.vae_layers.GroupNorm
  conv1 : __torch__.vae_layers.Conv3x3
  norm2 : __torch__.vae_layers.GroupNorm
  conv2 : __torch__.vae_layers.Conv3x3
  def forward(self: __torch__.vae_layers.ResnetBlock, x: Tensor) -> Tensor:
    h = (self.conv1).forward(torch.silu((self.norm1).forward(x, )), )
    h = (self.conv2).forward(torch.silu((self.norm2).forward(h, )), )
    return torch.add(x, h)

# A residual block that changes the number of channels.
class WideningResnetBlock(Module):
  __parameters__ = []
  __buffers__ = []
  norm1 : __torch__.vae_layers.GroupNorm
  conv1 : __torch__.vae_layers.Conv3x3
  norm2 : __torch__.vae_layers.GroupNorm
  conv2 : __torch__.vae_layers.Conv3x3
  nin_shortcut : __torch__.vae_layers.Conv1x1
  def forward(self: __torch__.vae_layers.WideningResnetBlock, x: Tensor) -> Tensor:
    h = (self.conv1).forward(torch.silu((self.norm1).forward(x, )), )
    h = (self.conv2).forward(torch.silu((self.norm2).forward(h, )), )
    return torch.add((self.nin_shortcut).forward(x, ), h)

# Attention between all pixels, one head over all channels.
class AttnBlock(Module):
  __parameters__ = []
  __buffers__ = []
  norm : __torch__.vae_layers.GroupNorm
  q : __torch__.vae_layers.Conv1x1
  k : __torch__.vae_layers.Conv1x1
  v : __torch__.vae_layers.Conv1x1
  proj_out : __torch__.vae_layers.Conv1x1
  # [batch, channels, height, width] -> [batch, 1, height * width, channels]
  def pixels(self: __torch__.vae_layers.AttnBlock, x: Tensor) -> Tensor:
    return torch.contiguous(torch.unsqueeze(torch.transpose(torch.flatten(x, 2), 1, 2), 1))
  def forward(self: __torch__.vae_layers.AttnBlock, x: Tensor) -> Tensor:
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
  block_1 : __torch__.vae_layers.ResnetBlock
  attn_1 : __torch__.vae_layers.AttnBlock
  block_2 : __torch__.vae_layers.ResnetBlock
  def forward(self: __torch__.vae_layers.Middle, x: Tensor) -> Tensor:
    x = (self.attn_1).forward((self.block_1).forward(x, ), )
    return (self.block_2).forward(x, )

# The residual blocks of a level.
class Blocks(Module):
  __parameters__ = []
  __buffers__ = []
  __annotations__ = []
  __annotations__["{i}"] = __torch__.vae_layers.ResnetBlock  # for each block
  def forward(self: __torch__.vae_layers.Blocks, x: Tensor) -> Tensor:
    x = (getattr(self, "{i}")).forward(x, )  # for each block
    return x

# The same, where the first one changes the number of channels.
class WideningBlocks(Module):
  __parameters__ = []
  __buffers__ = []
  __annotations__ = []
  __annotations__["0"] = __torch__.vae_layers.WideningResnetBlock
  __annotations__["{block}"] = __torch__.vae_layers.ResnetBlock  # for each later_block
  def forward(self: __torch__.vae_layers.WideningBlocks, x: Tensor) -> Tensor:
    x = (getattr(self, "{i}")).forward(x, )  # for each block
    return x

# A level that keeps its resolution.
class Level(Module):
  __parameters__ = []
  __buffers__ = []
  block : __torch__.vae_layers.Blocks
  def forward(self: __torch__.vae_layers.Level, x: Tensor) -> Tensor:
    return (self.block).forward(x, )

class LevelWidening(Module):
  __parameters__ = []
  __buffers__ = []
  block : __torch__.vae_layers.WideningBlocks
  def forward(self: __torch__.vae_layers.LevelWidening, x: Tensor) -> Tensor:
    return (self.block).forward(x, )
