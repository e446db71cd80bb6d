"""Measures a stored model: is the nearest picture of the set the prompted one?

python3 evaluate.py --model DIR --data data                       200 prompts at 256 px, 50 steps
python3 evaluate.py --model DIR --data data --rows 32 --prompts 50        the same at 512 px
python3 evaluate.py --model DIR --data data --vae                 PSNR of the autoencoder only
Prompt k is name k n / K of names.json (evenly spaced, K prompts, n names), its seed is k. A result is reduced to 16 x 16
RGB by box filter; the nearest picture has the smallest L2 distance. A name's stem is what stands before " with ", without
a last word "face" where the rest is itself a name of the set ("dog face" and "dog"; not "nerd face").
--references FILE writes the atlas of 16 x 16 pictures, 32 to a row, in the order of names.json; --sheet FILE the results.
"""
import argparse
import json
import os
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import precision
from model import Model, load_vae, sample
from train_vae import pictures
from vae import encode, psnr


def thumbnails(images):
    """uint8 [B, 3, S, S] to float [B, 3, 16, 16]."""
    return F.avg_pool2d(images.float(), images.shape[-1] // 16)


def stem(name, names):
    name = name.split(" with ")[0]
    short = name[:-5] if name.endswith(" face") else name
    return short if short in names else name


def grid(images, columns):
    rows = [torch.cat(list(images[i:i + columns]), 2) for i in range(0, len(images), columns)]
    if rows[-1].shape[2] < rows[0].shape[2]:
        rows[-1] = F.pad(rows[-1], (0, rows[0].shape[2] - rows[-1].shape[2]), value=255)
    return torch.cat(rows, 1)


def write(path, image):
    Image.fromarray(image.permute(1, 2, 0).numpy()).save(path, optimize=True)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--model", default="../../flux-mini")
    p.add_argument("--data", default="data")
    p.add_argument("--rows", type=int, default=16)
    p.add_argument("--steps", type=int, default=50)
    p.add_argument("--prompts", type=int, default=200)
    p.add_argument("--batch", type=int, default=8)
    p.add_argument("--sheet")
    p.add_argument("--sheet-size", type=int, default=128, help="pixels of one picture in the sheet")
    p.add_argument("--references")
    p.add_argument("--vae", action="store_true")
    p.add_argument("--float32", action="store_true", help="on a CPU with bfloat16 units, too")
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--device", default="cpu")
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    device = torch.device(a.device)
    if a.float32:
        precision.CPU = torch.float32
    names = [n["name"] for n in json.load(open(a.data + "/names.json"))]
    small = pictures(a.data, 256)
    references = torch.round(thumbnails(small))
    if a.references:
        write(a.references, grid(references.to(torch.uint8), 32))
    vae, scale, shift = load_vae(a.model + "/vae")
    vae.to(device)
    if a.vae:
        vae.to(memory_format=precision.memory_format(device))
        quality = psnr(vae, small, encode(vae, small, device), device)
        print(f"PSNR of {len(small)} pictures at 256 px: mean {quality.mean():.2f}, lowest {quality.min():.2f}")
        return
    # Default directory layout: the tokenizers lie with the model.
    model = Model(a.model)
    model.load(a.model)
    model.to(device).eval()
    if a.device == "cpu" and not a.float32:
        model.use_fast_cpu()
    chosen = [k * len(names) // a.prompts for k in range(a.prompts)]
    captions, start, images = [names[i] for i in chosen], time.time(), []
    for k in range(0, len(captions), a.batch):
        part = captions[k:k + a.batch]
        images.append(sample(model, vae, scale, shift, part, range(k, k + len(part)), a.rows, a.steps, device))
    images = torch.cat(images)
    distance = torch.cdist(thumbnails(images).flatten(1), references.flatten(1)) / (3 * 256) ** 0.5
    nearest = distance.argmin(1).tolist()
    known = set(names)
    exact = [names[n] == c for n, c in zip(nearest, captions)]
    near = [stem(names[n], known) == stem(c, known) for n, c in zip(nearest, captions)]
    own = distance[torch.arange(len(chosen)), torch.tensor(chosen)]
    print(f"{16 * a.rows} px, {a.steps} steps, {len(captions)} prompts: prompted picture or stem nearest {np.mean(near):.1%}, "
          f"prompted picture itself {np.mean(exact):.1%}, distance to it {own.mean():.1f} of 255, {time.time() - start:.0f} s")
    print("missed: " + "; ".join(f"{c} > {names[n]}" for c, n, ok in zip(captions, nearest, near) if not ok))
    if a.sheet:
        write(a.sheet, grid(torch.round(F.avg_pool2d(images.float(), 16 * a.rows // a.sheet_size)).to(torch.uint8), 8))


if __name__ == "__main__":
    main()
