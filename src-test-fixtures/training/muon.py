"""Muon: momentum made orthogonal, for the matrices inside the blocks; AdamW for everything else."""
import torch

import parallel
import precision


def orthogonal(g, steps=5):
    """Newton-Schulz iteration: singular values near 1."""
    x = g.to(precision.of(g.device))
    tall = x.shape[0] > x.shape[1]
    if tall:
        x = x.t().contiguous()
    x = x / (x.float().norm() + 1e-7)
    for _ in range(steps):
        a = x @ x.t()
        x = 3.4445 * x + (-4.775 * a + 2.0315 * (a @ a)) @ x
    return (x.t() if tall else x).to(g.dtype)


class Muon(torch.optim.Optimizer):
    def __init__(self, params, rate, momentum=0.95, weight_decay=0.0):
        super().__init__(params, dict(lr=rate, momentum=momentum, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            params = [p for p in group["params"] if p.grad is not None]
            directions = []
            for p in params:
                state = self.state[p]
                if not state:
                    state["momentum"] = torch.zeros_like(p)
                m = state["momentum"].lerp_(p.grad, 1 - group["momentum"])
                directions.append(p.grad.lerp(m, group["momentum"]))  # Nesterov
            for p, update in zip(params, parallel.shared(orthogonal, directions)):
                # 0.2 sqrt(max(shape)) gives the update the root mean square of an AdamW update.
                p.mul_(1 - group["lr"] * group["weight_decay"])
                p.add_(update, alpha=-group["lr"] * 0.2 * max(p.shape) ** 0.5)
