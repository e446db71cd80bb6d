# Two linear layers and two convolutions, in float32 (type 6) and in bfloat16 (type 15).

# x: float32 [128, 256]; an input, because what depends on none is computed once and remembered.
def trial(x: Tensor, dtype: int) -> Tensor:
  x = torch.to(x, dtype)
  weight = torch.ones([256, 256], dtype=dtype)
  lines = torch.linear(torch.linear(x, weight), weight)
  kernel = torch.ones([32, 32, 3, 3], dtype=dtype)
  image = torch.conv2d(torch.reshape(x, [1, 32, 32, 32]), kernel, None, [1, 1], [1, 1])
  image = torch.conv2d(image, kernel, None, [1, 1], [1, 1])
  return torch.to(torch.add(torch.sum(lines), torch.sum(image)), 6)

class Trial(Module):
  __parameters__ = []
  __buffers__ = []
  # Whether oneDNN takes bfloat16 at all, with units or without, under the limits set for it.
  def is_known(self: __torch__.bfloat16_units.Trial) -> bool:
    return ops.mkldnn._is_mkldnn_bf16_supported()
  def float32(self: __torch__.bfloat16_units.Trial, x: Tensor) -> Tensor:
    return __torch__.bfloat16_units.trial(x, 6, )
  def bfloat16(self: __torch__.bfloat16_units.Trial, x: Tensor) -> Tensor:
    return __torch__.bfloat16_units.trial(x, 15, )
