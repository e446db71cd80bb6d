"""Several processes, each with its own samples and the same weights: WORLD_SIZE, RANK, MASTER_ADDR and MASTER_PORT say
who they are, as torchrun sets them. Two CPU cores train better as two processes than as two threads."""
import os

import torch
import torch.distributed as dist

PROCESSES, RANK = int(os.environ.get("WORLD_SIZE", 1)), int(os.environ.get("RANK", 0))


def start(device):
    if PROCESSES > 1:
        dist.init_process_group("gloo" if device == "cpu" else "nccl")
        if device == "cuda":
            torch.cuda.set_device(RANK)


def same_weights(modules):
    if PROCESSES > 1:
        for module in modules:
            for p in module.parameters():
                dist.broadcast(p.data, 0)


def same_clock(done, device="cpu"):
    """The first process tells the time."""
    if PROCESSES > 1:
        clock = torch.tensor(done, device=device)
        dist.broadcast(clock, 0)
        return clock.item()
    return done


def same_names(names):
    """The first process's list."""
    if PROCESSES > 1:
        box = [names]
        dist.broadcast_object_list(box, 0)
        return box[0]
    return names


def average_gradients(params):
    if PROCESSES > 1:
        flat = torch.cat([p.grad.flatten() for p in params])
        dist.all_reduce(flat)
        flat /= PROCESSES
        for p, mean in zip(params, flat.split([p.numel() for p in params])):
            p.grad.copy_(mean.view_as(p))


def shared(function, tensors):
    """The results, float32 and of the same shapes, of a function of each tensor; every process computes its part of them."""
    if PROCESSES == 1:
        return [function(t) for t in tensors]
    flat = torch.zeros(sum(t.numel() for t in tensors), device=tensors[0].device)
    results = [part.view(t.shape) for part, t in zip(flat.split([t.numel() for t in tensors]), tensors)]
    for i in range(RANK, len(tensors), PROCESSES):
        results[i].copy_(function(tensors[i]))
    dist.all_reduce(flat)
    return results
