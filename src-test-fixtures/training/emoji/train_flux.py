"""Trains transformer and text encoders together on the encoded pictures.

python3 train_flux.py --data data --vae vae --tokenizers DIR --out run --minutes 100
With WORLD_SIZE, RANK, MASTER_ADDR and MASTER_PORT set, as torchrun does, every process takes its own samples and the
gradients are averaged: two CPU cores train better as two processes than as two threads.
Resumes from OUT/state.pt if there is one; --minutes counts the training time of all runs together.
Writes OUT/log.txt, OUT/state.pt and, every --export minutes, OUT/export (replaced as a whole).
"""
import argparse
import json
import os
import random
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import parallel
import precision
import training
from flux import pack, position_ids


def subset(rows, count):
    """Positions of a part of the grid: at random, or most of them a stride-2 grid or a dense window and the rest at random
    (without the rest, a window would not tell which of the two picture sizes it belongs to)."""
    kind = torch.rand(1).item()
    grid = torch.arange(rows * rows).view(rows, rows)
    first = grid[:0]
    if 0.6 < kind < 0.8:
        first = grid[torch.randint(2, (1,)).item()::2, torch.randint(2, (1,)).item()::2].flatten()
        first = first[torch.randperm(len(first))[:count * 3 // 4]]
    elif kind > 0.8:
        side = int((count * 3 // 4) ** 0.5)
        y, x = torch.randint(rows - side + 1, (2,)).tolist()
        first = grid[y:y + side, x:x + side].flatten()
    others = torch.ones(rows * rows, dtype=torch.bool)
    others[first.flatten()] = False
    others = others.nonzero().flatten()
    others = others[torch.randperm(len(others))[:count - first.numel()]]
    return torch.cat([first.flatten(), others]).sort()[0]


def pretrain_text(model, latents, minutes, device):
    """Teaches both encoders which caption goes with which picture: contrast against whitened principal components."""
    x = F.avg_pool2d(latents, 2).flatten(1)
    x = x - x.mean(0)
    u, s, _ = torch.linalg.svd(x, full_matrices=False)
    target = F.normalize(u[:, :192] * s[:192].sqrt(), dim=1).to(device)  # half whitened
    clip_ids, t5_ids = model.caption_ids
    width = model.clip.config["hidden_size"], model.t5.config["d_model"]
    heads = torch.nn.ModuleList([torch.nn.Linear(w, target.shape[1]) for w in width]).to(device)
    params = [*model.clip.parameters(), *model.t5.parameters(), *heads.parameters()]
    optimizer = torch.optim.AdamW(params, 2e-3, weight_decay=0.0)
    start, label = time.time(), torch.arange(len(target), device=device)
    while time.time() - start < minutes * 60:
        with precision.autocast(device):
            outputs = heads[0](model.clip(clip_ids)), heads[1](model.t5(t5_ids).mean(1))
        logits = [16 * F.normalize(o.float(), dim=1) @ target.t() for o in outputs]
        loss = sum(F.cross_entropy(l, label) for l in logits)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    found = [(l.argmax(1) == label).float().mean().item() for l in logits]
    print(f"text: loss {loss.item():.3f}, own picture found {found[0]:.2f} and {found[1]:.2f}", flush=True)


def main():
    p = argparse.ArgumentParser()
    training.add_arguments(p, minutes=100, export=10, tokens=48 * 112)
    p.add_argument("--tokenizers", default="../../flux-mini")
    p.add_argument("--full", type=float, default=0.35, help="last part of the time, mostly on full grids")
    p.add_argument("--threads", type=int, default=1)
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    device = torch.device(a.device)
    parallel.start(a.device)
    torch.manual_seed(int(time.time()) * parallel.PROCESSES + parallel.RANK)
    captions = [n["name"] for n in json.load(open(a.data + "/names.json"))]
    d = torch.load(a.vae + "/latents256.pt")
    shift, scale, small = d["shift"], d["scale"], (d["latents"] - d["shift"]) * d["scale"]
    grids = {16: pack(small).to(device)}
    positions = {rows: position_ids(rows, rows) for rows in (16, 32)}
    large = a.vae + "/latents512.pt"

    run = training.Training(a, time.time)
    model = run.model
    clip_ids, t5_ids = model.ids(captions)
    longest = int((clip_ids == model.clip.eos).int().argmax(1).max()) + 1
    # The pooled row sees only what stands before it: the padding behind can be left out.
    model.caption_ids = clip_ids[:, :longest].to(device), t5_ids.to(device)
    if not run.resume():
        pretrain_text(model, small, a.text_minutes, device)
        run.begin(a.text_minutes * 60)

    for done in run.steps():
        run.set_rates(done, warm_up=200, falling=0.5)
        # Most steps see a part of the tokens of more pictures: what a caption looks like is learnt from few of them.
        if done > 1 - a.full:
            mix = {(16, 64): 0.08, (16, 256): 0.37, (32, 208): 0.1, (32, 1024): 0.45}
        else:
            mix = {(16, 64): 0.28, (16, 112): 0.12, (16, 256): 0.1, (32, 96): 0.22, (32, 208): 0.18, (32, 1024): 0.1}
        rows, count = list(mix)[np.searchsorted(np.cumsum(list(mix.values())), random.Random(run.step).random() * 0.9999)]  # the same in every process
        if rows == 32 and rows not in grids:  # its encoding takes a while: start without
            if os.path.exists(large):
                grids[rows] = pack((torch.load(large)["latents"] - shift) * scale).to(device)
            else:
                rows, count = (16, min(count, 112))
        chosen = torch.arange(rows * rows) if count == rows * rows else subset(rows, count)
        batch = a.tokens // count
        i = torch.randint(len(captions), (batch,))
        x = grids[rows][i][:, chosen]
        noise = torch.randn(x.shape, device=device)
        sigma = training.noise_levels(batch, rows * rows).to(device)
        with precision.autocast(device):
            context, pooled = model.t5(model.caption_ids[1][i]), model.clip(model.caption_ids[0][i])
            v = model.velocity(x.lerp(noise, sigma[:, None, None]), sigma, context, pooled, positions[rows][chosen].to(device))
        run.learn(sigma, v, noise - x)


if __name__ == "__main__":
    main()
