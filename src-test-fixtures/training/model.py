"""The three trained networks together, and the diffusers directory they are stored in."""
import hashlib
import json
import os
import shutil

import numpy as np
import torch
import torch.nn as nn

import checkpoint
import precision
import tokenise
from flux import Embedder, Flux, pack, position_ids, sinusoid, unpack
from text import T5, Clip
from vae import VAE

SCHEDULER = dict(_class_name="FlowMatchEulerDiscreteScheduler", base_image_seq_len=256, base_shift=0.5,
                 max_image_seq_len=4096, max_shift=1.15, num_train_timesteps=1000, shift=3.0, use_dynamic_shifting=True)
INDEX = dict(_class_name="FluxPipeline", scheduler=["diffusers", "FlowMatchEulerDiscreteScheduler"],
             text_encoder=["transformers", "CLIPTextModel"], text_encoder_2=["transformers", "T5EncoderModel"],
             tokenizer=["transformers", "CLIPTokenizer"], tokenizer_2=["transformers", "T5TokenizerFast"],
             transformer=["diffusers", "FluxTransformer2DModel"], vae=["diffusers", "AutoencoderKL"])


class Model(nn.Module):
    def __init__(self, tokenizers, guidance=False):
        super().__init__()
        self.tokenizers = tokenizers
        self.clip_tokenizer = tokenise.Clip(tokenizers + "/tokenizer")
        self.t5_tokenizer = tokenise.T5(tokenizers + "/tokenizer_2")
        c = self.clip_tokenizer
        self.clip = Clip(len(c.vocab), c.length, bos=c.bos, eos=c.eos)
        self.t5 = T5(len(self.t5_tokenizer.pieces) + 3)
        self.flux = Flux(guidance=guidance)

    def ids(self, captions):
        return (torch.tensor([self.clip_tokenizer.padded(c) for c in captions]),
                torch.tensor([self.t5_tokenizer.padded(c) for c in captions]))

    def use_fast_cpu(self):
        """C kernels, where there is a compiler."""
        if shutil.which("gcc"):
            import fast_cpu
            self.flux.ops = fast_cpu

    def velocity(self, x, sigma, context, pooled, positions, guidance=None, after=None):
        text = torch.zeros(context.shape[1], 3, device=x.device)
        return self.flux(x, context, pooled, sigma, positions, text, guidance, after)

    def load(self, folder):
        """Loads the weights of a diffusers directory, with or without guidance embedding. Weights without it give a model
        with it that guidance does not change yet; weights with it give a model without it that is guided by 1."""
        weights = checkpoint.load(folder + "/transformer/diffusion_pytorch_model.safetensors")
        prefix = "time_text_embed.guidance_embedder."
        guidance = {name[len(prefix):]: weights.pop(name) for name in list(weights) if name.startswith(prefix)}
        embed = self.flux.time_text_embed
        if hasattr(embed, "guidance_embedder"):
            embedder = embed.guidance_embedder
            weights.update({prefix + name: value for name, value in (guidance or embedder.state_dict()).items()})
        self.flux.load_state_dict(weights)
        if guidance and not hasattr(embed, "guidance_embedder"):
            embedder = Embedder(256, len(guidance["linear_2.bias"]))
            embedder.load_state_dict(guidance)
            with torch.no_grad():
                bias = embed.timestep_embedder.linear_2.bias
                bias += embedder(sinusoid(torch.ones(1)))[0].to(bias.device)
        self.clip.load_state_dict(checkpoint.load(folder + "/text_encoder/model.safetensors"))
        self.t5.load_state_dict(checkpoint.load(folder + "/text_encoder_2/model.safetensors"))

    def save(self, folder, vae):
        """vae: a directory with the weights and configuration of the autoencoder."""
        for name, module in (("text_encoder", self.clip), ("text_encoder_2", self.t5)):
            checkpoint.save(f"{folder}/{name}/model.safetensors", module.state_dict())
            checkpoint.write_json(f"{folder}/{name}/config.json", module.config)
        checkpoint.save(folder + "/transformer/diffusion_pytorch_model.safetensors", self.flux.state_dict())
        checkpoint.write_json(folder + "/transformer/config.json", self.flux.config)
        checkpoint.write_json(folder + "/scheduler/scheduler_config.json", SCHEDULER)
        checkpoint.write_json(folder + "/model_index.json", INDEX)
        os.makedirs(folder + "/vae", exist_ok=True)
        for file in ("config.json", "diffusion_pytorch_model.safetensors"):
            shutil.copyfile(f"{vae}/{file}", f"{folder}/vae/{file}")
        if os.path.realpath(folder) == os.path.realpath(self.tokenizers):
            return
        for name in ("tokenizer", "tokenizer_2"):
            os.makedirs(f"{folder}/{name}", exist_ok=True)
            for file in os.listdir(f"{self.tokenizers}/{name}"):
                shutil.copyfile(f"{self.tokenizers}/{name}/{file}", f"{folder}/{name}/{file}")


def checksum(folder):
    """Of the weights of a diffusers directory, the autoencoder's apart."""
    digest = hashlib.sha256()
    for file in ("transformer/diffusion_pytorch_model", "text_encoder/model", "text_encoder_2/model"):
        with open(f"{folder}/{file}.safetensors", "rb") as f:
            digest.update(f.read())
    return digest.hexdigest()


def load_vae(folder):
    config = json.load(open(folder + "/config.json"))
    vae = VAE()
    vae.load_state_dict(checkpoint.load(folder + "/diffusion_pytorch_model.safetensors"))
    return vae.eval(), config["scaling_factor"], config["shift_factor"]


def sigmas(steps, tokens):
    """FluxPipeline's schedule with dynamic shift."""
    mu = SCHEDULER["base_shift"] + (tokens - 256) * (SCHEDULER["max_shift"] - SCHEDULER["base_shift"]) / (4096 - 256)
    s = np.linspace(1, 1 / steps, steps)
    return list(np.exp(mu) / (np.exp(mu) + 1 / s - 1)) + [0.0]


def noise(seeds, rows):
    """The noise of FluxPipeline with a CPU generator, packed."""
    return pack(torch.cat([torch.randn(1, 16, 2 * rows, 2 * rows, generator=torch.Generator().manual_seed(s)) for s in seeds]))


@torch.no_grad()
def sample(model, vae, scale, shift, captions, seeds, rows=16, steps=50, device="cpu"):
    """Pictures as uint8 [B, 3, 16 rows, 16 rows] by Euler steps."""
    device = torch.device(device)
    clip_ids, t5_ids = (i.to(device) for i in model.ids(captions))
    x, positions = noise(seeds, rows).to(device), position_ids(rows, rows).to(device)
    s = sigmas(steps, rows * rows)
    with precision.autocast(device):
        context, pooled = model.t5(t5_ids), model.clip(clip_ids)
        for a, b in zip(s, s[1:]):
            v = model.velocity(x, torch.full((len(x),), a, device=device), context, pooled, positions)
            x = x + (b - a) * v.float()
        images = [vae.decoder(z[None] / scale + shift).float() for z in unpack(x, rows, rows)]
    return torch.round((torch.cat(images).clamp(-1, 1) + 1) * 127.5).to(torch.uint8).cpu()
