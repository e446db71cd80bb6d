# The FLUX.1 transformer. Names follow black-forest-labs/flux.
# Types by number: 5 float16, 6 float32, 7 float64, 9 complex of two float32.

def rope_axis(position: Tensor, dim: int, theta: float) -> Tensor:
  exponent = torch.div(torch.arange(0, dim, 2, dtype=7, device=position.device), dim)
  omega = torch.reciprocal(torch.pow(theta, exponent))
  return torch.mul(torch.unsqueeze(torch.to(position, 7), 2), omega)

# Rotates pairs of adjacent channels: (a, b) -> (a cos - b sin, a sin + b cos), as a product of
# complex numbers. x: float32 [batch, tokens, 2, heads, head width],
# rope: [batch, tokens, 1, 1, head width / 2].
def apply_rope(x: Tensor, rope: Tensor) -> Tensor:
  pairs = torch.view_as_complex(torch.unflatten(x, 4, [-1, 2]))
  return torch.flatten(torch.view_as_real(torch.mul(pairs, rope)), 4)

# qk: queries and keys [batch, tokens, 2, heads, head width], v: [batch, tokens, heads, head width]
def attention(qk: Tensor, v: Tensor) -> Tensor:
  q, k, = torch.unbind(torch.transpose(qk, 1, 3), 2)
  x = torch.scaled_dot_product_attention(q, k, torch.transpose(v, 1, 2))
  return torch.flatten(torch.transpose(x, 1, 2), 2)

# LayerNorm without parameters, then x * (1 + scale) + shift.
def modulated_norm(x: Tensor, shift: Tensor, scale: Tensor) -> Tensor:
  x = torch.layer_norm(x, [torch.size(x, -1)], None, None, 1e-06)
  return torch.addcmul(shift, x, torch.add(scale, 1))

# float16 ends at 65504, which the residual stream can exceed.
def saturated(x: Tensor) -> Tensor:
  if torch.eq(x.dtype, 5):
    x = torch.clamp(x, -65504., 65504.)
  else:
    pass
  return x

class RMSNorm(Module):
  __parameters__ = ["scale", ]
  __buffers__ = []
  scale : Tensor

class QKNorm(Module):
  __parameters__ = []
  __buffers__ = []
  query_norm : __torch__.flux_transformer.RMSNorm
  key_norm : __torch__.flux_transformer.RMSNorm
  # RMS norm of every head of queries and keys, float32. qk: [batch, tokens, 2, heads, head width]
  def forward(self: __torch__.flux_transformer.QKNorm, qk: Tensor) -> Tensor:
    scales = torch.stack([self.query_norm.scale, self.key_norm.scale])
    scale = torch.unsqueeze(torch.to(scales, qk.device), 1)
    qk = torch.to(qk, 6)
    mean_square = torch.div(torch.square(torch.linalg_vector_norm(qk, 2, [-1], True)), torch.size(qk, -1))
    return torch.mul(torch.mul(qk, torch.rsqrt(torch.add(mean_square, 1e-06))), scale)

class SelfAttention(Module):
  __parameters__ = []
  __buffers__ = []
  qkv : __torch__.layers.{Linear}
  norm : __torch__.flux_transformer.QKNorm
  proj : __torch__.layers.{Linear}
  # Normed and rotated queries and keys of one stream [batch, tokens, 2, heads, head width], and its
  # values [batch, tokens, heads, head width].
  def forward(self: __torch__.flux_transformer.SelfAttention, x: Tensor, heads: int, rope: Tensor) -> Tuple[Tensor, Tensor]:
    qkv = torch.unflatten((self.qkv).forward(x, ), 2, [3, heads, -1])
    qk = (self.norm).forward(torch.slice(qkv, 2, 0, 2), )
    qk = torch.to(__torch__.flux_transformer.apply_rope(qk, rope, ), x.dtype)
    return (qk, torch.select(qkv, 2, 2))

class MLP(Module):
  __parameters__ = []
  __buffers__ = []
  __annotations__ = []
  __annotations__["0"] = __torch__.layers.{Linear}
  __annotations__["2"] = __torch__.layers.{Linear}
  def forward(self: __torch__.flux_transformer.MLP, x: Tensor) -> Tensor:
    x = torch.gelu((getattr(self, "0")).forward(x, ), approximate="tanh")
    return (getattr(self, "2")).forward(x, )

class DoubleStreamBlock(Module):
  __parameters__ = []
  __buffers__ = []
  heads : int
  img_attn : __torch__.flux_transformer.SelfAttention
  img_mlp : __torch__.flux_transformer.MLP
  txt_attn : __torch__.flux_transformer.SelfAttention
  txt_mlp : __torch__.flux_transformer.MLP
  # rows: [batch, 12, hidden]
  def forward(self: __torch__.flux_transformer.DoubleStreamBlock, img: Tensor, txt: Tensor, rows: Tensor, rope: Tensor) -> Tuple[Tensor, Tensor]:
    img_shift1, img_scale1, img_gate1, img_shift2, img_scale2, img_gate2, = torch.split(torch.slice(rows, 1, 0, 6), 1, 1)
    txt_shift1, txt_scale1, txt_gate1, txt_shift2, txt_scale2, txt_gate2, = torch.split(torch.slice(rows, 1, 6, 12), 1, 1)
    img_normed = __torch__.flux_transformer.modulated_norm(img, img_shift1, img_scale1, )
    img_qk, img_v, = (self.img_attn).forward(img_normed, self.heads, torch.slice(rope, 1, torch.size(txt, 1)), )
    txt_normed = __torch__.flux_transformer.modulated_norm(txt, txt_shift1, txt_scale1, )
    txt_qk, txt_v, = (self.txt_attn).forward(txt_normed, self.heads, torch.slice(rope, 1, 0, torch.size(txt, 1)), )
    # One attention over text, then image.
    qk = torch.cat([txt_qk, img_qk], 1)
    v = torch.cat([txt_v, img_v], 1)
    joint = __torch__.flux_transformer.attention(qk, v, )
    txt_joint, img_joint, = torch.split_with_sizes(joint, [torch.size(txt, 1), torch.size(img, 1)], 1)
    img = torch.addcmul(img, img_gate1, (self.img_attn.proj).forward(img_joint, ))
    img_normed = __torch__.flux_transformer.modulated_norm(img, img_shift2, img_scale2, )
    img = torch.addcmul(img, img_gate2, (self.img_mlp).forward(img_normed, ))
    txt = torch.addcmul(txt, txt_gate1, (self.txt_attn.proj).forward(txt_joint, ))
    txt_normed = __torch__.flux_transformer.modulated_norm(txt, txt_shift2, txt_scale2, )
    txt = torch.addcmul(txt, txt_gate2, (self.txt_mlp).forward(txt_normed, ))
    return (__torch__.flux_transformer.saturated(img, ), __torch__.flux_transformer.saturated(txt, ))

class SingleStreamBlock(Module):
  __parameters__ = []
  __buffers__ = []
  heads : int
  linear1 : __torch__.layers.{Linear}
  linear2 : __torch__.layers.{Linear}
  norm : __torch__.flux_transformer.QKNorm
  # rows: [batch, 3, hidden]
  def forward(self: __torch__.flux_transformer.SingleStreamBlock, x: Tensor, rows: Tensor, rope: Tensor) -> Tensor:
    shift, scale, gate, = torch.split(rows, 1, 1)
    hidden = torch.size(x, 2)
    inner = (self.linear1).forward(__torch__.flux_transformer.modulated_norm(x, shift, scale, ), )
    qkv, mlp, = torch.split_with_sizes(inner, [3 * hidden, torch.size(inner, 2) - 3 * hidden], 2)
    qkv = torch.unflatten(qkv, 2, [3, self.heads, -1])
    qk = (self.norm).forward(torch.slice(qkv, 2, 0, 2), )
    qk = torch.to(__torch__.flux_transformer.apply_rope(qk, rope, ), x.dtype)
    attn = __torch__.flux_transformer.attention(qk, torch.select(qkv, 2, 2), )
    out = (self.linear2).forward(torch.cat([attn, torch.gelu(mlp, approximate="tanh")], 2), )
    return __torch__.flux_transformer.saturated(torch.addcmul(x, gate, out), )

class LastLayer(Module):
  __parameters__ = []
  __buffers__ = []
  linear : __torch__.layers.Linear
  # rows: [batch, 2, hidden]
  def forward(self: __torch__.flux_transformer.LastLayer, x: Tensor, rows: Tensor) -> Tensor:
    shift, scale, = torch.split(rows, 1, 1)
    return (self.linear).forward(__torch__.flux_transformer.modulated_norm(x, shift, scale, ), )

class DoubleBlocks(Module):
  __parameters__ = []
  __buffers__ = []
  __annotations__ = []
  __annotations__["{i}"] = __torch__.flux_transformer.DoubleStreamBlock  # for each double_block
  def forward(self: __torch__.flux_transformer.DoubleBlocks, img: Tensor, txt: Tensor, rows: Tensor, rope: Tensor) -> Tuple[Tensor, Tensor]:
    img, txt, = (getattr(self, "{i}")).forward(img, txt, torch.slice(rows, 1, {begin}, {end}), rope, )  # for each double_block
    return (img, txt)

class SingleBlocks(Module):
  __parameters__ = []
  __buffers__ = []
  __annotations__ = []
  __annotations__["{i}"] = __torch__.flux_transformer.SingleStreamBlock  # for each single_block
  def forward(self: __torch__.flux_transformer.SingleBlocks, x: Tensor, rows: Tensor, rope: Tensor) -> Tensor:
    x = (getattr(self, "{i}")).forward(x, torch.slice(rows, 1, {begin}, {end}), rope, )  # for each single_block
    return x

class Flux(Module):
  __parameters__ = []
  __buffers__ = []
  theta : float
  first_axis : int
  row_axis : int
  column_axis : int
  img_in : __torch__.layers.Linear
  txt_in : __torch__.layers.Linear
  double_blocks : __torch__.flux_transformer.DoubleBlocks
  single_blocks : __torch__.flux_transformer.SingleBlocks
  final_layer : __torch__.flux_transformer.LastLayer

  # cos + i sin of every token's angles, from float64: [batch, tokens, 1, 1, head width / 2].
  def rope(self: __torch__.flux_transformer.Flux, ids: Tensor) -> Tensor:
    first, row, column, = torch.unbind(ids, 2)
    angle0 = __torch__.flux_transformer.rope_axis(first, self.first_axis, self.theta, )
    angle1 = __torch__.flux_transformer.rope_axis(row, self.row_axis, self.theta, )
    angle2 = __torch__.flux_transformer.rope_axis(column, self.column_axis, self.theta, )
    angle = torch.cat([angle0, angle1, angle2], 2)
    rope = torch.to(torch.polar(torch.ones_like(angle), angle), 9)
    return torch.unsqueeze(torch.unsqueeze(rope, 2), 3)

  # Tells that forward takes modulation rows, which are modulation.pt's results.
  def takes_modulation(self: __torch__.flux_transformer.Flux) -> bool:
    return True

  # img: [batch, tokens, channels], img_ids: [batch, tokens, 3], txt: [batch, text tokens, text width],
  # txt_ids: [text tokens, 3], modulation: [batch, rows, hidden]
  def forward(self: __torch__.flux_transformer.Flux, img: Tensor, img_ids: Tensor, txt: Tensor, txt_ids: Tensor, modulation: Tensor) -> Tensor:
    dtype = self.img_in.bias.dtype
    ids = torch.cat([torch.expand(torch.unsqueeze(txt_ids, 0), [torch.size(img, 0), -1, -1]), img_ids], 1)
    rope = (self).rope(ids, )
    rows = torch.to(modulation, dtype)
    img = (self.img_in).forward(torch.to(img, dtype), )
    txt = (self.txt_in).forward(torch.to(txt, dtype), )
    img, txt, = (self.double_blocks).forward(img, txt, rows, rope, )
    x = (self.single_blocks).forward(torch.cat([txt, img], 1), rows, rope, )
    img = torch.slice(x, 1, torch.size(txt, 1))
    return torch.to((self.final_layer).forward(img, torch.slice(rows, 1, -2), ), 6)
