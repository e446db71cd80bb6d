# Layers that the networks share. Weights may lie in host memory while x is on a GPU, or be narrower
# than x: they follow x, layer by layer, which costs nothing where both agree.

class Linear(Module):
  __parameters__ = ["weight", "bias", ]
  __buffers__ = []
  weight : Tensor
  bias : Tensor
  def forward(self: __torch__.layers.Linear, x: Tensor) -> Tensor:
    weight = torch.to(self.weight, x.device, x.dtype)
    return torch.linear(x, weight, torch.to(self.bias, x.device))

# A linear layer with 8-bit weights and a scale for each row. Integers up to 127 are exact in every
# floating-point type, so that the scale can be put on the result, which is smaller. A weight travels
# as it is and is widened where it is used.
class Int8Linear(Module):
  __parameters__ = []
  __buffers__ = ["weight", "scale", "bias", ]
  weight : Tensor
  scale : Tensor
  bias : Tensor
  def forward(self: __torch__.layers.Int8Linear, x: Tensor) -> Tensor:
    weight = torch.to(torch.to(self.weight, x.device), x.dtype)
    scale = torch.to(torch.to(self.scale, x.device), x.dtype)
    return torch.addcmul(torch.to(self.bias, x.device), torch.linear(x, weight), scale)

class Projection(Module):
  __parameters__ = ["weight", ]
  __buffers__ = []
  weight : Tensor
  def forward(self: __torch__.layers.Projection, x: Tensor) -> Tensor:
    return torch.linear(x, torch.to(self.weight, x.device, x.dtype))

class Int8Projection(Module):
  __parameters__ = []
  __buffers__ = ["weight", "scale", ]
  weight : Tensor
  scale : Tensor
  def forward(self: __torch__.layers.Int8Projection, x: Tensor) -> Tensor:
    weight = torch.to(torch.to(self.weight, x.device), x.dtype)
    return torch.mul(torch.linear(x, weight), torch.to(torch.to(self.scale, x.device), x.dtype))

class Embedding(Module):
  __parameters__ = ["weight", ]
  __buffers__ = []
  weight : Tensor
  def forward(self: __torch__.layers.Embedding, ids: Tensor) -> Tensor:
    rows = torch.embedding(self.weight, torch.to(ids, self.weight.device))
    return torch.to(rows, ids.device)

class LayerNorm(Module):
  __parameters__ = ["weight", "bias", ]
  __buffers__ = []
  weight : Tensor
  bias : Tensor
  eps : float
  def forward(self: __torch__.layers.LayerNorm, x: Tensor) -> Tensor:
    weight = torch.to(self.weight, x.device)
    return torch.layer_norm(x, [torch.size(x, -1)], weight, torch.to(self.bias, x.device), self.eps)
