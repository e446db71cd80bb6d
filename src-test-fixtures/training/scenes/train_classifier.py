"""Trains the classifier that tells the attributes of a picture, and its features for Frechet distances.

python3 train_classifier.py --small small --data data --out ../../scenes-mini/classifier.pt --minutes 10
Learns from the 128 px pictures that encode.py kept, blurred a little and at random so that it reads soft pictures too.
The result takes uint8-range float pictures [B, 3, 128, 128] from 0 to 255 and gives logits [B, 47], the attributes' values
one after another in the order of attributes.json, and features [B, 128].
"""
import argparse
import glob
import io
import json
import math
import os
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import precision
from strip_debug import strip


class Classifier(nn.Module):
    def __init__(self, outputs):
        super().__init__()
        channels = [3, 24, 48, 72, 96, 96]
        strides = [2, 2, 2, 2, 1]
        self.convs = nn.ModuleList([nn.Conv2d(i, o, 3, stride=s, padding=1)
                                    for i, o, s in zip(channels, channels[1:], strides)])
        self.norms = nn.ModuleList([nn.GroupNorm(8, o) for o in channels[1:]])
        self.reduce = nn.Conv2d(96, 16, 1)
        self.features, self.heads = nn.Linear(16 * 64, 128), nn.Linear(128, outputs)

    def seen(self, x):
        x = x / 127.5 - 1
        for conv, norm in zip(self.convs, self.norms):
            x = F.silu(norm(conv(x).float()))
        return x

    def forward(self, x):
        x = self.seen(x)
        f = F.silu(self.features(F.silu(self.reduce(x)).flatten(1)))
        return self.heads(f), f


def accuracy(model, pictures, values, choices):
    with torch.no_grad():
        logits = torch.cat([model(x.float())[0] for x in pictures.split(64)])
    return [(part.argmax(1) == values[:, k]).float().mean().item() for k, part in enumerate(logits.split(choices, 1))]


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--small", default="small")
    p.add_argument("--data", default="data")
    p.add_argument("--out", required=True)
    p.add_argument("--minutes", type=float, default=10)
    p.add_argument("--steps", type=int, default=100000)
    p.add_argument("--device", default="cpu")
    p.add_argument("--seed", type=int, default=0)
    a = p.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(a.seed)
    attributes = json.load(open(a.data + "/attributes.json"))
    choices = [len(x["values"]) for x in attributes]
    parts = [torch.load(f) for f in sorted(glob.glob(a.small + "/*.pt"))]
    device = torch.device(a.device)
    pictures, values = (torch.cat([d[k] for d in parts]).to(device) for k in ("pictures", "values"))
    held = torch.arange(len(pictures), device=device) % 20 == 0
    train = (~held).nonzero().flatten()
    model = Classifier(sum(choices)).to(device)
    optimizer = torch.optim.AdamW(model.parameters(), 3e-3, weight_decay=0.02, betas=(0.9, 0.98))
    kernel = torch.tensor([0.25, 0.5, 0.25])
    kernel = (kernel[:, None] * kernel)[None, None].repeat(3, 1, 1, 1).to(device)
    clock = time.process_time if a.device == "cpu" else time.time  # other work may run beside
    start, step = clock(), 0
    while True:
        done = max((clock() - start) / 60 / a.minutes, step / a.steps)
        if done >= 1:
            break
        for g in optimizer.param_groups:
            g["lr"] = 3e-3 * min(1, (step + 1) / 100) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * done)))
        i = train[torch.randint(len(train), (64,), device=device)]
        x = pictures[i].float()
        soft = F.conv2d(x, kernel, padding=1, groups=3)
        x = x.lerp(soft, torch.rand(len(x), 1, 1, 1, device=device)) + 4 * torch.randn(len(x), 3, 1, 1, device=device)
        with precision.autocast(a.device):
            logits = model(x)[0].float()
        loss = sum(F.cross_entropy(part, values[i, k]) for k, part in enumerate(logits.split(choices, 1)))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        step += 1
        if step % 50 == 0:
            print(f"{clock() - start:.0f} s step {step} loss {loss.item():.3f}", flush=True)
    model.eval()
    correct = accuracy(model, pictures[held], values[held], choices)
    print(f"{step} steps on {len(train)} pictures; on {int(held.sum())} others:",
          " ".join(f"{x['name']} {c:.3f}" for x, c in zip(attributes, correct)), f"mean {sum(correct) / len(correct):.4f}")
    stored = io.BytesIO()
    torch.jit.save(torch.jit.trace(model.cpu(), torch.zeros(2, 3, 128, 128)), stored)
    strip(stored, a.out)


if __name__ == "__main__":
    main()
