"""Encodes rendered scenes, file by file as they appear, and may delete the pictures.

python3 encode.py --data data/train --vae vae --tokenizers ../../scenes-mini --plan plan.txt --out latents --part 0/2 --delete
Reads NAME.rgb and NAME.json, where NAME is WIDTHxHEIGHT_K. Writes OUT/NAME.pt with latents (float16, scaled as the
transformer sees them), the ids of all captions and the attributes' values. Waits for files that --plan still promises
(lines "WIDTH HEIGHT COUNT K"), unless there is DATA/failed: then their drawing has ended. Encodes in its order.
"""
import argparse
import json
import os
import shutil
import sys
import time

import torch
import torch.nn.functional as F

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import precision
import tokenise
from model import load_vae
from train_vae import scenes

class FastEncoder:
    """The encoder on a CPU core, with group norm and SiLU in one C kernel: several times as fast on one core."""

    def __init__(self, encoder):
        from fast_cpu import E, call
        self.call, self.type, self.encoder = call, E, encoder
        self.norms = {id(m): (m.weight.detach().float().clone(), m.bias.detach().float().clone())
                      for m in encoder.modules() if isinstance(m, torch.nn.GroupNorm)}
        for m in encoder.modules():
            if isinstance(m, torch.nn.Conv2d):
                m.to(self.type, memory_format=torch.channels_last)

    def norm(self, m, x):
        x = x.contiguous(memory_format=torch.channels_last)
        b, c, h, w = x.shape
        y, (weight, bias) = torch.empty_like(x), self.norms[id(m)]
        self.call("norm_silu", x.permute(0, 2, 3, 1), weight, bias, y.permute(0, 2, 3, 1), b, h * w, c, m.num_groups)
        return y

    def resnet(self, m, x):
        h = m.conv2(self.norm(m.norm2, m.conv1(self.norm(m.norm1, x))))
        return (m.conv_shortcut(x) if hasattr(m, "conv_shortcut") else x) + h

    def attention(self, m, x):
        b, c, h, w = x.shape
        y = F.group_norm(x.float(), m.group_norm.num_groups, *self.norms[id(m.group_norm)], 1e-6)
        y = y.flatten(2).transpose(1, 2).to(self.type).contiguous()
        q, k, v = (F.linear(y, f.weight.to(self.type), f.bias.to(self.type)) for f in (m.to_q, m.to_k, m.to_v))
        p = torch.bmm(q, k.transpose(1, 2))
        self.call("softmax", p, p.shape[0] * p.shape[1], p.shape[2], c ** -0.5)
        y = F.linear(torch.bmm(p, v), m.to_out[0].weight.to(self.type), m.to_out[0].bias.to(self.type))
        return x + y.transpose(1, 2).reshape(b, c, h, w)

    def __call__(self, x):
        e = self.encoder
        x = e.conv_in(x.to(self.type).contiguous(memory_format=torch.channels_last))
        for block in e.down_blocks:
            for r in block.resnets:
                x = self.resnet(r, x)
            for s in getattr(block, "downsamplers", []):
                x = s(x)
        x = self.resnet(e.mid_block.resnets[0], x)
        x = self.attention(e.mid_block.attentions[0], x)
        x = self.resnet(e.mid_block.resnets[1], x)
        return e.conv_out(self.norm(e.conv_norm_out, x)).float().chunk(2, 1)[0]


def encoder_on(device, vae):
    """Pictures in [-1, 1] to the means of their latents."""
    if device == "cpu" and shutil.which("gcc"):
        return FastEncoder(vae.encoder)
    vae.to(device, memory_format=precision.memory_format(device))

    def encode(x):
        with precision.autocast(device):
            return vae.moments(x.to(device).contiguous(memory_format=precision.memory_format(device)))[0].float().cpu()
    return encode


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--data", default="data/train")
    p.add_argument("--vae", default="vae")
    p.add_argument("--tokenizers", required=True)
    p.add_argument("--out", default="latents")
    p.add_argument("--small", default="small", help="square pictures at 128 px, for train_classifier.py")
    p.add_argument("--plan", required=True)
    p.add_argument("--part", default="0/1")
    p.add_argument("--delete", action="store_true")
    p.add_argument("--device", default="cpu")
    a = p.parse_args()
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    vae, scale, shift = load_vae(a.vae)
    encoder = encoder_on(a.device, vae)
    clip, t5 = tokenise.Clip(a.tokenizers + "/tokenizer"), tokenise.T5(a.tokenizers + "/tokenizer_2")
    os.makedirs(a.out, exist_ok=True), os.makedirs(a.small, exist_ok=True)
    k, n = map(int, a.part.split("/"))
    for line in open(a.plan).read().split("\n")[k::n]:
        if not line:
            continue
        width, height, _, number = map(int, line.split())
        name = f"{width}x{height}_{number:02d}"
        path, target = f"{a.data}/{name}", f"{a.out}/{name}.pt"
        if os.path.exists(target):
            continue
        while not os.path.exists(path + ".json"):
            if os.path.exists(a.data + "/failed"):
                sys.exit(f"{name} is not there and will not come: drawing failed, as said above; mend that and start again")
            time.sleep(2)
        start, images, batch = time.time(), scenes(path, width, height), max(1, 16 * 65536 // (width * height))
        latents, small = [], []
        for i in range(0, len(images), batch):
            x = torch.from_numpy(images[i:i + batch].copy()).permute(0, 3, 1, 2).float() / 127.5 - 1
            latents.append(((encoder(x) - shift) * scale).half())
            if width == height:
                small.append(torch.round((F.adaptive_avg_pool2d(x, 128) + 1) * 127.5).to(torch.uint8))
        listed = json.load(open(path + ".json"))
        ids = [[[f.padded(c) for c in s["captions"]] for s in listed] for f in (clip, t5)]
        if small:
            torch.save(dict(pictures=torch.cat(small), values=torch.tensor([s["values"] for s in listed])), a.small + f"/{name}.pt")
        torch.save(dict(latents=torch.cat(latents), clip=torch.tensor(ids[0]).short(), t5=torch.tensor(ids[1]).short(),
                        values=torch.tensor([s["values"] for s in listed]), seeds=[s["seed"] for s in listed]), target + ".new")
        os.replace(target + ".new", target)
        print(f"{name}: {len(images) / (time.time() - start):.1f} a second", flush=True)
        if a.delete:
            os.remove(path + ".rgb")


if __name__ == "__main__":
    main()
