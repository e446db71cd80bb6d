"""The operators of flux.py for training on one CPU core: C kernels around PyTorch's matrix products.

flux.py works without them (on CUDA, or where there is no C compiler)."""
import ctypes
import hashlib
import os
import platform
import subprocess
import tempfile

import torch
import torch.nn.functional as F
from torch.autograd import Function

import precision

E = precision.CPU  # what goes in and out of a kernel


def build():
    """Compiles the kernels, or takes what an earlier process compiled from the same source."""
    source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "kernels.c")
    name = "kernels-" + hashlib.sha256(open(source, "rb").read()).hexdigest()[:16] + f"-{str(E)[6:]}-{os.getuid()}.so"
    target = os.path.join(tempfile.gettempdir(), name)
    if not os.path.exists(target):
        part = f"{target}.{os.getpid()}"
        float32 = ["-DFLOAT32"] if E == torch.float32 else []
        wide = ["-mprefer-vector-width=512"] if platform.machine() in ("x86_64", "AMD64") else []
        subprocess.run(["gcc", *float32, "-O3", "-march=native", *wide, "-ffast-math", "-shared", "-fPIC", source, "-o", part,
                        "-lm"], check=True)
        os.replace(part, target)
    return ctypes.CDLL(target)


C = build()


def call(name, *arguments):
    values = []
    for v in arguments:
        if torch.is_tensor(v):
            assert v.is_contiguous(), name
            values.append(ctypes.c_void_p(v.data_ptr()))
        else:
            values.append(ctypes.c_float(v) if isinstance(v, float) else ctypes.c_long(v))
    getattr(C, name)(*values)


class Linear(Function):
    @staticmethod
    def forward(ctx, x, weight, bias):
        x, w = x.to(E).contiguous(), weight.to(E)
        ctx.save_for_backward(x, w)
        y = F.linear(x, w)  # with a bias, PyTorch first fills the output with copies of it
        call("add_bias", y, bias.float().contiguous(), y.numel() // len(w), len(w))
        return y

    @staticmethod
    def backward(ctx, g):
        x, w = ctx.saved_tensors
        g = g.to(E).contiguous()
        g2, x2 = g.view(-1, g.shape[-1]), x.view(-1, x.shape[-1])
        db = torch.zeros(g.shape[-1])
        call("columns", g2, db, len(g2), g.shape[-1])
        dx = (g2 @ w).view(x.shape) if ctx.needs_input_grad[0] else None
        return dx, (g2.t() @ x2).float(), db


class LnMod(Function):
    @staticmethod
    def forward(ctx, x, shift, scale):
        x, shift, scale = x.contiguous(), shift.float().contiguous(), scale.float().contiguous()
        b, n, d = x.shape
        y, stat = torch.empty(b, n, d, dtype=E), torch.empty(b, n, 2)
        call("ln_mod", x, shift, scale, y, stat, b, n, d)
        ctx.save_for_backward(x, scale, stat)
        return y

    @staticmethod
    def backward(ctx, dy):
        x, scale, stat = ctx.saved_tensors
        b, n, d = x.shape
        dx, dshift, dscale = torch.empty(b, n, d), torch.zeros(b, d), torch.zeros(b, d)
        call("ln_mod_back", dy.contiguous(), x, scale, stat, dx, dshift, dscale, b, n, d)
        return dx, dshift, dscale


class Gate(Function):
    @staticmethod
    def forward(ctx, x, g, y):
        x, g, y = x.contiguous(), g.float().contiguous(), y.contiguous()
        out = torch.empty_like(x)
        call("gate", x, g, y, out, *x.shape)
        ctx.save_for_backward(g, y)
        return out

    @staticmethod
    def backward(ctx, dout):
        g, y = ctx.saved_tensors
        dout = dout.contiguous()
        dy, dg = torch.empty_like(y), torch.zeros_like(g)
        call("gate_back", dout, g, y, dy, dg, *y.shape)
        return dout, dg, dy


class Gelu(Function):
    @staticmethod
    def forward(ctx, x):
        x = x.contiguous()
        y = torch.empty_like(x)
        call("gelu", x, y, x.numel())
        ctx.save_for_backward(x)
        return y

    @staticmethod
    def backward(ctx, dy):
        x, = ctx.saved_tensors
        dx = torch.empty_like(x)
        call("gelu_back", x, dy.contiguous(), dx, x.numel())
        return dx


class Attention(Function):
    """Any number of streams (text, image), each (z, wq, wk) with z [B, N, 3 h D], attend jointly; gives [B, T, h D]."""

    @staticmethod
    def forward(ctx, heads, cos, sin, *streams):
        streams = [t.contiguous() for t in streams]
        zs = streams[0::3]
        b, d = zs[0].shape[0], zs[0].shape[2] // 3 // heads
        total = sum(z.shape[1] for z in zs)
        q, k, v = (torch.empty(b * heads, total, d, dtype=E) for _ in range(3))
        offset, inverse = 0, []
        for z, wq, wk in zip(zs, streams[1::3], streams[2::3]):
            n = z.shape[1]
            inv = torch.empty(b, n, 2, heads)
            call("heads", z, wq, wk, cos[offset:offset + n], sin[offset:offset + n], q, k, v, inv, b, n, heads, d, total, offset)
            inverse.append(inv)
            offset += n
        p = torch.bmm(q, k.transpose(1, 2))
        call("softmax", p, b * heads * total, total, d ** -0.5)
        o = torch.empty(b, total, heads * d, dtype=E)
        call("merge", torch.bmm(p, v), o, b, heads, total, d, 0)
        ctx.save_for_backward(cos, sin, q, k, v, p, *streams, *inverse)
        ctx.shape = b, heads, total, d, len(zs)
        return o

    @staticmethod
    def backward(ctx, do):
        b, heads, total, d, count = ctx.shape
        cos, sin, q, k, v, p, *rest = ctx.saved_tensors
        streams, inverse = rest[:3 * count], rest[3 * count:]
        g = torch.empty(b * heads, total, d, dtype=E)
        call("merge", do.contiguous(), g, b, heads, total, d, 1)
        dv = torch.bmm(p.transpose(1, 2), g)
        ds = torch.bmm(g, v.transpose(1, 2))
        call("softmax_back", p, ds, b * heads * total, total, d ** -0.5)
        dq, dk = torch.bmm(ds, k), torch.bmm(ds.transpose(1, 2), q)
        grads, offset = [], 0
        for i in range(count):
            z, wq, wk = streams[3 * i:3 * i + 3]
            n = z.shape[1]
            dz, dwq, dwk = torch.empty_like(z), torch.zeros(d), torch.zeros(d)
            call("heads_back", dq, dk, dv, z, wq, wk, cos[offset:offset + n], sin[offset:offset + n], inverse[i],
                 dz, dwq, dwk, b, n, heads, d, total, offset)
            grads += [dz, dwq, dwk]
            offset += n
        return (None, None, None, *grads)


linear, ln_mod, gate, gelu, attention = Linear.apply, LnMod.apply, Gate.apply, Gelu.apply, Attention.apply
