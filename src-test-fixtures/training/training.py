"""What the programs share that train a transformer with its text encoders: optimisers, averaged weights, the state to go
on from, exports and the log."""
import os
import shutil
import time

import numpy as np
import torch

import parallel
from model import Model
from muon import Muon

BUCKETS = [0.0, 0.2, 0.4, 0.6, 0.8, 0.95, 1.001]


def add_arguments(p, minutes, export, tokens):
    p.add_argument("--data", default="data")
    p.add_argument("--vae", default="vae")
    p.add_argument("--out", default="run")
    p.add_argument("--minutes", type=float, default=minutes)
    p.add_argument("--text-minutes", type=float, default=1)
    p.add_argument("--export", type=float, default=export)
    p.add_argument("--rate", type=float, default=2e-3)
    p.add_argument("--matrix-rate", type=float, default=4e-3, help="of the matrices that Muon moves")
    p.add_argument("--tokens", type=int, default=tokens, help="image tokens in a step")
    p.add_argument("--device", default="cpu")


def noise_levels(count, tokens, near_one=0.25):
    """Logit-normal, a part near 1, where the prompt decides; more noise for more tokens, as in sampling."""
    shift = (tokens / 256) ** 0.25
    s = torch.sigmoid(torch.randn(count) * 1.1 + 0.2)
    s = shift * s / (1 + (shift - 1) * s)
    high = torch.rand(count) < near_one
    return torch.where(high, 0.85 + 0.15 * torch.rand(count), s)


class Training:
    """A model, its averaged weights, what is trained beside it and not exported, the optimisers and how far they are.
    Writes OUT/log.txt, OUT/state.pt and, every --export minutes, OUT/export (replaced as a whole).
    teacher: the checksum of the model that it learns from."""

    def __init__(self, a, clock, guidance=False, beside=(), teacher=None):
        self.a, self.clock, self.device, self.teacher = a, clock, torch.device(a.device), teacher
        self.model, self.ema = (Model(a.tokenizers, guidance).to(self.device) for _ in range(2))
        if a.device == "cpu":
            self.model.use_fast_cpu()
        blocks = [p for n, p in self.model.flux.named_parameters()
                  if "blocks" in n and p.dim() == 2 and "norm" not in n]
        inside = set(map(id, blocks))
        self.parameters = list(self.model.parameters())
        self.others = [p for p in self.parameters if id(p) not in inside]
        self.muon = Muon(blocks, a.matrix_rate, weight_decay=0.01)
        self.adam = torch.optim.AdamW(self.others, a.rate, betas=(0.9, 0.98), weight_decay=0.0)
        self.beside = torch.nn.ModuleList(beside).to(self.device)
        self.beside_adam = torch.optim.AdamW(self.beside.parameters(), a.rate, betas=(0.9, 0.98)) if len(self.beside) else None
        self.step, self.samples, self.before, self.state = 0, 0, 0.0, a.out + "/state.pt"
        self.losses, self.losses_beside = [[] for _ in BUCKETS[1:]], []
        os.makedirs(a.out, exist_ok=True)

    def resume(self):
        """Goes on from OUT/state.pt; says whether there is one, of the same teacher."""
        if not os.path.exists(self.state):
            return False
        s = torch.load(self.state, map_location=self.device)
        if s.get("teacher") != self.teacher:
            print(f"{self.state} learnt from another teacher: begins anew", flush=True)
            return False
        self.model.load_state_dict(s["model"]), self.ema.load_state_dict(s["ema"])
        self.muon.load_state_dict(s["muon"]), self.adam.load_state_dict(s["adam"])
        if self.beside_adam and "beside" in s:
            self.beside.load_state_dict(s["beside"]), self.beside_adam.load_state_dict(s["beside_adam"])
        self.step, self.samples, self.before = s["step"], s.get("samples", 0), s["seconds"]
        return True

    def begin(self, seconds):
        """From the model's weights, which took so long already."""
        self.before = seconds
        self.ema.load_state_dict(self.model.state_dict())

    def steps(self):
        """Before each step, which part of --minutes is over; ends at the end, or when there is a file OUT/stop."""
        parallel.same_weights([self.model, self.ema, self.beside])
        log = open(self.a.out + "/log.txt", "a")
        start, begun = self.clock(), self.step
        exported = reported = time.time()
        while True:
            seconds = self.before + self.clock() - start
            done = 1.0 if os.path.exists(self.a.out + "/stop") else seconds / 60 / self.a.minutes
            done = parallel.same_clock(done, self.device)
            if done >= 1:
                break
            yield done
            if time.time() - reported > 60:
                means = " ".join(f"{np.mean(l):.4f}" if l else "-" for l in self.losses)
                line = (f"{seconds / 60:.1f} min step {self.step} ({(self.clock() - start) / (self.step - begun):.3f} s) "
                        f"samples {self.samples} rate {self.level:.3f} loss by sigma {means}")
                if self.losses_beside:
                    line += f" beside {np.mean(self.losses_beside):.4f}"
                if parallel.RANK == 0:
                    print(line, flush=True), print(line, file=log, flush=True)
                self.losses, self.losses_beside, reported = [[] for _ in self.losses], [], time.time()
            if time.time() - exported > self.a.export * 60:
                self.keep(seconds)
                exported = time.time()
        self.keep(self.before + self.clock() - start)
        print(f"{self.step} steps, {self.samples} samples", flush=True)

    def keep(self, seconds):
        if parallel.RANK:
            return
        beside = dict(beside=self.beside.state_dict(), beside_adam=self.beside_adam.state_dict()) if self.beside_adam else {}
        torch.save(dict(model=self.model.state_dict(), ema=self.ema.state_dict(), muon=self.muon.state_dict(),
                        adam=self.adam.state_dict(), step=self.step, samples=self.samples, seconds=seconds,
                        teacher=self.teacher, **beside),
                   self.state + ".new")
        os.replace(self.state + ".new", self.state)
        new, now, old = (self.a.out + "/export" + e for e in (".new", "", ".old"))
        shutil.rmtree(new, ignore_errors=True), shutil.rmtree(old, ignore_errors=True)
        self.ema.save(new, self.a.vae)
        if os.path.exists(now):
            os.rename(now, old)
        os.rename(new, now)
        shutil.rmtree(old, ignore_errors=True)

    def set_rates(self, done, warm_up, falling):
        """Warm-up over so many steps, level, then linear to nothing in the last part of the time."""
        self.level = min(1, (self.step + 1) / warm_up) * min(1, max((1 - done) / falling, 0.005))
        for optimizer, rate in ((self.muon, self.a.matrix_rate), (self.adam, self.a.rate), (self.beside_adam, self.a.rate)):
            for g in optimizer.param_groups if optimizer else ():
                g["lr"] = rate * self.level

    def learn(self, sigma, v, target, more=None):
        """A step from predicted and right velocities, [samples, tokens, channels], and a loss of what is trained beside."""
        each = (v.float() - target).pow(2).mean((1, 2))
        self.muon.zero_grad(set_to_none=True), self.adam.zero_grad(set_to_none=True)
        if more is None:
            each.mean().backward()
        else:
            self.beside_adam.zero_grad(set_to_none=True)
            (each.mean() + more).backward()
            parallel.average_gradients(list(self.beside.parameters()))
            self.beside_adam.step()
            self.losses_beside.append(more.item())
        parallel.average_gradients(self.parameters)
        torch.nn.utils.clip_grad_norm_(self.others, 1.0)
        self.muon.step(), self.adam.step()
        self.step += 1
        self.samples += len(each) * parallel.PROCESSES
        if self.step % 2 == 0:
            decay = min(0.998, self.step / (self.step + 200)) ** 2
            with torch.no_grad():
                torch._foreach_mul_(list(self.ema.parameters()), decay)
                torch._foreach_add_(list(self.ema.parameters()), self.parameters, alpha=1 - decay)
        for s, e in zip(sigma.tolist(), each.tolist()):
            self.losses[np.searchsorted(BUCKETS, s, side="right") - 1].append(e)
