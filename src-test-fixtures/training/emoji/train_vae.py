"""Trains the autoencoder on crops, then encodes the whole set.

python3 train_vae.py --data data --out vae --minutes 30                 from nothing
python3 train_vae.py --data data --out vae --minutes 10 --init DIR      from the vae/ directory of an earlier model
--minutes 0 only encodes and measures. Writes OUT/config.json, OUT/diffusion_pytorch_model.safetensors, OUT/latents256.pt
and, some minutes later on one core, OUT/latents512.pt (train_flux.py may start before).
"""
import argparse
import json
import math
import os
import sys
import time

import numpy as np
import torch
from PIL import Image

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import checkpoint
import precision
from vae import VAE, config, encode, psnr, training_loss


def pictures(data, size):
    names = json.load(open(f"{data}/names.json"))
    return torch.from_numpy(np.stack(
        [np.asarray(Image.open(f"{data}/{size}/{n['key']}.png").convert("RGB")) for n in names])).permute(0, 3, 1, 2)


def crops(images, count, size, generator):
    """Random crops as uint8; nine tenths of the blank ones are drawn again."""
    found = []
    while len(found) < count:
        i, = torch.randint(len(images), (1,), generator=generator).tolist()
        y, x = torch.randint(images.shape[2] - size + 1, (2,), generator=generator).tolist()
        crop = images[i, :, y:y + size, x:x + size]
        if crop.float().std() < 8 and torch.rand(1, generator=generator) < 0.9:
            continue
        found.append(crop)
    return torch.stack(found)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--data", default="data")
    p.add_argument("--out", default="vae")
    p.add_argument("--init")
    p.add_argument("--minutes", type=float, default=30)
    p.add_argument("--rate", type=float, default=2e-3)
    p.add_argument("--batch", type=int, default=16)
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--device", default="cpu")
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    torch.manual_seed(0)
    device = torch.device(a.device)
    generator = torch.Generator().manual_seed(0)
    weights = a.out + "/diffusion_pytorch_model.safetensors"
    vae = VAE()
    if a.init:
        vae.load_state_dict(checkpoint.load(a.init + "/diffusion_pytorch_model.safetensors"))
    vae.to(device, memory_format=precision.memory_format(device))
    small, large = pictures(a.data, 256), pictures(a.data, 512)
    optimizer = torch.optim.AdamW(vae.parameters(), 1e-3, weight_decay=1e-4, betas=(0.9, 0.98))
    start, step, log = time.time(), 0, []
    while True:
        done = (time.time() - start) / 60 / max(a.minutes, 1e-9)
        if done >= 1:
            break
        # Warm-up, then cosine down to nothing on the wall clock.
        for g in optimizer.param_groups:
            g["lr"] = a.rate * min(1, (step + 1) / 100) * (0.005 + 0.995 * 0.5 * (1 + math.cos(math.pi * done)))
        x = torch.cat([crops(small, a.batch * 3 // 4, 64, generator), crops(large, a.batch // 4, 64, generator)])
        x = (x.to(device).float() / 127.5 - 1).contiguous(memory_format=precision.memory_format(device))
        loss, mse, kl, _ = training_loss(vae, x, device)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(vae.parameters(), 1.0)
        optimizer.step()
        step += 1
        log.append([mse.item(), kl.item()])
        if step % 50 == 0:
            m = np.mean(log[-50:], 0)
            print(f"{time.time() - start:.0f}s step {step} psnr of crops {10 * math.log10(4 / m[0]):.2f} kl {m[1]:.2f}", flush=True)
        if step % 500 == 0:
            checkpoint.save(weights, vae.state_dict())
    checkpoint.save(weights, vae.state_dict())
    vae.load_state_dict(checkpoint.load(weights))  # measure what was stored
    vae.eval()
    latents = encode(vae, small, device)
    shift, scale = latents.mean().item(), 1 / latents.std().item()
    checkpoint.write_json(a.out + "/config.json", config(scale, shift))
    torch.save({"latents": latents, "scale": scale, "shift": shift}, a.out + "/latents256.pt")
    print(f"{step} steps; latents: shift {shift:.4f} scale {scale:.4f}", flush=True)
    latents512 = encode(vae, large, device, 1)
    torch.save({"latents": latents512}, a.out + "/latents512.new")
    os.rename(a.out + "/latents512.new", a.out + "/latents512.pt")
    print(f"512 px: mean {latents512.mean():.4f} std {latents512.std():.4f}", flush=True)
    quality = psnr(vae, small, latents, device)
    print(f"256 px: PSNR mean {quality.mean():.2f} min {quality.min():.2f}", flush=True)
    quality = psnr(vae, large[::10], latents512[::10], device, 1)
    print(f"512 px, every tenth picture: PSNR mean {quality.mean():.2f} min {quality.min():.2f}", flush=True)


if __name__ == "__main__":
    main()
