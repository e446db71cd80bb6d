"""Records what diffusers computes for requests that start from a picture: `editing-tiny` and `vae-seeded`.

Needs PyTorch and diffusers (recorded with 2.13.0 and with 0.40.0.dev0 at commit 58eb52c), nothing of this project:

python3 record_editing.py            writes both sets beside this file
python3 record_editing.py --check    computes them again, and the encoder cases of flux-tiny-vae, and prints the
                                     largest differences from what is stored
"""
import argparse
import io
import json
import os
import sys
import types
import zipfile

import numpy as np
import torch
from diffusers import (AutoencoderKL, FlowMatchEulerDiscreteScheduler, FluxImg2ImgPipeline, FluxInpaintPipeline,
                       FluxTransformer2DModel)
from diffusers.pipelines.flux.pipeline_flux_img2img import calculate_shift, retrieve_timesteps
from PIL import Image

HERE = os.path.dirname(os.path.abspath(__file__))
TINY = os.path.join(HERE, "pipeline-tiny")
RUNS = [  # name, network, steps, strength, masked
    ("dev_strength60", "dev", 10, 0.6, False),
    ("dev_strength30", "dev", 7, 0.3, False),
    ("dev_mask", "dev", 5, 1.0, True),
    ("dev_mask_strength75", "dev", 8, 0.75, True),
    ("schnell_strength50", "schnell", 4, 0.5, False),
    ("schnell_mask_strength80", "schnell", 4, 0.8, True),
]
STEPS = (1, 4, 7, 10, 11, 18, 28, 50)
TOKENS = (24, 4096)


def write(path, arrays):
    """A plain zip of .npy files: no dates of today, no ZIP64 records."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as z:
        for name, array in arrays.items():
            buffer = io.BytesIO()
            np.lib.format.write_array(buffer, np.ascontiguousarray(array), version=(1, 0))
            entry = zipfile.ZipInfo(name + ".npy", (2020, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            z.writestr(entry, buffer.getvalue())


def content(arrays):
    return {name: {"dtype": str(a.dtype), "shape": list(a.shape)} for name, a in arrays.items()}


def picture(height, width):
    """Slopes with noise on them, uint8 [H, W, 3]."""
    noise = np.random.default_rng(13).integers(0, 64, (height, width, 3))
    rows, cols = np.mgrid[:height, :width]
    slopes = np.stack([2 * cols, 2 * rows, 190 - rows - cols], 2)
    return np.clip(slopes + noise, 0, 255).astype(np.uint8)


def mask(height, width):
    """White from a quarter of each side on, for half of it, in whole cells of 8 px; uint8 [H, W]."""
    white = np.zeros((height, width), np.uint8)
    top, left = height // 4 // 8 * 8, width // 4 // 8 * 8
    white[top:top + height // 2 // 8 * 8, left:left + width // 2 // 8 * 8] = 255
    return white


def run(case, steps, strength, masked):
    """One whole run of the reference pipeline; the prompt is the recorded embedding."""
    height, width = case["height"], case["width"]
    folder = lambda part: os.path.join(TINY, case["parts"][part])
    transformer = FluxTransformer2DModel.from_pretrained(folder("transformer"), torch_dtype=torch.float32).eval()
    vae = AutoencoderKL.from_pretrained(folder("vae"), torch_dtype=torch.float32).eval()
    # the encoder's mean in place of a draw from its distribution
    encode = vae.encode
    vae.encode = lambda image: types.SimpleNamespace(latents=encode(image).latent_dist.mode())
    kind = FluxInpaintPipeline if masked else FluxImg2ImgPipeline
    pipe = kind(scheduler=FlowMatchEulerDiscreteScheduler(**case["scheduler_config"]), vae=vae, text_encoder=None,
                tokenizer=None, text_encoder_2=None, tokenizer_2=None, transformer=transformer)
    pipe.set_progress_bar_config(disable=True)
    recorded = np.load(os.path.join(TINY, case["arrays"]))
    pixels, states, levels, arrays = picture(height, width), [], [], {"picture": picture(height, width)}

    def before_step(module, args, kwargs):
        states.append(kwargs["hidden_states"].numpy().copy())
        levels.append(kwargs["timestep"].numpy().copy())

    transformer.register_forward_pre_hook(before_step, with_kwargs=True)
    inputs = dict(
        prompt_embeds=torch.from_numpy(recorded["prompt_embeds"]), pooled_prompt_embeds=torch.from_numpy(recorded["pooled"]),
        image=Image.fromarray(pixels), height=height, width=width, strength=strength, num_inference_steps=steps,
        guidance_scale=case["guidance"] or 0.0, generator=torch.Generator().manual_seed(case["seed"]))
    if masked:
        arrays["mask"] = mask(height, width)
        inputs["mask_image"] = Image.fromarray(arrays["mask"])
        prepare = pipe.prepare_mask_latents

        def keep_mask(*args, **kwargs):
            packed = prepare(*args, **kwargs)
            arrays["mask_latents"] = packed[0].numpy().copy()
            return packed

        pipe.prepare_mask_latents = keep_mask
    prepare_latents = pipe.prepare_latents

    def keep_clean(image, *args, **kwargs):
        clean = pipe._encode_vae_image(image=image, generator=None)
        arrays["clean_latents"] = pipe._pack_latents(clean, 1, 16, height // 8, width // 8).numpy().copy()
        return prepare_latents(image, *args, **kwargs)

    pipe.prepare_latents = keep_clean
    with torch.no_grad():
        latents = pipe(output_type="latent", **inputs).images
        decoded = pipe._unpack_latents(latents, height, width, 8)
        decoded = vae.decode(decoded / vae.config.scaling_factor + vae.config.shift_factor, return_dict=False)[0]
    for i, state in enumerate(states):
        arrays["latents_before_step" + str(i)] = state
    arrays["latents"] = latents.numpy()
    arrays["sigmas"] = np.append(np.concatenate(levels), np.float32(0))
    # the scheduler's own levels, which the network is given in thousandths
    first = len(pipe.scheduler.sigmas) - 1 - len(states)
    assert np.abs(arrays["sigmas"] - pipe.scheduler.sigmas[first:].numpy()).max() < 1e-6
    arrays["image_uint8"] = np.asarray(pipe.image_processor.postprocess(decoded, output_type="pil")[0])
    return arrays


def starts():
    """First step and its noise level by the pipeline's own functions, for strengths of 0.01 to 1."""
    configs = {c["name"]: c["scheduler_config"] for c in json.load(open(TINY + "/case.json"))["cases"]}
    table = []
    for name, config in configs.items():
        for tokens in TOKENS:
            for steps in STEPS:
                holder = types.SimpleNamespace(scheduler=FlowMatchEulerDiscreteScheduler(**config))
                c = holder.scheduler.config
                mu = calculate_shift(tokens, c.base_image_seq_len, c.max_image_seq_len, c.base_shift, c.max_shift)
                retrieve_timesteps(holder.scheduler, steps, "cpu", sigmas=np.linspace(1.0, 1 / steps, steps), mu=mu)
                first, sigma = [], []
                for percent in range(1, 101):
                    left, _ = FluxImg2ImgPipeline.get_timesteps(holder, steps, percent / 100, "cpu")
                    first.append(steps - len(left))
                    if len(left):
                        sigma.append(holder.scheduler.sigmas[holder.scheduler.begin_index].item())
                    else:
                        sigma.append(None)
                table.append({"kind": name, "tokens": tokens, "steps": steps, "first": first, "sigma": sigma})
    return table


def editing(out):
    cases = {c["name"]: c for c in json.load(open(TINY + "/case.json"))["cases"]}
    described = []
    for name, network, steps, strength, masked in RUNS:
        case = cases[network]
        arrays = run(case, steps, strength, masked)
        write(f"{out}/{name}.npz", arrays)
        described.append(dict(name=name, arrays=name + ".npz", content=content(arrays), prompt=case["prompt"],
                              height=case["height"], width=case["width"], seed=case["seed"], guidance=case["guidance"],
                              steps=steps, strength=strength, pipeline=network))
        print(name, len(arrays["sigmas"]) - 1, "steps from", arrays["sigmas"][0], flush=True)
    text = json.dumps({"set": "editing-tiny", "kind": "editing",
                       "tolerance": {"float32": {"atol": 5e-5}, "sigmas": {"atol": 1e-6}, "image_uint8": {"atol": 1}},
                       "cases": described}, indent=1)
    rows = ",\n".join("  " + json.dumps(row) for row in starts())
    with open(out + "/case.json", "w") as f:
        f.write(text[:-2] + ',\n "starts": [\n' + rows + "\n ]\n}\n")


def seeded_vae():
    """An autoencoder whose weights are draws of one generator, in the order of their names."""
    vae = AutoencoderKL(
        in_channels=3, out_channels=3, down_block_types=["DownEncoderBlock2D"] * 4, up_block_types=["UpDecoderBlock2D"] * 4,
        block_out_channels=[8, 16, 16, 16], layers_per_block=1, latent_channels=16, norm_num_groups=8, sample_size=64,
        scaling_factor=0.3611, shift_factor=0.1159, use_quant_conv=False, use_post_quant_conv=False)
    generator = torch.Generator().manual_seed(20)
    state = {}
    for name, tensor in sorted(vae.state_dict().items()):
        values = torch.randn(tensor.numel(), generator=generator).view(tensor.shape)
        if tensor.dim() > 1:
            values *= 1.4 / tensor[0].numel() ** 0.5
        else:
            values = 0.1 * values + (1 if "norm" in name and name.endswith("weight") else 0)
        state[name] = values
    vae.load_state_dict(state)
    return vae.eval()


def vae_cases(vae):
    for name, batch, height, width in (("64x64", 1, 64, 64), ("48x80", 1, 48, 80), ("32x24_b2", 2, 32, 24)):
        generator = torch.Generator().manual_seed(height)
        image = 2 * torch.rand(batch, 3, height, width, generator=generator) - 1
        latent = torch.randn(batch, 16, height // 8, width // 8, generator=generator)
        yield name, {"latent": latent, "image": image, **vae_results(vae, latent, image)}


def vae_results(vae, latent, image):
    scale, shift = vae.config.scaling_factor, vae.config.shift_factor
    with torch.no_grad():
        distribution = vae.encode(image).latent_dist
        return {"expected_image": vae.decode(latent / scale + shift).sample,
                "expected_moments": distribution.parameters, "expected_latent": scale * (distribution.mode() - shift)}


def record_vae(out):
    vae = seeded_vae()
    vae.save_pretrained(out + "/vae")
    described = []
    for name, arrays in vae_cases(vae):
        arrays = {k: v.numpy() for k, v in arrays.items()}
        write(f"{out}/{name}.npz", arrays)
        described.append({"name": name, "arrays": name + ".npz", "content": content(arrays)})
    json.dump({"set": "vae-seeded", "kind": "vae",
               "tolerance": {"float32": {"atol": 1e-5, "rtol": 0}, "float32_accelerator": {"atol": 2e-4, "rtol": 0}},
               "variants": [{"variant": "seeded", "weights": {"diffusers": "vae", "diffusers_dtype": "F32"},
                             "cases": described}]}, open(out + "/case.json", "w"), indent=1)


def differences(name, stored, again):
    worst = max(((np.abs(stored[k].astype(np.float64) - again[k]).max(), k) for k in again), default=None)
    print(f"{name}: largest difference {worst[0]:.2g} ({worst[1]})", flush=True)


def check():
    cases = {c["name"]: c for c in json.load(open(TINY + "/case.json"))["cases"]}
    for name, network, steps, strength, masked in RUNS:
        differences("editing-tiny " + name, np.load(f"{HERE}/editing-tiny/{name}.npz"),
                    run(cases[network], steps, strength, masked))
    same = json.load(open(HERE + "/editing-tiny/case.json"))["starts"] == starts()
    print("editing-tiny starts:", "the same" if same else "DIFFERENT")
    vae = AutoencoderKL.from_pretrained(HERE + "/vae-seeded/vae")
    drawn = seeded_vae().state_dict()
    print("vae-seeded weights: largest difference",
          max((drawn[k] - v).abs().max().item() for k, v in vae.state_dict().items()))
    for name, arrays in vae_cases(vae):
        differences("vae-seeded " + name, np.load(f"{HERE}/vae-seeded/{name}.npz"), {k: v.numpy() for k, v in arrays.items()})
    vae = AutoencoderKL.from_pretrained(HERE + "/flux-tiny-vae/tiny/vae", torch_dtype=torch.float32).eval()
    for name in ("64x64", "48x80", "32x24_b2"):
        stored = np.load(f"{HERE}/flux-tiny-vae/tiny/{name}.npz")
        again = vae_results(vae, torch.from_numpy(stored["latent"]), torch.from_numpy(stored["image"]))
        differences("flux-tiny-vae " + name, stored, {k: v.numpy() for k, v in again.items()})


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--check", action="store_true")
    if p.parse_args().check:
        return check()
    for name, record in (("editing-tiny", editing), ("vae-seeded", record_vae)):
        os.makedirs(os.path.join(HERE, name), exist_ok=True)
        record(os.path.join(HERE, name))


if __name__ == "__main__":
    sys.exit(main())
