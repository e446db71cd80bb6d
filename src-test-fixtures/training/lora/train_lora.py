"""Trains a style adapter (LoRA) for flux-mini on pictures that the model itself drew: white lines on blueprint paper.

python3 train_lora.py --model ../../flux-mini --out run --minutes 10
Writes the adapter in float32 to OUT/adapter.pt; name_lora.py stores it under the names that are in use.
"""
import argparse
import json
import os
import sys
import time

import torch
import torch.nn.functional as F
from torch.nn.utils.stateless import functional_call

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

import precision  # noqa: E402
from flux import pack, position_ids  # noqa: E402
from model import Model, load_vae, sample  # noqa: E402

RANK, LAST_RANK = 4, 8
PAPER, LINE = (28, 72, 150), (236, 244, 255)


def layers():
    """The fused matrices of the original release, and the layers of flux.py whose rows they hold."""
    named = {}
    for i in range(2):
        block, own = f"double_blocks.{i}", f"transformer_blocks.{i}"
        for stream, ff, q in (("img", "ff", ("to_q", "to_k", "to_v")),
                              ("txt", "ff_context", ("add_q_proj", "add_k_proj", "add_v_proj"))):
            named[f"{block}.{stream}_attn.qkv"] = [f"{own}.attn.{p}" for p in q]
            named[f"{block}.{stream}_attn.proj"] = [own + (".attn.to_out.0" if stream == "img" else ".attn.to_add_out")]
            named[f"{block}.{stream}_mlp.0"] = [f"{own}.{ff}.net.0.proj"]
            named[f"{block}.{stream}_mlp.2"] = [f"{own}.{ff}.net.2"]
    for i in range(7):
        block, own = f"single_blocks.{i}", f"single_transformer_blocks.{i}"
        named[f"{block}.linear1"] = [f"{own}.{p}" for p in ("attn.to_q", "attn.to_k", "attn.to_v", "proj_mlp")]
        named[f"{block}.linear2"] = [f"{own}.proj_out"]
    named["final_layer.linear"] = ["proj_out"]
    named["final_layer.adaLN_modulation.1"] = ["norm_out.linear"]
    return named


def blueprint(images):
    """uint8 [B, 3, S, S] to the style, in [-1, 1]: edges as lines, dark parts a little lighter than the paper."""
    grey = (images.float() / 255 * torch.tensor([.299, .587, .114]).view(1, 3, 1, 1)).sum(1, keepdim=True)
    grey = F.avg_pool2d(F.pad(grey, (2, 2, 2, 2), mode="replicate"), 5, 1)
    dx = F.conv2d(F.pad(grey, (1, 1, 1, 1), mode="replicate"), torch.tensor([[[[-1., 0, 1], [-2, 0, 2], [-1, 0, 1]]]]))
    dy = F.conv2d(F.pad(grey, (1, 1, 1, 1), mode="replicate"), torch.tensor([[[[-1., -2, -1], [0, 0, 0], [1, 2, 1]]]]))
    line = (1.6 * (dx * dx + dy * dy).sqrt()).clamp(0, 1)
    fill = 0.35 * (1 - grey)
    paper, white = (torch.tensor(c).view(1, 3, 1, 1) / 255 for c in (PAPER, LINE))
    shaded = paper + fill * (white - paper)
    return 2 * (shaded + line * (white - shaded)) - 1


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--model", default="../../flux-mini")
    p.add_argument("--out", default="run")
    p.add_argument("--minutes", type=float, default=10)
    p.add_argument("--pictures", type=int, default=64)
    p.add_argument("--batch", type=int, default=16)
    p.add_argument("--tokens", type=int, default=128)
    p.add_argument("--rate", type=float, default=2e-3)
    a = p.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(1)
    os.makedirs(a.out, exist_ok=True)
    model = Model(a.model)
    model.load(a.model)
    model.eval().requires_grad_(False)
    model.use_fast_cpu()
    vae, scale, shift = load_vae(a.model + "/vae")
    names = [n["name"] for n in json.load(open(a.model + "/names.json"))]
    captions = [names[k * len(names) // a.pictures] for k in range(a.pictures)]
    if os.path.exists(a.out + "/latents.pt"):
        latents = torch.load(a.out + "/latents.pt")
    else:
        start, latents = time.time(), []
        for k in range(0, len(captions), 8):
            part = captions[k:k + 8]
            drawn = sample(model, vae, scale, shift, part, range(k, k + len(part)), steps=20)
            with torch.no_grad(), precision.autocast("cpu"):
                mean = torch.cat([vae.moments(x[None])[0].float() for x in blueprint(drawn)])
            latents.append(pack((mean - shift) * scale))
            print(f"{k + len(part)} pictures, {time.time() - start:.0f} s", flush=True)
        latents = torch.cat(latents)
        torch.save(latents, a.out + "/latents.pt")
    with torch.no_grad():
        clip_ids, t5_ids = model.ids(captions)
        context, pooled = model.t5(t5_ids).float(), model.clip(clip_ids).float()
    weights = dict(model.flux.named_parameters())
    adapter = {}
    for name, rows in layers().items():
        shapes = [weights[r + ".weight"].shape for r in rows]
        rank = LAST_RANK if name.startswith("final") else RANK
        down = torch.randn(rank, shapes[0][1]) / shapes[0][1] ** 0.5
        adapter[name] = [down.requires_grad_(), torch.zeros(sum(s[0] for s in shapes), rank, requires_grad=True)]
    params = [t for pair in adapter.values() for t in pair]
    print(f"{sum(t.numel() for t in params)} parameters", flush=True)
    optimizer = torch.optim.AdamW(params, a.rate, weight_decay=0.0)
    positions, start, step, mean = position_ids(16, 16), time.time(), 0, None
    while (seconds := time.time() - start) < a.minutes * 60:
        for group in optimizer.param_groups:
            group["lr"] = a.rate * min(1, (step + 1) / 20) * min(1, 2.5 * (1 - seconds / (a.minutes * 60)) + 0.02)
        chosen = torch.randint(len(captions), (a.batch,))
        part = torch.randperm(256)[:a.tokens].sort()[0]
        x0 = latents[chosen][:, part]
        eps = torch.randn_like(x0)
        sigma = torch.where(torch.rand(a.batch) < 0.4, 0.8 + 0.2 * torch.rand(a.batch), torch.sigmoid(torch.randn(a.batch)))
        s = sigma.view(-1, 1, 1)
        changed = {}
        for name, rows in layers().items():
            down, up = adapter[name]
            delta = (up @ down).split([len(weights[r + ".weight"]) for r in rows])
            for r, d in zip(rows, delta):
                changed[r + ".weight"] = weights[r + ".weight"] + d
        v = functional_call(model.flux, changed, (
            (1 - s) * x0 + s * eps, context[chosen], pooled[chosen], sigma, positions[part], torch.zeros(context.shape[1], 3)))
        loss = (v.float() - (eps - x0)).pow(2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        step += 1
        mean = loss.item() if mean is None else 0.95 * mean + 0.05 * loss.item()
        if step % 20 == 0:
            print(f"step {step}, {seconds:.0f} s, loss {mean:.3f}", flush=True)
            torch.save({n: [t.detach() for t in pair] for n, pair in adapter.items()}, a.out + "/adapter.pt")
    torch.save({n: [t.detach() for t in pair] for n, pair in adapter.items()}, a.out + "/adapter.pt")
    print(f"{step} steps, loss {mean:.3f}", flush=True)


if __name__ == "__main__":
    main()
