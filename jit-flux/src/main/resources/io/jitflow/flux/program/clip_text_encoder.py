# The CLIP text encoder. Names follow the published checkpoints.

class CLIPTextEmbeddings(Module):
  __parameters__ = []
  __buffers__ = []
  token_embedding : __torch__.layers.Embedding
  position_embedding : __torch__.layers.Embedding
  def forward(self: __torch__.clip_text_encoder.CLIPTextEmbeddings, input_ids: Tensor) -> Tensor:
    positions = torch.slice(self.position_embedding.weight, 0, 0, torch.size(input_ids, 1))
    return torch.add((self.token_embedding).forward(input_ids, ), torch.to(positions, input_ids.device))

class CLIPAttention(Module):
  __parameters__ = []
  __buffers__ = []
  heads : int
  q_proj : __torch__.layers.Linear
  k_proj : __torch__.layers.Linear
  v_proj : __torch__.layers.Linear
  out_proj : __torch__.layers.Linear
  def split(self: __torch__.clip_text_encoder.CLIPAttention, x: Tensor) -> Tensor:
    return torch.transpose(torch.unflatten(x, 2, [self.heads, -1]), 1, 2)
  def forward(self: __torch__.clip_text_encoder.CLIPAttention, x: Tensor) -> Tensor:
    q = (self).split((self.q_proj).forward(x, ), )
    k = (self).split((self.k_proj).forward(x, ), )
    v = (self).split((self.v_proj).forward(x, ), )
    x = torch.scaled_dot_product_attention(q, k, v, None, 0., True)
    return (self.out_proj).forward(torch.flatten(torch.transpose(x, 1, 2), 2), )

class CLIPMLP(Module):
  __parameters__ = []
  __buffers__ = []
  fc1 : __torch__.layers.Linear
  fc2 : __torch__.layers.Linear
  def forward(self: __torch__.clip_text_encoder.CLIPMLP, x: Tensor) -> Tensor:
    x = (self.fc1).forward(x, )
    x = torch.mul(x, torch.sigmoid(torch.mul(x, 1.702)))  # if quick_gelu
    x = torch.gelu(x)  # if gelu
    return (self.fc2).forward(x, )

class CLIPEncoderLayer(Module):
  __parameters__ = []
  __buffers__ = []
  layer_norm1 : __torch__.layers.LayerNorm
  self_attn : __torch__.clip_text_encoder.CLIPAttention
  layer_norm2 : __torch__.layers.LayerNorm
  mlp : __torch__.clip_text_encoder.CLIPMLP
  def forward(self: __torch__.clip_text_encoder.CLIPEncoderLayer, x: Tensor) -> Tensor:
    x = torch.add(x, (self.self_attn).forward((self.layer_norm1).forward(x, ), ))
    return torch.add(x, (self.mlp).forward((self.layer_norm2).forward(x, ), ))

class CLIPLayers(Module):
  __parameters__ = []
  __buffers__ = []
  __annotations__ = []
  __annotations__["{i}"] = __torch__.clip_text_encoder.CLIPEncoderLayer  # for each layer
  def forward(self: __torch__.clip_text_encoder.CLIPLayers, x: Tensor) -> Tensor:
    x = (getattr(self, "{i}")).forward(x, )  # for each layer
    return x

class CLIPEncoder(Module):
  __parameters__ = []
  __buffers__ = []
  layers : __torch__.clip_text_encoder.CLIPLayers
  def forward(self: __torch__.clip_text_encoder.CLIPEncoder, x: Tensor) -> Tensor:
    return (self.layers).forward(x, )

class CLIPTextTransformer(Module):
  __parameters__ = []
  __buffers__ = []
  eos_token_id : int
  embeddings : __torch__.clip_text_encoder.CLIPTextEmbeddings
  encoder : __torch__.clip_text_encoder.CLIPEncoder
  final_layer_norm : __torch__.layers.LayerNorm

  # Where the pooled embedding is taken. Configurations with eos_token_id 2 predate the correct
  # number; for them it is the position of the largest id.
  def pooled_position(self: __torch__.clip_text_encoder.CLIPTextTransformer, input_ids: Tensor) -> Tensor:
    if torch.eq(self.eos_token_id, 2):
      position = torch.argmax(input_ids, 1)
    else:
      position = torch.argmax(torch.to(torch.eq(input_ids, self.eos_token_id), 3), 1)
    return position

  def forward(self: __torch__.clip_text_encoder.CLIPTextTransformer, input_ids: Tensor) -> Tuple[Tensor, Tensor]:
    x = (self.encoder).forward((self.embeddings).forward(input_ids, ), )
    x = torch.to((self.final_layer_norm).forward(x, ), 6)
    position = torch.unsqueeze(torch.unsqueeze((self).pooled_position(input_ids, ), 1), 2)
    pooled = torch.gather(x, 1, torch.expand(position, [-1, -1, torch.size(x, 2)]))
    return (x, torch.squeeze(pooled, 1))

class CLIPTextEncoder(Module):
  __parameters__ = []
  __buffers__ = []
  text_model : __torch__.clip_text_encoder.CLIPTextTransformer
  # input_ids: int64 [batch, tokens] -> last hidden state [batch, tokens, width], pooled [batch, width]
  def forward(self: __torch__.clip_text_encoder.CLIPTextEncoder, input_ids: Tensor) -> Tuple[Tensor, Tensor]:
    return (self.text_model).forward(input_ids, )
