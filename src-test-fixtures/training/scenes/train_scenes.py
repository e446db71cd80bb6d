"""Trains transformer and text encoders together on encoded scenes, at several sizes, always on full grids.

python3 train_scenes.py --latents latents --data data --vae vae --tokenizers ../../scenes-mini --out run --minutes 80
Starts with the files that encode.py has finished and takes up new ones as they appear. Several processes: parallel.py.
Resumes from OUT/state.pt; --minutes counts the processor's time (on a GPU: time) of all runs together, so that other work
beside it changes nothing; rates fall to zero at its end.
Writes OUT/log.txt, OUT/state.pt and, every --export minutes, OUT/export. Touch OUT/stop to save and end.
"""
import argparse
import glob
import json
import os
import random
import re
import sys
import time

import torch
import torch.nn.functional as F

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import parallel
import precision
import training
from flux import pack, position_ids

BUCKETS = [0.0, 0.2, 0.4, 0.6, 0.8, 0.95, 1.001]
# Until which part of the time: shares of the steps by (rows, columns) of tokens. What a caption looks like is learnt
# from small pictures, many in the time of a large one.
COURSE = [
    (0.30, {(8, 8): 0.60, (6, 10): 0.12, (10, 6): 0.12, (16, 16): 0.16}),
    (0.70, {(16, 16): 0.62, (12, 20): 0.12, (20, 12): 0.12, (8, 8): 0.04, (24, 24): 0.03, (16, 28): 0.03, (32, 32): 0.04}),
    (1.00, {(16, 16): 0.36, (12, 20): 0.06, (20, 12): 0.06, (24, 24): 0.10, (16, 28): 0.08, (32, 32): 0.22, (24, 40): 0.04,
            (40, 24): 0.03, (32, 36): 0.03, (48, 48): 0.02})]


class Data:
    """The encoded scenes of every grid, growing while encode.py works."""

    def __init__(self, folder, device):
        self.folder, self.device, self.seen, self.grids = folder, device, set(), {}

    def refresh(self):
        for path in sorted(glob.glob(self.folder + "/*.pt")):
            if path in self.seen:
                continue
            self.seen.add(path)
            width, height = map(int, re.match(r"(\d+)x(\d+)_", os.path.basename(path)).groups())
            d = torch.load(path)
            part = [pack(d["latents"]).to(self.device), d["clip"].to(self.device), d["t5"].to(self.device), d["values"]]
            key = height // 16, width // 16
            self.grids[key] = [torch.cat(x) for x in zip(self.grids[key], part)] if key in self.grids else part

    def wait(self):
        while not self.grids:
            self.refresh()
            time.sleep(0.1)

    def choose(self, shares, step):
        """A grid by the shares of those that there are already."""
        known = [g for g in shares if g in self.grids] or sorted(self.grids)
        return random.Random(step).choices(known, [shares.get(g, 1.0) for g in known])[0]

    def __len__(self):
        return sum(len(g[0]) for g in self.grids.values())


def pretrain_text(model, scenes, choices, minutes, clock):
    """Teaches both encoders to tell the attributes from a caption."""
    clip_ids, t5_ids, values = scenes[1].flatten(0, 1).long(), scenes[2].flatten(0, 1).long(), scenes[3]
    values = values.repeat_interleave(scenes[1].shape[1], 0).to(clip_ids.device)
    width = model.clip.config["hidden_size"], model.t5.config["d_model"]
    heads = torch.nn.ModuleList([torch.nn.Linear(w, sum(choices)) for w in width]).to(clip_ids.device)
    params = [*model.clip.parameters(), *model.t5.parameters(), *heads.parameters()]
    optimizer = torch.optim.AdamW(params, 2e-3, weight_decay=0.0)
    start, step = clock(), 0
    while clock() - start < minutes * 60:
        i = torch.randint(len(values), (64,))
        outputs = heads[0](model.clip(clip_ids[i])), heads[1](model.t5(t5_ids[i]).mean(1))
        losses = [sum(F.cross_entropy(part, values[i, k]) for k, part in enumerate(o.float().split(choices, 1)))
                  for o in outputs]
        optimizer.zero_grad()
        sum(losses).backward()
        optimizer.step()
        step += 1
    print(f"text: {step} steps, loss {losses[0].item():.2f} and {losses[1].item():.2f} nats", flush=True)


def main():
    p = argparse.ArgumentParser()
    training.add_arguments(p, minutes=80, export=8, tokens=21 * 256)
    p.add_argument("--latents", default="latents")
    p.add_argument("--tokenizers", required=True)
    p.add_argument("--init", help="a diffusers directory to go on from; not read if OUT/state.pt is there")
    p.add_argument("--near-one", type=float, default=0.4, help="part of the samples with a noise level from 0.85 to 1")
    p.add_argument("--level", type=float, default=0.5, help="last part of the time, in which rates fall")
    a = p.parse_args()
    torch.set_num_threads(1)
    device = torch.device(a.device)
    clock = time.process_time if a.device == "cpu" else time.time
    parallel.start(a.device)
    torch.manual_seed(int(time.time()) + parallel.RANK)
    choices = [len(x["values"]) for x in json.load(open(a.data + "/attributes.json"))]
    data = Data(a.latents, device)
    data.wait()

    run = training.Training(a, clock)
    model = run.model
    if not run.resume():
        if a.init:
            model.load(a.init)
            run.begin(0.0)
        else:
            pretrain_text(model, next(iter(data.grids.values())), choices, a.text_minutes, clock)
            run.begin(a.text_minutes * 60)

    positions, refreshed = {}, time.time()
    for done in run.steps():
        run.set_rates(done, warm_up=100, falling=a.level)
        if time.time() - refreshed > 60:
            known = len(data)
            data.refresh()
            if len(data) > known and parallel.RANK == 0:
                print(f"{len(data)} scenes", flush=True)
            refreshed = time.time()
        grid = data.choose(next(shares for until, shares in COURSE if done < until), run.step)
        tokens = grid[0] * grid[1]
        batch = max(1, a.tokens // tokens)
        x, clip_ids, t5_ids, _ = data.grids[grid]
        i, variant = torch.randint(len(x), (batch,)), torch.randint(clip_ids.shape[1], (batch,))
        x = x[i].float()
        clip_ids, t5_ids = clip_ids[i, variant].long(), t5_ids[i, variant].long()
        # The pooled row sees only what stands before it: the padding behind can be left out.
        clip_ids = clip_ids[:, :int((clip_ids == model.clip.eos).int().argmax(1).max()) + 1]
        noise = torch.randn(x.shape, device=device)
        sigma = training.noise_levels(batch, tokens, a.near_one).to(device)
        if grid not in positions:
            positions[grid] = position_ids(*grid).to(device)
        with precision.autocast(device):
            context, pooled = model.t5(t5_ids), model.clip(clip_ids)
            v = model.velocity(x.lerp(noise, sigma[:, None, None]), sigma, context, pooled, positions[grid])
        run.learn(sigma, v, noise - x)


if __name__ == "__main__":
    main()
