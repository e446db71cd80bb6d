# Layers that the networks share.

class Linear(Module):
  __parameters__ = ["weight", "bias", ]
  __buffers__ = []
  weight : Tensor
  bias : Tensor
  def forward(self: __torch__.layers.Linear, x: Tensor) -> Tensor:
    return torch.linear(x, self.weight, self.bias)

class Projection(Module):
  __parameters__ = ["weight", ]
  __buffers__ = []
  weight : Tensor
  def forward(self: __torch__.layers.Projection, x: Tensor) -> Tensor:
    return torch.linear(x, self.weight)

class Embedding(Module):
  __parameters__ = ["weight", ]
  __buffers__ = []
  weight : Tensor
  def forward(self: __torch__.layers.Embedding, ids: Tensor) -> Tensor:
    return torch.embedding(self.weight, ids)

class LayerNorm(Module):
  __parameters__ = ["weight", "bias", ]
  __buffers__ = []
  weight : Tensor
  bias : Tensor
  eps : float
  def forward(self: __torch__.layers.LayerNorm, x: Tensor) -> Tensor:
    return torch.layer_norm(x, [torch.size(x, -1)], self.weight, self.bias, self.eps)
