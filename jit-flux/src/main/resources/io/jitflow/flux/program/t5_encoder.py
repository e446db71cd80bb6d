# The T5 v1.1 encoder. Names follow the published checkpoints.
# The token stream has the type of the "wo" projections: where the others are float16 and these are
# float32, sums and products that exceed float16 stay in float32. With 8-bit projections, and where
# the norms are wider, it has the type of the norms.

class T5LayerNorm(Module):
  __parameters__ = ["weight", ]
  __buffers__ = []
  weight : Tensor
  eps : float
  def forward(self: __torch__.t5_encoder.T5LayerNorm, x: Tensor) -> Tensor:
    wide = torch.to(x, 6)
    rrms = torch.rsqrt(torch.add(torch.mean(torch.square(wide), [-1], True), self.eps))
    weight = torch.to(self.weight, x.device)
    return torch.mul(torch.to(torch.mul(wide, rrms), weight.dtype), weight)

class RelativeAttentionBias(Module):
  __parameters__ = ["weight", ]
  __buffers__ = []
  weight : Tensor
  buckets : int
  max_distance : int
  # Half of the buckets for each direction; in each, half for single distances and half for
  # distances that grow logarithmically.
  def bucket(self: __torch__.t5_encoder.RelativeAttentionBias, distance: Tensor) -> Tensor:
    half = self.buckets // 2
    exact = half // 2
    behind = torch.mul(torch.to(torch.gt(distance, 0), 4), half)
    distance = torch.abs(distance)
    ratio = torch.div(torch.to(torch.clamp(distance, exact), 6), exact)
    # Two quotients, as in the reference: the truncation below is sensitive to the last bit.
    growth = torch.div(torch.log(ratio), torch.log(self.max_distance / exact))
    far = torch.add(torch.to(torch.mul(growth, half - exact), 4), exact)
    far = torch.clamp(far, None, half - 1)
    return torch.add(behind, torch.where(torch.lt(distance, exact), distance, far))
  # [1, heads, length, length]
  def forward(self: __torch__.t5_encoder.RelativeAttentionBias, length: int, x: Tensor) -> Tensor:
    position = torch.arange(length, dtype=4, device=x.device)
    distance = torch.sub(torch.unsqueeze(position, 0), torch.unsqueeze(position, 1))
    bias = torch.embedding(torch.to(self.weight, x.device), (self).bucket(distance, ))
    return torch.contiguous(torch.unsqueeze(torch.permute(bias, [2, 0, 1]), 0))

class T5Attention(Module):
  __parameters__ = []
  __buffers__ = []
  heads : int
  q : __torch__.layers.{Projection}
  k : __torch__.layers.{Projection}
  v : __torch__.layers.{Projection}
  o : __torch__.layers.{Projection}
  def split(self: __torch__.t5_encoder.T5Attention, x: Tensor) -> Tensor:
    return torch.transpose(torch.unflatten(x, 2, [self.heads, -1]), 1, 2)
  # The logits are not scaled.
  def forward(self: __torch__.t5_encoder.T5Attention, x: Tensor, bias: Tensor) -> Tensor:
    q = (self).split((self.q).forward(x, ), )
    k = (self).split((self.k).forward(x, ), )
    v = (self).split((self.v).forward(x, ), )
    x = torch.scaled_dot_product_attention(q, k, v, torch.to(bias, q.dtype), 0., False, scale=1.)
    return (self.o).forward(torch.flatten(torch.transpose(x, 1, 2), 2), )

class T5LayerSelfAttention(Module):
  __parameters__ = []
  __buffers__ = []
  SelfAttention : __torch__.t5_encoder.T5Attention
  layer_norm : __torch__.t5_encoder.T5LayerNorm
  def forward(self: __torch__.t5_encoder.T5LayerSelfAttention, x: Tensor, bias: Tensor) -> Tensor:
    return torch.add(x, (self.SelfAttention).forward((self.layer_norm).forward(x, ), bias, ))

class T5DenseGatedGelu(Module):
  __parameters__ = []
  __buffers__ = []
  wi_0 : __torch__.layers.{Projection}
  wi_1 : __torch__.layers.{Projection}
  wo : __torch__.layers.{Projection}
  def forward(self: __torch__.t5_encoder.T5DenseGatedGelu, x: Tensor) -> Tensor:
    gate = torch.gelu((self.wi_0).forward(x, ), approximate="tanh")
    x = torch.mul(gate, (self.wi_1).forward(x, ))
    x = torch.to(x, torch.promote_types(x.dtype, self.wo.weight.dtype))  # if floating
    return (self.wo).forward(x, )

class T5LayerFF(Module):
  __parameters__ = []
  __buffers__ = []
  DenseReluDense : __torch__.t5_encoder.T5DenseGatedGelu
  layer_norm : __torch__.t5_encoder.T5LayerNorm
  def forward(self: __torch__.t5_encoder.T5LayerFF, x: Tensor) -> Tensor:
    return torch.add(x, (self.DenseReluDense).forward((self.layer_norm).forward(x, ), ))

class T5BlockLayers(Module):
  __parameters__ = []
  __buffers__ = []
  __annotations__ = []
  __annotations__["0"] = __torch__.t5_encoder.T5LayerSelfAttention
  __annotations__["1"] = __torch__.t5_encoder.T5LayerFF
  def forward(self: __torch__.t5_encoder.T5BlockLayers, x: Tensor, bias: Tensor) -> Tensor:
    return (getattr(self, "1")).forward((getattr(self, "0")).forward(x, bias, ), )

class T5Block(Module):
  __parameters__ = []
  __buffers__ = []
  layer : __torch__.t5_encoder.T5BlockLayers
  def forward(self: __torch__.t5_encoder.T5Block, x: Tensor, bias: Tensor) -> Tensor:
    return (self.layer).forward(x, bias, )
  def stream_dtype(self: __torch__.t5_encoder.T5Block) -> int:
    feed_forward = getattr(self.layer, "1")
    dtype = feed_forward.layer_norm.weight.dtype
    dtype = torch.promote_types(dtype, feed_forward.DenseReluDense.wo.weight.dtype)  # if floating
    return dtype

class T5Blocks(Module):
  __parameters__ = []
  __buffers__ = []
  __annotations__ = []
  __annotations__["{i}"] = __torch__.t5_encoder.T5Block  # for each block
  def forward(self: __torch__.t5_encoder.T5Blocks, x: Tensor, bias: Tensor) -> Tensor:
    x = torch.to(x, (getattr(self, "0")).stream_dtype())
    x = (getattr(self, "{i}")).forward(x, bias, )  # for each block
    return x

class T5Stack(Module):
  __parameters__ = []
  __buffers__ = []
  relative_attention_bias : __torch__.t5_encoder.RelativeAttentionBias
  block : __torch__.t5_encoder.T5Blocks
  final_layer_norm : __torch__.t5_encoder.T5LayerNorm
  def forward(self: __torch__.t5_encoder.T5Stack, x: Tensor) -> Tensor:
    bias = (self.relative_attention_bias).forward(torch.size(x, 1), x, )
    return (self.final_layer_norm).forward((self.block).forward(x, bias, ), )

class T5Encoder(Module):
  __parameters__ = []
  __buffers__ = []
  shared : __torch__.layers.Embedding
  encoder : __torch__.t5_encoder.T5Stack
  # input_ids: int64 [batch, tokens] -> [batch, tokens, width]
  def forward(self: __torch__.t5_encoder.T5Encoder, input_ids: Tensor) -> Tensor:
    return torch.to((self.encoder).forward((self.shared).forward(input_ids, ), ), 6)
