"""Writes the averaged weights of a training state as a diffusers directory, in float16.

python3 export.py --state run/state.pt --vae vae --data data --tokenizers ../../flux-mini --out ../../flux-mini
"""
import argparse
import os
import shutil
import sys

import torch

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from model import Model

p = argparse.ArgumentParser()
p.add_argument("--state", default="run/state.pt")
p.add_argument("--vae", default="vae")
p.add_argument("--data", default="data")
p.add_argument("--tokenizers", default="../../flux-mini")
p.add_argument("--out", required=True)
a = p.parse_args()
state = torch.load(a.state, map_location="cpu")
model = Model(a.tokenizers)
model.load_state_dict(state["ema"])
model.save(a.out, a.vae)
shutil.copyfile(a.data + "/names.json", a.out + "/names.json")
print(f"{a.out}: after {state['step']} steps, {state['seconds'] / 60:.1f} minutes")
