"""Stores an adapter in the names that are in use: kohya.safetensors, diffusers.safetensors, bfl.safetensors.

python3 name_lora.py --adapter run/adapter.pt --out .
The numbers are the same in all files: float16 factors of the fused matrices; diffusers' names have them apart, every part
with a copy of the first factor.
"""
import argparse
import os
import sys

import torch

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

import checkpoint  # noqa: E402
from train_lora import layers  # noqa: E402

WIDTH = 192


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--adapter", default="run/adapter.pt")
    p.add_argument("--out", default=".")
    a = p.parse_args()
    kohya, diffusers, bfl = {}, {}, {}
    for name, (down, up) in torch.load(a.adapter).items():
        rows = layers()[name]
        sizes = [WIDTH] * (len(rows) - 1) + [len(up) - WIDTH * (len(rows) - 1)]
        for module, part in zip(rows, up.split(sizes)):
            diffusers[f"transformer.{module}.lora_A.weight"] = down
            diffusers[f"transformer.{module}.lora_B.weight"] = part
        if name == "final_layer.adaLN_modulation.1":
            up = torch.cat(up.chunk(2)[::-1])  # the original release has shift before scale
        bfl[f"{name}.lora_A.weight"], bfl[f"{name}.lora_B.weight"] = down, up
        flat = "lora_unet_" + name.replace(".", "_")
        kohya[f"{flat}.lora_down.weight"], kohya[f"{flat}.lora_up.weight"] = down, up
        kohya[f"{flat}.alpha"] = torch.tensor(float(len(down)))
    for file, tensors in (("kohya", kohya), ("diffusers", diffusers), ("bfl", bfl)):
        checkpoint.save(f"{a.out}/{file}.safetensors", tensors)
        print(file, len(tensors), os.path.getsize(f"{a.out}/{file}.safetensors"))


if __name__ == "__main__":
    main()
