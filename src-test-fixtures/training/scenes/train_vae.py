"""Continues an autoencoder on crops of rendered scenes.

python3 train_vae.py --data data --init ../../flux-mini/vae --out vae --minutes 15
Reads data/vae256 and data/vae512 (.rgb, .json) of io.jitflow.examples.scenes.SceneFiles; the last 64 and 16 pictures are
kept for measuring. Writes OUT/config.json and OUT/diffusion_pytorch_model.safetensors. Several processes: see parallel.py.
--decoder leaves the encoder as it is, so that latents stay valid, and learns from whole pictures, four in a step; --texture
then weighs how far it is from as much fine structure as the pictures have, which the squared error alone blurs away.
"""
import argparse
import json
import math
import os
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import checkpoint
import parallel
import precision
from vae import VAE, config, encode, psnr, training_loss


def scenes(path, width, height):
    count = len(json.load(open(path + ".json")))
    return np.memmap(path + ".rgb", np.uint8, "r", shape=(count, height, width, 3))


def crops(images, count, size, generator):
    """As uint8 [count, 3, size, size]; half of the flat ones are drawn again."""
    found = []
    while len(found) < count:
        i = torch.randint(len(images), (1,), generator=generator).item()
        y, x = (torch.randint(n - size + 1, (1,), generator=generator).item() for n in images.shape[1:3])
        crop = torch.from_numpy(images[i, y:y + size, x:x + size].copy())
        if crop.float().std() < 8 and torch.rand(1, generator=generator) < 0.5:
            continue
        found.append(crop.flip(1) if torch.rand(1, generator=generator) < 0.5 else crop)
    return torch.stack(found).permute(0, 3, 1, 2)


def contrasts(x):
    """Logarithms of the local contrast in three octaves, in squares of 8 pixels each."""
    found = []
    for _ in range(3):
        coarse = F.avg_pool2d(x, 2)
        fine = x - F.interpolate(coarse, scale_factor=2, mode="bilinear", align_corners=False)
        found.append(0.5 * torch.log(F.avg_pool2d(fine.square().mean(1, keepdim=True), 8) + 1e-4))
        x = coarse
    return found


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--data", default="data")
    p.add_argument("--init", required=True)
    p.add_argument("--out", default="vae")
    p.add_argument("--minutes", type=float, default=15)
    p.add_argument("--rate", type=float, default=1e-3)
    p.add_argument("--batch", type=int, default=16)
    p.add_argument("--decoder", action="store_true")
    p.add_argument("--texture", type=float, default=0.04, help="weight, with --decoder")
    p.add_argument("--device", default="cpu")
    a = p.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(parallel.RANK)
    parallel.start(a.device)
    device, generator = torch.device(a.device), torch.Generator().manual_seed(parallel.RANK)
    weights = a.out + "/diffusion_pytorch_model.safetensors"
    vae = VAE()
    vae.load_state_dict(checkpoint.load(a.init + "/diffusion_pytorch_model.safetensors"))
    vae.to(device, memory_format=precision.memory_format(device))
    parameters = list((vae.decoder if a.decoder else vae).parameters())
    small, large = scenes(a.data + "/vae256", 256, 256), scenes(a.data + "/vae512", 512, 512)
    optimizer = torch.optim.AdamW(parameters, a.rate, weight_decay=1e-4, betas=(0.9, 0.98))
    clock = time.process_time if a.device == "cpu" else time.time  # other work may run beside
    start, step, log = clock(), 0, []
    while True:
        done = parallel.same_clock((clock() - start) / 60 / max(a.minutes, 1e-9), device)
        if done >= 1:
            break
        # Warm-up, then cosine down to nothing.
        for g in optimizer.param_groups:
            g["lr"] = a.rate * min(1, (step + 1) / 50) * (0.005 + 0.995 * 0.5 * (1 + math.cos(math.pi * done)))
        if a.decoder:
            x = crops(small[:-64], 4, 256, generator)
        else:
            x = torch.cat([crops(small[:-64], a.batch * 3 // 4, 64, generator), crops(large[:-16], a.batch // 4, 64, generator)])
        x = (x.to(device).float() / 127.5 - 1).contiguous(memory_format=precision.memory_format(device))
        loss, mse, kl, decoded = training_loss(vae, x, device, not a.decoder)
        texture = torch.zeros(())
        if a.decoder:
            texture = sum((b - c).abs().mean() for b, c in zip(contrasts(decoded), contrasts(x)))
            loss = loss + a.texture * texture
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        parallel.average_gradients(parameters)
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        step += 1
        log.append([mse.item(), kl.item(), texture.item()])
        if step % 50 == 0 and parallel.RANK == 0:
            m = np.mean(log[-50:], 0)
            print(f"{clock() - start:.0f}s step {step} psnr of crops {10 * math.log10(4 / m[0]):.2f} kl {m[1]:.2f} texture {m[2]:.3f}", flush=True)
    if parallel.RANK:
        return
    checkpoint.save(weights, vae.state_dict())
    vae.load_state_dict(checkpoint.load(weights))  # measure what was stored
    vae.eval()
    # The scale of the latents is that of 256 px, as the larger sizes are a little smoother.
    for name, images in (("256", small[-64:]), ("512", large[-16:])):
        images = torch.from_numpy(np.array(images)).permute(0, 3, 1, 2)
        latents = encode(vae, images, device, 4)
        if name == "256":
            shift, scale = latents.mean().item(), 1 / latents.std().item()
            checkpoint.write_json(a.out + "/config.json", config(scale, shift))
        quality = psnr(vae, images, latents, device, 4)
        print(f"{step} steps; {name} px: latents {latents.mean():.4f} +- {latents.std():.4f}, "
              f"PSNR mean {quality.mean():.2f} min {quality.min():.2f}", flush=True)


if __name__ == "__main__":
    main()
