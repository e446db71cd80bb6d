"""FluxTransformer2DModel with the parameter names of diffusers."""
import math

import torch
import torch.nn as nn
import torch.nn.functional as F


class Plain:
    """The operators of a block in PyTorch alone; fast_cpu.py has the same for one CPU core."""

    @staticmethod
    def linear(x, weight, bias):
        return F.linear(x, weight, bias)

    @staticmethod
    def ln_mod(x, shift, scale):
        return F.layer_norm(x, x.shape[-1:], eps=1e-6) * (1 + scale[:, None]) + shift[:, None]

    @staticmethod
    def gate(x, g, y):
        return x + g[:, None] * y

    @staticmethod
    def gelu(x):
        return F.gelu(x, approximate="tanh")

    @staticmethod
    def attention(heads, cos, sin, *streams):
        qs, ks, vs = [], [], []
        for z, wq, wk in zip(streams[0::3], streams[1::3], streams[2::3]):
            q, k, v = z.unflatten(-1, (3, heads, -1)).permute(2, 0, 3, 1, 4)
            qs.append(rms(q) * wq), ks.append(rms(k) * wk), vs.append(v)
        q, k, v = rotate(torch.cat(qs, 2), cos, sin), rotate(torch.cat(ks, 2), cos, sin), torch.cat(vs, 2)
        p = torch.softmax((q @ k.transpose(-1, -2)).float() * q.shape[-1] ** -0.5, -1).to(v.dtype)
        return (p @ v).transpose(1, 2).flatten(2)


def rms(x):
    x = x.float()
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6)


def rotate(x, cos, sin):
    x0, x1 = x[..., 0::2], x[..., 1::2]
    return torch.stack([x0 * cos - x1 * sin, x1 * cos + x0 * sin], -1).flatten(-2)


def rope(ids, axes):
    angles = [ids[:, k].double()[:, None] / 10000.0 ** (torch.arange(0, d, 2, device=ids.device).double() / d)
              for k, d in enumerate(axes)]
    angles = torch.cat(angles, -1)
    return angles.cos().float(), angles.sin().float()


def sinusoid(t):
    f = torch.exp(-math.log(10000) * torch.arange(128, device=t.device).float() / 128)
    a = t.float()[:, None] * 1000 * f
    return torch.cat([a.cos(), a.sin()], -1)


class Gain(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(d))


class Embedder(nn.Module):
    def __init__(self, i, d):
        super().__init__()
        self.linear_1, self.linear_2 = nn.Linear(i, d), nn.Linear(d, d)

    def forward(self, x):
        return self.linear_2(F.silu(self.linear_1(x)))


class TimeText(nn.Module):
    def __init__(self, d, pooled, guidance):
        super().__init__()
        self.timestep_embedder, self.text_embedder = Embedder(256, d), Embedder(pooled, d)
        if guidance:
            self.guidance_embedder = Embedder(256, d)

    def forward(self, t, pooled, guidance):
        v = self.timestep_embedder(sinusoid(t)) + self.text_embedder(pooled)
        return v if guidance is None else v + self.guidance_embedder(sinusoid(guidance))


class Modulation(nn.Module):
    def __init__(self, d, n):
        super().__init__()
        self.linear = nn.Linear(d, n * d)
        self.n = n

    def forward(self, v):
        return self.linear(v).float().chunk(self.n, -1)


class FeedForward(nn.Module):
    def __init__(self, d):
        super().__init__()
        first = nn.Module()
        first.proj = nn.Linear(d, 4 * d)
        self.net = nn.ModuleList([first, nn.Identity(), nn.Linear(4 * d, d)])

    def forward(self, x, ops):
        h = ops.gelu(ops.linear(x, self.net[0].proj.weight, self.net[0].proj.bias))
        return ops.linear(h, self.net[2].weight, self.net[2].bias)


def fused(ops, x, *layers):
    return ops.linear(x, torch.cat([l.weight for l in layers]), torch.cat([l.bias for l in layers]))


class JointAttention(nn.Module):
    def __init__(self, d, heads, double):
        super().__init__()
        for name in ("to_q", "to_k", "to_v") + (("add_q_proj", "add_k_proj", "add_v_proj", "to_add_out") if double else ()):
            setattr(self, name, nn.Linear(d, d))
        for name in ("norm_q", "norm_k") + (("norm_added_q", "norm_added_k") if double else ()):
            setattr(self, name, Gain(d // heads))
        if double:
            self.to_out = nn.ModuleList([nn.Linear(d, d)])


class Double(nn.Module):
    def __init__(self, d, heads):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm1_context = Modulation(d, 6), Modulation(d, 6)
        self.attn = JointAttention(d, heads, True)
        self.ff, self.ff_context = FeedForward(d), FeedForward(d)

    def forward(self, x, c, v, cos, sin, ops):
        a = self.attn
        shift1, scale1, gate1, shift2, scale2, gate2 = self.norm1(v)
        cshift1, cscale1, cgate1, cshift2, cscale2, cgate2 = self.norm1_context(v)
        zx = fused(ops, ops.ln_mod(x, shift1, scale1), a.to_q, a.to_k, a.to_v)
        zc = fused(ops, ops.ln_mod(c, cshift1, cscale1), a.add_q_proj, a.add_k_proj, a.add_v_proj)
        o = ops.attention(self.heads, cos, sin, zc, a.norm_added_q.weight, a.norm_added_k.weight,
                          zx, a.norm_q.weight, a.norm_k.weight)
        oc, ox = o.split([c.shape[1], x.shape[1]], 1)
        x = ops.gate(x, gate1, ops.linear(ox, a.to_out[0].weight, a.to_out[0].bias))
        c = ops.gate(c, cgate1, ops.linear(oc, a.to_add_out.weight, a.to_add_out.bias))
        x = ops.gate(x, gate2, self.ff(ops.ln_mod(x, shift2, scale2), ops))
        c = ops.gate(c, cgate2, self.ff_context(ops.ln_mod(c, cshift2, cscale2), ops))
        return x, c


class Single(nn.Module):
    def __init__(self, d, heads):
        super().__init__()
        self.heads = heads
        self.norm = Modulation(d, 3)
        self.proj_mlp, self.proj_out = nn.Linear(d, 4 * d), nn.Linear(5 * d, d)
        self.attn = JointAttention(d, heads, False)

    def forward(self, x, v, cos, sin, ops):
        a, d = self.attn, x.shape[-1]
        shift, scale, gate = self.norm(v)
        y = ops.ln_mod(x, shift, scale)
        o = ops.attention(self.heads, cos, sin, fused(ops, y, a.to_q, a.to_k, a.to_v), a.norm_q.weight, a.norm_k.weight)
        m = ops.gelu(ops.linear(y, self.proj_mlp.weight, self.proj_mlp.bias))
        # The product with [attention, mlp], without copying the two together.
        w, b = self.proj_out.weight, self.proj_out.bias
        return ops.gate(x, gate, ops.linear(o, w[:, :d], b) + ops.linear(m, w[:, d:], torch.zeros_like(b)))


class Flux(nn.Module):
    def __init__(self, width=192, heads=3, axes=(16, 24, 24), double=2, single=7, joint=96, pooled=128, channels=64,
                 guidance=False):
        super().__init__()
        assert sum(axes) == width // heads
        self.axes, self.ops = axes, Plain
        self.config = dict(
            _class_name="FluxTransformer2DModel", attention_head_dim=width // heads, axes_dims_rope=list(axes),
            guidance_embeds=guidance, in_channels=channels, joint_attention_dim=joint, num_attention_heads=heads,
            num_layers=double, num_single_layers=single, patch_size=1, pooled_projection_dim=pooled)
        self.x_embedder, self.context_embedder = nn.Linear(channels, width), nn.Linear(joint, width)
        self.time_text_embed = TimeText(width, pooled, guidance)
        self.transformer_blocks = nn.ModuleList([Double(width, heads) for _ in range(double)])
        self.single_transformer_blocks = nn.ModuleList([Single(width, heads) for _ in range(single)])
        self.norm_out = Modulation(width, 2)
        self.proj_out = nn.Linear(width, channels)
        for name, p in self.named_parameters():
            # adaLN-zero: every block starts as the identity, the network as zero; guidance starts without effect.
            zero = (name.endswith("bias") or "norm1" in name or ".norm.linear" in name or "guidance_embedder.linear_2" in name
                    or name.startswith(("norm_out", "proj_out")))
            if zero:
                nn.init.zeros_(p)
            elif p.dim() == 2:
                nn.init.xavier_uniform_(p)

    def forward(self, x, context, pooled, t, img_ids, txt_ids, guidance=None, after=None):
        """x [B, N, 64], context [B, L, joint], pooled [B, P], t (sigma) [B], ids [N, 3] and [L, 3], guidance [B] if it has
        the embedding; gives the velocity, and what the image tokens are after so many single blocks if asked."""
        ops = self.ops
        cos, sin = rope(torch.cat([txt_ids, img_ids]), self.axes)
        v = F.silu(self.time_text_embed(t, pooled, guidance))
        x = ops.linear(x, self.x_embedder.weight, self.x_embedder.bias).float()
        c = ops.linear(context, self.context_embedder.weight, self.context_embedder.bias).float()
        for block in self.transformer_blocks:
            x, c = block(x, c, v, cos, sin, ops)
        length = c.shape[1]
        x = torch.cat([c, x], 1)
        for k, block in enumerate(self.single_transformer_blocks):
            if k == after:
                inside = x[:, length:]
            x = block(x, v, cos, sin, ops)
        scale, shift = self.norm_out(v)
        x = ops.ln_mod(x[:, length:], shift, scale)
        x = ops.linear(x, self.proj_out.weight, self.proj_out.bias)
        return x if after is None else (x, inside)


def position_ids(rows, columns):
    ids = torch.zeros(rows, columns, 3)
    ids[..., 1] = torch.arange(rows)[:, None]
    ids[..., 2] = torch.arange(columns)
    return ids.reshape(-1, 3)


def pack(z):
    """[B, 16, 2r, 2c] to tokens [B, r c, 64]: token row-major, channel 4 c + 2 dy + dx."""
    b, c, h, w = z.shape
    return z.reshape(b, c, h // 2, 2, w // 2, 2).permute(0, 2, 4, 1, 3, 5).reshape(b, h * w // 4, 4 * c)


def unpack(x, rows, columns):
    b, _, c = x.shape
    return x.reshape(b, rows, columns, c // 4, 2, 2).permute(0, 3, 1, 4, 2, 5).reshape(b, c // 4, 2 * rows, 2 * columns)
