# Everything of the FLUX.1 transformer that depends on noise level, guidance and pooled prompt alone:
# shifts, scales and gates of all blocks. Names follow black-forest-labs/flux.

def timestep_embedding(t: Tensor, dtype: int) -> Tensor:
  # The factor 1000 is applied in the type of the weights, as in the reference.
  t = torch.to(torch.mul(torch.to(t, dtype), 1000.), 6)
  k = torch.arange(0, 128, dtype=6, device=t.device)
  # Float32 exponents as in the reference, but an exact exp: angles reach 3500, where the last bit of
  # a frequency shows.
  exponents = torch.div(torch.mul(k, -9.210340371976184), 128)
  freqs = torch.to(torch.exp(torch.to(exponents, 7)), 6)
  args = torch.mul(torch.unsqueeze(t, 1), torch.unsqueeze(freqs, 0))
  return torch.to(torch.cat([torch.cos(args), torch.sin(args)], 1), dtype)

class MLPEmbedder(Module):
  __parameters__ = []
  __buffers__ = []
  in_layer : __torch__.layers.Linear
  out_layer : __torch__.layers.Linear
  def forward(self: __torch__.flux_modulation.MLPEmbedder, x: Tensor) -> Tensor:
    return (self.out_layer).forward(torch.silu((self.in_layer).forward(x, )), )

# [batch, count, hidden]
class Modulation(Module):
  __parameters__ = []
  __buffers__ = []
  lin : __torch__.layers.Linear
  def forward(self: __torch__.flux_modulation.Modulation, activated: Tensor) -> Tensor:
    return torch.unflatten((self.lin).forward(activated, ), 1, [-1, torch.size(activated, 1)])

class AdaLN(Module):
  __parameters__ = []
  __buffers__ = []
  __annotations__ = []
  __annotations__["1"] = __torch__.layers.Linear
  def forward(self: __torch__.flux_modulation.AdaLN, activated: Tensor) -> Tensor:
    return torch.unflatten((getattr(self, "1")).forward(activated, ), 1, [-1, torch.size(activated, 1)])

class DoubleStreamBlock(Module):
  __parameters__ = []
  __buffers__ = []
  img_mod : __torch__.flux_modulation.Modulation
  txt_mod : __torch__.flux_modulation.Modulation
  def forward(self: __torch__.flux_modulation.DoubleStreamBlock, activated: Tensor) -> List[Tensor]:
    return [(self.img_mod).forward(activated, ), (self.txt_mod).forward(activated, )]

class SingleStreamBlock(Module):
  __parameters__ = []
  __buffers__ = []
  modulation : __torch__.flux_modulation.Modulation
  def forward(self: __torch__.flux_modulation.SingleStreamBlock, activated: Tensor) -> List[Tensor]:
    return [(self.modulation).forward(activated, )]

class DoubleBlocks(Module):
  __parameters__ = []
  __buffers__ = []
  __annotations__ = []
  __annotations__["{i}"] = __torch__.flux_modulation.DoubleStreamBlock  # for each double_block
  def forward(self: __torch__.flux_modulation.DoubleBlocks, activated: Tensor) -> List[Tensor]:
    rows = annotate(List[Tensor], [])
    rows = torch.add(rows, (getattr(self, "{i}")).forward(activated, ))  # for each double_block
    return rows

class SingleBlocks(Module):
  __parameters__ = []
  __buffers__ = []
  __annotations__ = []
  __annotations__["{i}"] = __torch__.flux_modulation.SingleStreamBlock  # for each single_block
  def forward(self: __torch__.flux_modulation.SingleBlocks, activated: Tensor) -> List[Tensor]:
    rows = annotate(List[Tensor], [])
    rows = torch.add(rows, (getattr(self, "{i}")).forward(activated, ))  # for each single_block
    return rows

class LastLayer(Module):
  __parameters__ = []
  __buffers__ = []
  adaLN_modulation : __torch__.flux_modulation.AdaLN

class FluxModulation(Module):
  __parameters__ = []
  __buffers__ = []
  time_in : __torch__.flux_modulation.MLPEmbedder
  guidance_in : __torch__.flux_modulation.MLPEmbedder  # if guidance
  vector_in : __torch__.flux_modulation.MLPEmbedder
  double_blocks : __torch__.flux_modulation.DoubleBlocks
  single_blocks : __torch__.flux_modulation.SingleBlocks
  final_layer : __torch__.flux_modulation.LastLayer
  # vec: [batch, pooled width], timestep and guidance: [batch] -> [batch, rows, hidden], rows in the
  # order of the blocks: 12 of each double block (image, then text), 3 of each single block, 2 of the
  # last layer
  def forward(self: __torch__.flux_modulation.FluxModulation, vec: Tensor, timestep: Tensor, guidance: Tensor) -> Tensor:
    dtype = self.vector_in.in_layer.bias.dtype
    temb = (self.time_in).forward(__torch__.flux_modulation.timestep_embedding(timestep, dtype, ), )
    guided = (self.guidance_in).forward(__torch__.flux_modulation.timestep_embedding(guidance, dtype, ), )  # if guidance
    temb = torch.add(temb, guided)  # if guidance
    temb = torch.add(temb, (self.vector_in).forward(torch.to(vec, dtype), ))
    activated = torch.silu(temb)
    rows = (self.double_blocks).forward(activated, )
    rows = torch.add(rows, (self.single_blocks).forward(activated, ))
    rows = torch.add(rows, [(self.final_layer.adaLN_modulation).forward(activated, )])
    return torch.to(torch.cat(rows, 1), 6)
