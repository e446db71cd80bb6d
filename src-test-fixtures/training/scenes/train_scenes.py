"""Trains transformer and text encoders together on encoded scenes, at several sizes, always on full grids.

python3 train_scenes.py --latents latents --data data --vae vae --tokenizers ../../scenes-mini --out run --minutes 80
Starts with the files that encode.py has finished and takes up new ones as they appear. Several processes: parallel.py.
Resumes from OUT/state.pt; --minutes counts the processor's time (on a GPU: time) of all runs together, so that other work
beside it changes nothing; rates fall to zero at its end. A part of the samples has an empty caption, so that the model can
be guided. --teacher FOLDER trains a model with a guidance embedding, as FLUX.1-dev has, on the guided velocities of another
(Meng et al., arXiv 2210.03142): one forward pass then does what takes the teacher two. If FOLDER then holds other weights,
OUT/state.pt is not gone on from.
--features FILE, a network of train_classifier.py (another than the one that measures), brings what the transformer makes of
a noisy picture near to what that network sees in the clean one (Yu et al., arXiv 2410.06940), on square pictures.
Writes OUT/log.txt, OUT/state.pt and, every --export minutes, OUT/export. Touch OUT/stop to save and end;
a run that finds it there ends at once.
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
from flux import Flux, pack, position_ids
from model import Model, checksum
from train_classifier import Classifier

# Until which part of the time: shares of the steps by (rows, columns) of tokens. What a caption looks like is learnt
# from small pictures, many in the time of a large one; a model that knows it goes on with larger ones.
COURSE = [
    (0.30, {(8, 8): 0.60, (6, 10): 0.12, (10, 6): 0.12, (16, 16): 0.16}),
    (0.80, {(16, 16): 0.58, (12, 20): 0.10, (20, 12): 0.10, (8, 8): 0.12, (24, 24): 0.03, (16, 28): 0.03, (32, 32): 0.04}),
    (1.00, {(16, 16): 0.36, (12, 20): 0.06, (20, 12): 0.06, (24, 24): 0.10, (16, 28): 0.08, (32, 32): 0.22, (24, 40): 0.04,
            (40, 24): 0.03, (32, 36): 0.03, (48, 48): 0.02})]


class Features:
    """What the convolutions of a classifier see in pictures of 128 px: [B, channels, 8, 8], each channel about 0."""

    def __init__(self, file):
        weights = torch.jit.load(file).state_dict()
        self.classifier = Classifier(len(weights["heads.bias"]))
        self.classifier.load_state_dict(weights)
        self.channels = weights["reduce.weight"].shape[1]

    @torch.no_grad()
    def __call__(self, pictures):
        seen = torch.cat([self.classifier.seen(x.float()) for x in pictures.split(50)])
        return (seen - seen.mean((0, 2, 3), keepdim=True)) / (seen.std((0, 2, 3), keepdim=True) + 1e-3)


class Alignment(torch.nn.Module):
    """How far image tokens are from such features, 0 to 2."""

    def __init__(self, width, channels):
        super().__init__()
        self.layers = torch.nn.Sequential(torch.nn.Linear(width, 2 * width), torch.nn.SiLU(), torch.nn.Linear(2 * width, channels))

    def forward(self, tokens, features, grid):
        features = F.interpolate(features.float(), grid, mode="bilinear", align_corners=False).flatten(2).transpose(1, 2)
        return 1 - F.cosine_similarity(self.layers(tokens).float(), features, -1).mean()


class Data:
    """The encoded scenes of every grid, growing while encode.py works; the same ones in every process, which have to agree
    about the grid of a step."""

    def __init__(self, folder, device, small, features):
        self.folder, self.device, self.small, self.features, self.seen, self.grids = folder, device, small, features, set(), {}

    def refresh(self):
        for path in parallel.same_names(sorted(glob.glob(self.folder + "/*.pt"))):
            if path in self.seen:
                continue
            self.seen.add(path)
            width, height = map(int, re.match(r"(\d+)x(\d+)_", os.path.basename(path)).groups())
            d = torch.load(path)
            part = [pack(d["latents"]).to(self.device), d["clip"].to(self.device), d["t5"].to(self.device), d["values"],
                    self.features_of(os.path.basename(path)).to(self.device)]
            key = height // 16, width // 16
            self.grids[key] = [torch.cat(x) for x in zip(self.grids[key], part)] if key in self.grids else part

    def features_of(self, name):
        path = f"{self.small}/{name}"
        return self.features(torch.load(path)["pictures"]).half() if self.features and os.path.exists(path) else torch.empty(0)

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
    p.add_argument("--teacher", help="a diffusers directory, without guidance embedding")
    p.add_argument("--guidance", type=float, default=4.0, help="the most that a model with a teacher is to know; the least is 1")
    p.add_argument("--features", help="a TorchScript file of train_classifier.py")
    p.add_argument("--alignment", type=float, default=0.5, help="weight of the distance from its features")
    p.add_argument("--small", default="small", help="what encode.py kept for it")
    p.add_argument("--drop", type=float, default=0.1, help="part of the samples with an empty caption")
    p.add_argument("--level", type=float, default=0.5, help="last part of the time, in which rates fall")
    a = p.parse_args()
    torch.set_num_threads(1)
    device = torch.device(a.device)
    clock = time.process_time if a.device == "cpu" else time.time
    parallel.start(a.device)
    torch.manual_seed(int(time.time()) * parallel.PROCESSES + parallel.RANK)
    choices = [len(x["values"]) for x in json.load(open(a.data + "/attributes.json"))]
    features = Features(a.features) if a.features else None
    data = Data(a.latents, device, a.small, features)
    data.wait()

    alignment = Alignment(Flux().proj_out.in_features, features.channels) if features else None
    run = training.Training(a, clock, guidance=bool(a.teacher), beside=[alignment] if features else [],
                            teacher=checksum(a.teacher) if a.teacher else None)
    model, teacher = run.model, None
    empty = [ids.to(device) for ids in model.ids([""])]
    if a.teacher:
        teacher = Model(a.tokenizers).to(device).requires_grad_(False)
        teacher.load(a.teacher)
        if a.device == "cpu":
            teacher.use_fast_cpu()
        with torch.no_grad(), precision.autocast(device):
            nothing = teacher.t5(empty[1]), teacher.clip(empty[0])
    if not run.resume():
        if a.teacher or a.init:
            model.load(a.teacher or a.init)
            run.begin(0.0)
        else:
            pretrain_text(model, next(iter(data.grids.values())), choices, a.text_minutes, clock)
            run.begin(a.text_minutes * 60)

    course = COURSE[2:] if a.teacher else COURSE[1:] if a.init else COURSE
    positions, refreshed = {}, time.time()
    for done in run.steps():
        run.set_rates(done, warm_up=100, falling=a.level)
        if parallel.same_clock(time.time() - refreshed, device) > 60:
            known = len(data)
            data.refresh()
            if len(data) > known and parallel.RANK == 0:
                print(f"{len(data)} scenes", flush=True)
            refreshed = time.time()
        grid = data.choose(next(shares for until, shares in course if done < until), run.step)
        tokens = grid[0] * grid[1]
        batch = max(1, a.tokens // tokens)
        x, clip_ids, t5_ids, _, seen = data.grids[grid]
        i, variant = torch.randint(len(x), (batch,)), torch.randint(clip_ids.shape[1], (batch,))
        x = x[i].float()
        clip_ids, t5_ids = clip_ids[i, variant].long(), t5_ids[i, variant].long()
        if not teacher:
            dropped = (torch.rand(batch, 1) < a.drop).to(device)
            clip_ids, t5_ids = torch.where(dropped, empty[0], clip_ids), torch.where(dropped, empty[1], t5_ids)
        # The pooled row sees only what stands before it: the padding behind can be left out.
        clip_ids = clip_ids[:, :int((clip_ids == model.clip.eos).int().argmax(1).max()) + 1]
        noise = torch.randn(x.shape, device=device)
        sigma = training.noise_levels(batch, tokens, a.near_one).to(device)
        noisy, target, guidance = x.lerp(noise, sigma[:, None, None]), noise - x, None
        if grid not in positions:
            positions[grid] = position_ids(*grid).to(device)
        with precision.autocast(device):
            if teacher:
                guidance = 1 + (a.guidance - 1) * torch.rand(batch, device=device)
                with torch.no_grad():
                    told = teacher.velocity(noisy, sigma, teacher.t5(t5_ids), teacher.clip(clip_ids), positions[grid]).float()
                    context, pooled = (e.expand(batch, *e.shape[1:]) for e in nothing)
                    free = teacher.velocity(noisy, sigma, context, pooled, positions[grid]).float()
                target = free + guidance[:, None, None] * (told - free)
            after, more = 2 if len(seen) else None, None
            v = model.velocity(noisy, sigma, model.t5(t5_ids), model.clip(clip_ids), positions[grid], guidance, after)
            if len(seen):
                v, inside = v
                more = a.alignment * alignment(inside, seen[i], grid)
        run.learn(sigma, v, target, more)


if __name__ == "__main__":
    main()
