"""The type of matrix products and convolutions: bfloat16 where there are units for it, else float32.

A CPU without them takes many times as long in bfloat16."""
import torch


def cpu_type():
    try:
        flags = open("/proc/cpuinfo").read()
    except OSError:
        return torch.float32
    return torch.bfloat16 if "avx512_bf16" in flags or "amx_bf16" in flags else torch.float32


CPU = cpu_type()


def of(device):
    return torch.bfloat16 if torch.device(device).type == "cuda" else CPU


def autocast(device):
    return torch.autocast(torch.device(device).type, dtype=torch.bfloat16, enabled=of(device) == torch.bfloat16)


def memory_format(device):
    """In which convolutions are fast: channels last in bfloat16, but half as fast so in float32 on a CPU."""
    return torch.channels_last if of(device) == torch.bfloat16 else torch.contiguous_format
