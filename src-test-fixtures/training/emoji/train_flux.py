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
import shutil
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import parallel
import precision
from flux import pack, position_ids
from model import Model
from muon import Muon

BUCKETS = [0.0, 0.2, 0.4, 0.6, 0.8, 0.95, 1.001]


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


def noise_levels(count, tokens):
    """Logit-normal, a quarter near 1, where the prompt decides; more noise for more tokens, as in sampling."""
    shift = (tokens / 256) ** 0.25
    s = torch.sigmoid(torch.randn(count) * 1.1 + 0.2)
    s = shift * s / (1 + (shift - 1) * s)
    high = torch.rand(count) < 0.25
    return torch.where(high, 0.85 + 0.15 * torch.rand(count), s)


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
    p.add_argument("--data", default="data")
    p.add_argument("--vae", default="vae")
    p.add_argument("--tokenizers", default="../../flux-mini")
    p.add_argument("--out", default="run")
    p.add_argument("--minutes", type=float, default=100)
    p.add_argument("--text-minutes", type=float, default=1)
    p.add_argument("--export", type=float, default=10)
    p.add_argument("--rate", type=float, default=2e-3)
    p.add_argument("--matrix-rate", type=float, default=4e-3, help="of the matrices that Muon moves")
    p.add_argument("--tokens", type=int, default=48 * 112, help="image tokens in a step")
    p.add_argument("--full", type=float, default=0.35, help="last part of the time, mostly on full grids")
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--device", default="cpu")
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    processes, rank = parallel.PROCESSES, parallel.RANK
    device = torch.device(a.device)
    parallel.start(a.device)
    torch.manual_seed(int(time.time()) + rank)
    captions = [n["name"] for n in json.load(open(a.data + "/names.json"))]
    d = torch.load(a.vae + "/latents256.pt")
    shift, scale, small = d["shift"], d["scale"], (d["latents"] - d["shift"]) * d["scale"]
    grids = {16: pack(small).to(device)}
    positions = {rows: position_ids(rows, rows) for rows in (16, 32)}
    large = a.vae + "/latents512.pt"

    model, ema = Model(a.tokenizers).to(device), Model(a.tokenizers).to(device)
    if a.device == "cpu":
        model.use_fast_cpu()
    clip_ids, t5_ids = model.ids(captions)
    longest = int((clip_ids == model.clip.eos).int().argmax(1).max()) + 1
    # The pooled row sees only what stands before it: the padding behind can be left out.
    model.caption_ids = clip_ids[:, :longest].to(device), t5_ids.to(device)

    parameters = list(model.parameters())
    blocks = [p for n, p in model.flux.named_parameters()
              if "blocks" in n and p.dim() == 2 and "norm" not in n]
    inside = set(map(id, blocks))
    others = [p for p in model.parameters() if id(p) not in inside]
    muon = Muon(blocks, a.matrix_rate, weight_decay=0.01)
    adam = torch.optim.AdamW(others, a.rate, betas=(0.9, 0.98), weight_decay=0.0)
    step, before, state = 0, 0.0, a.out + "/state.pt"
    os.makedirs(a.out, exist_ok=True)
    if os.path.exists(state):
        s = torch.load(state, map_location=device)
        model.load_state_dict(s["model"]), ema.load_state_dict(s["ema"])
        muon.load_state_dict(s["muon"]), adam.load_state_dict(s["adam"])
        step, before = s["step"], s["seconds"]
    else:
        pretrain_text(model, small, a.text_minutes, device)
        before = a.text_minutes * 60
        ema.load_state_dict(model.state_dict())

    parallel.same_weights([model, ema])

    def keep(seconds):
        if rank:
            return
        torch.save(dict(model=model.state_dict(), ema=ema.state_dict(), muon=muon.state_dict(), adam=adam.state_dict(),
                        step=step, seconds=seconds), state + ".new")
        os.replace(state + ".new", state)
        new, now, old = (a.out + "/export" + e for e in (".new", "", ".old"))
        shutil.rmtree(new, ignore_errors=True), shutil.rmtree(old, ignore_errors=True)
        ema.save(new, a.vae)
        if os.path.exists(now):
            os.rename(now, old)
        os.rename(new, now)
        shutil.rmtree(old, ignore_errors=True)

    log = open(a.out + "/log.txt", "a")
    start, samples, losses = time.time(), 0, [[] for _ in BUCKETS[1:]]
    begun = step
    exported = reported = time.time()
    while True:
        seconds = before + time.time() - start
        done = 1.0 if os.path.exists(a.out + "/stop") else seconds / 60 / a.minutes  # touch OUT/stop to save and end
        done = parallel.same_clock(done, device)
        if done >= 1:
            break
        # Warm-up, level, then linear to nothing, on the wall clock.
        level = min(1, (step + 1) / 200) * min(1, max((1 - done) / 0.5, 0.005))
        for optimizer, rate in ((muon, a.matrix_rate), (adam, a.rate)):
            for g in optimizer.param_groups:
                g["lr"] = rate * level
        # Most steps see a part of the tokens of more pictures: what a caption looks like is learnt from few of them.
        if done > 1 - a.full:
            mix = {(16, 64): 0.08, (16, 256): 0.37, (32, 208): 0.1, (32, 1024): 0.45}
        else:
            mix = {(16, 64): 0.28, (16, 112): 0.12, (16, 256): 0.1, (32, 96): 0.22, (32, 208): 0.18, (32, 1024): 0.1}
        rows, count = list(mix)[np.searchsorted(np.cumsum(list(mix.values())), random.Random(step).random() * 0.9999)]  # the same in every process
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
        sigma = noise_levels(batch, rows * rows).to(device)
        with precision.autocast(device):
            context, pooled = model.t5(model.caption_ids[1][i]), model.clip(model.caption_ids[0][i])
            v = model.velocity(x.lerp(noise, sigma[:, None, None]), sigma, context, pooled, positions[rows][chosen].to(device))
        each = (v.float() - (noise - x)).pow(2).mean((1, 2))
        muon.zero_grad(set_to_none=True), adam.zero_grad(set_to_none=True)
        each.mean().backward()
        parallel.average_gradients(parameters)
        torch.nn.utils.clip_grad_norm_(others, 1.0)
        muon.step(), adam.step()
        step += 1
        samples += batch * processes
        if step % 2 == 0:
            decay = min(0.998, step / (step + 200)) ** 2
            with torch.no_grad():
                torch._foreach_mul_(list(ema.parameters()), decay)
                torch._foreach_add_(list(ema.parameters()), list(model.parameters()), alpha=1 - decay)
        for s, e in zip(sigma.tolist(), each.tolist()):
            losses[np.searchsorted(BUCKETS, s, side="right") - 1].append(e)
        if time.time() - reported > 60:
            means = " ".join(f"{np.mean(l):.4f}" if l else "-" for l in losses)
            line = f"{seconds / 60:.1f} min step {step} ({(time.time() - start) / (step - begun):.3f} s) samples {samples} rate {level:.3f} loss by sigma {means}"
            if rank == 0:
                print(line, flush=True), print(line, file=log, flush=True)
            losses, reported = [[] for _ in losses], time.time()
        if time.time() - exported > a.export * 60:
            keep(seconds)
            exported = time.time()
    keep(before + time.time() - start)
    print(f"{step} steps, {samples} samples in this run", flush=True)


if __name__ == "__main__":
    main()
