"""AutoencoderKL with the parameter names of diffusers: 8x, 16 latent channels, no quant convolutions."""
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

import precision

CHANNELS = (32, 64, 128, 128)
LATENT = 16
# With 32 groups (one channel each at the finest level) colours had not appeared after 10 minutes of training.
GROUPS = 8


class Norm(nn.GroupNorm):
    def forward(self, x):
        return super().forward(x.float())  # older PyTorch has no mixed-type group norm on the CPU


def norm(channels):
    return Norm(GROUPS, channels, eps=1e-6)


class Resnet(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.norm1, self.conv1 = norm(i), nn.Conv2d(i, o, 3, padding=1)
        self.norm2, self.conv2 = norm(o), nn.Conv2d(o, o, 3, padding=1)
        if i != o:
            self.conv_shortcut = nn.Conv2d(i, o, 1)

    def forward(self, x):
        h = self.conv1(F.silu(self.norm1(x)))
        h = self.conv2(F.silu(self.norm2(h)))
        return (self.conv_shortcut(x) if hasattr(self, "conv_shortcut") else x) + h


class Attention(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.group_norm = norm(c)
        self.to_q, self.to_k, self.to_v = nn.Linear(c, c), nn.Linear(c, c), nn.Linear(c, c)
        self.to_out = nn.ModuleList([nn.Linear(c, c)])

    def forward(self, x):
        b, c, h, w = x.shape
        y = self.group_norm(x).flatten(2).transpose(1, 2)
        p = torch.softmax(self.to_q(y) @ self.to_k(y).transpose(1, 2) * c ** -0.5, -1)
        return x + self.to_out[0](p.to(y.dtype) @ self.to_v(y)).transpose(1, 2).reshape(b, c, h, w)


class Mid(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.attentions = nn.ModuleList([Attention(c)])
        self.resnets = nn.ModuleList([Resnet(c, c), Resnet(c, c)])

    def forward(self, x):
        return self.resnets[1](self.attentions[0](self.resnets[0](x)))


class Sampler(nn.Module):
    def __init__(self, c, down):
        super().__init__()
        self.down = down
        self.conv = nn.Conv2d(c, c, 3, stride=2 if down else 1, padding=0 if down else 1)

    def forward(self, x):
        return self.conv(F.pad(x, (0, 1, 0, 1)) if self.down else F.interpolate(x, scale_factor=2.0, mode="nearest"))


class Block(nn.Module):
    def __init__(self, i, o, layers, sampler):
        super().__init__()
        self.resnets = nn.ModuleList([Resnet(i if k == 0 else o, o) for k in range(layers)])
        if sampler:
            setattr(self, sampler + "samplers", nn.ModuleList([Sampler(o, sampler == "down")]))

    def forward(self, x):
        for r in self.resnets:
            x = r(x)
        for name in ("downsamplers", "upsamplers"):
            if hasattr(self, name):
                x = getattr(self, name)[0](x)
        return x


class Encoder(nn.Module):
    def __init__(self, ch):
        super().__init__()
        n = len(ch)
        self.conv_in = nn.Conv2d(3, ch[0], 3, padding=1)
        self.down_blocks = nn.ModuleList(
            [Block(ch[max(i - 1, 0)], ch[i], 1, "down" if i < n - 1 else None) for i in range(n)])
        self.mid_block = Mid(ch[-1])
        self.conv_norm_out, self.conv_out = norm(ch[-1]), nn.Conv2d(ch[-1], 2 * LATENT, 3, padding=1)

    def forward(self, x):
        x = self.conv_in(x)
        for b in self.down_blocks:
            x = b(x)
        return self.conv_out(F.silu(self.conv_norm_out(self.mid_block(x))))


class Decoder(nn.Module):
    def __init__(self, ch):
        super().__init__()
        n, r = len(ch), ch[::-1]
        self.conv_in = nn.Conv2d(LATENT, r[0], 3, padding=1)
        self.mid_block = Mid(r[0])
        self.up_blocks = nn.ModuleList(
            [Block(r[max(i - 1, 0)], r[i], 2, "up" if i < n - 1 else None) for i in range(n)])
        self.conv_norm_out, self.conv_out = norm(r[-1]), nn.Conv2d(r[-1], 3, 3, padding=1)

    def forward(self, z):
        x = self.mid_block(self.conv_in(z))
        for b in self.up_blocks:
            x = b(x)
        return self.conv_out(F.silu(self.conv_norm_out(x)))


class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder, self.decoder = Encoder(CHANNELS), Decoder(CHANNELS)

    def moments(self, x):
        """Mean and log variance of the latent."""
        return self.encoder(x).chunk(2, 1)


def config(scale, shift):
    return dict(
        _class_name="AutoencoderKL", act_fn="silu", block_out_channels=list(CHANNELS),
        down_block_types=["DownEncoderBlock2D"] * 4, up_block_types=["UpDecoderBlock2D"] * 4,
        in_channels=3, out_channels=3, latent_channels=LATENT, layers_per_block=1, mid_block_add_attention=True,
        norm_num_groups=GROUPS, sample_size=256, scaling_factor=scale, shift_factor=shift,
        use_quant_conv=False, use_post_quant_conv=False, force_upcast=False)


def training_loss(vae, x, device, encoder=True):
    """Loss, mean squared error, divergence and what is decoded, for pictures in [-1, 1]; the encoder may be left as it is."""
    with precision.autocast(device):
        with torch.set_grad_enabled(encoder):
            mean, logvar = vae.moments(x)
        mean, logvar = mean.float(), logvar.float().clamp(-20, 10)
        y = vae.decoder(mean + torch.exp(0.5 * logvar) * torch.randn_like(mean))
    e = y.float() - x
    mse = e.pow(2).mean()
    # Differences of neighbours keep edges sharp; the small KL term keeps latents near unit size.
    edges = (e[..., 1:] - e[..., :-1]).abs().mean() + (e[..., 1:, :] - e[..., :-1, :]).abs().mean()
    kl = 0.5 * (mean.pow(2) + logvar.exp() - 1 - logvar).mean()
    loss = e.abs().mean() + 0.5 * edges + 0.5 * mse + 2e-4 * kl
    # The hue of a whole crop is what the eye sees first.
    return loss + e.mean((2, 3)).abs().mean(), mse, kl, y.float()


def run(network, batches, device):
    with torch.no_grad(), precision.autocast(device):
        for x in batches:
            yield network(x.to(device).contiguous(memory_format=precision.memory_format(device))).float().cpu().contiguous()


def encode(vae, images, device, batch=8):
    return torch.cat(list(run(lambda x: vae.moments(x.float() / 127.5 - 1)[0], images.split(batch), device)))


def psnr(vae, images, latents, device, batch=8):
    """Of each picture, at 8 bits."""
    decoded = run(vae.decoder, latents.split(batch), device)
    return np.array([10 * np.log10(255 ** 2 / (torch.round((y.clamp(-1, 1) + 1) * 127.5) - x.float()).pow(2).mean().item())
                     for ys, xs in zip(decoded, images.split(batch)) for y, x in zip(ys, xs)])
