#!/usr/bin/env python3
"""Trains the x3 super-resolution network on T91 and the BSDS500 training images, on the CPU.

Data: every training image at five sizes, eight orientations, patches of 32x32 low-resolution pixels. A third of
the patches comes from T91, the rest from BSDS500. The held-out images and the degradation are psnr_superres.py's.

Schedule: a Charbonnier loss at a constant rate, then, for the last --settle of the --steps, mean squared error
while the rate falls along a cosine. What is written is the running average of the weights, never a picked
checkpoint: the PSNR in the log is there to be looked at.

Each step draws its patches from a generator seeded by (seed, step), and until the rate falls nothing depends on
--steps. So a run may be stopped in that phase and resumed with any longer or shorter plan that leaves the
checkpoint in it: the outcome is that of an unbroken run. Equal results to the last bit need the same PyTorch
build, processor and --threads.
"""

import argparse
import math
import os
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn

import psnr_superres as protocol
from psnr_superres import SCALE

SIZES = (1.0, 0.9, 0.8, 0.7, 0.6)
T91_SHARE = 1 / 3
PATCH = 32
BATCH = 16
RATE = 1e-3
FINAL_RATE = 1e-6
WARM_UP = 500
AVERAGE_DECAY = 0.999
CHARBONNIER_EPS = 1e-3
# The zero padding of the four convolutions reaches this far into a patch. In a photograph such pixels are few, so
# they count little here, but they count: the edge of a picture must not ring.
PADDING_REACH = 5
PADDING_WEIGHT = 0.1

LOG_EVERY = 1000
SAVE_EVERY = 5000


class Pool:
    """Planes of one folder as (low, high) uint8 arrays, drawn with probability proportional to area."""

    def __init__(self, paths):
        self.pairs = [pair for path in paths for pair in plane_pairs(path)]
        areas = np.array([low.size for low, _ in self.pairs], np.float64)
        self.cumulative = np.cumsum(areas / areas.sum())

    def draw(self, rng):
        """One patch pair, in one of the eight orientations of the square."""
        index = min(np.searchsorted(self.cumulative, rng.random()), len(self.pairs) - 1)
        low, high = self.pairs[index]
        y, x = (rng.integers(side - PATCH + 1) for side in low.shape)
        turns, mirrored = rng.integers(4), rng.integers(2)
        return tuple(
            orient(plane[y * s : (y + PATCH) * s, x * s : (x + PATCH) * s], turns, mirrored)
            for plane, s in ((low, 1), (high, SCALE))
        )


def plane_pairs(path):
    """The (low, high) planes of one image at every size that still holds a patch."""
    full = protocol.load_luma(path)
    for size in SIZES:
        scaled = full.resize([round(side * size) for side in full.size], Image.BICUBIC) if size != 1 else full
        high = protocol.crop_to_scale(scaled)
        low = protocol.reduce(high)
        if min(low.size) >= PATCH:
            yield np.asarray(low), np.asarray(high)


def orient(patch, turns, mirrored):
    patch = np.rot90(patch, turns)
    return patch[:, ::-1] if mirrored else patch


def draw_batch(pools, seed, step):
    """Tensors [BATCH,1,PATCH,PATCH] and [BATCH,1,3*PATCH,3*PATCH] in 0..1; a function of seed and step alone."""
    rng = np.random.default_rng((seed, step))
    low = np.empty((BATCH, 1, PATCH, PATCH), np.float32)
    high = np.empty((BATCH, 1, PATCH * SCALE, PATCH * SCALE), np.float32)
    for i in range(BATCH):
        pool = pools["T91" if rng.random() < T91_SHARE else "BSDS500-train"]
        low[i, 0], high[i, 0] = pool.draw(rng)
    low /= 255
    high /= 255
    return torch.from_numpy(low), torch.from_numpy(high)


def pixel_weights():
    """Weights [3*PATCH,3*PATCH] of the loss, with a mean of one."""
    weights = torch.full((PATCH * SCALE, PATCH * SCALE), PADDING_WEIGHT)
    inner = slice(PADDING_REACH * SCALE, -PADDING_REACH * SCALE)
    weights[inner, inner] = 1
    return weights / weights.mean()


def charbonnier(error):
    return torch.sqrt(error * error + CHARBONNIER_EPS**2) - CHARBONNIER_EPS


@dataclass(frozen=True)
class Plan:
    """A run of `steps` steps, of which the last `settle` end it."""

    steps: int
    settle: int

    def settles(self, step):
        return step >= self.steps - self.settle

    def rate(self, step):
        """Learning rate: linear warm-up, constant, then a cosine down to the final rate."""
        if not self.settles(step):
            return RATE * min(1, (step + 1) / WARM_UP)
        done = 1 - (self.steps - step) / self.settle
        return FINAL_RATE + (RATE - FINAL_RATE) * (1 + math.cos(math.pi * done)) / 2


def initialise(net):
    """Orthogonal weights with the gain of the activation that follows, as in the tutorial; zero biases."""
    relu = nn.init.calculate_gain("relu")
    for conv, gain in ((net.conv1, relu), (net.conv2, relu), (net.conv3, relu), (net.conv4, 1)):
        nn.init.orthogonal_(conv.weight, gain)
        nn.init.zeros_(conv.bias)


class Trainer:
    """Network, optimiser and running average; `step` is the number of steps taken."""

    def __init__(self, seed):
        torch.manual_seed(seed)
        self.seed = seed
        self.step = 0
        self.net = protocol.SuperResolutionNet()
        initialise(self.net)
        self.net.to(memory_format=torch.channels_last)
        self.average = protocol.SuperResolutionNet()
        self.average.load_state_dict(self.net.state_dict())
        self.optimiser = torch.optim.Adam(self.net.parameters(), RATE)
        self.weights = pixel_weights()

    def advance(self, pools, plan):
        """Takes one step and returns its loss."""
        for group in self.optimiser.param_groups:
            group["lr"] = plan.rate(self.step)
        low, high = draw_batch(pools, self.seed, self.step)
        error = self.net(low) - high
        penalty = error * error if plan.settles(self.step) else charbonnier(error)
        loss = (penalty * self.weights).mean()
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.optimiser.step()
        self.update_average()
        self.step += 1
        return loss.item()

    @torch.no_grad()
    def update_average(self):
        # Early on the average must forget the initial weights faster than its final decay would.
        decay = min(AVERAGE_DECAY, (1 + self.step) / (10 + self.step))
        for mean, value in zip(self.average.parameters(), self.net.parameters()):
            mean.lerp_(value, 1 - decay)

    def save_weights(self, path):
        state = self.average.state_dict()
        for name, value in state.items():
            state[name] = value.detach().clone(memory_format=torch.contiguous_format)
        replace_file(path, state)

    def save_checkpoint(self, path):
        state = {"seed": self.seed, "step": self.step, "net": self.net.state_dict()}
        state |= {"average": self.average.state_dict(), "optimiser": self.optimiser.state_dict()}
        replace_file(path, state)

    def resume(self, path):
        state = torch.load(path, map_location="cpu")
        if state["seed"] != self.seed:
            raise SystemExit(f"{path}: made with --seed {state['seed']}, not {self.seed}")
        self.step = state["step"]
        self.net.load_state_dict(state["net"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])


def replace_file(path, state):
    """torch.save that leaves either the old file or the whole new one."""
    part = Path(f"{path}.part")
    torch.save(state, part)
    os.replace(part, path)


class Log:
    """Lines to standard output and, where a path is given, to a file."""

    def __init__(self, path, append):
        self.file = open(path, "a" if append else "w", encoding="utf-8") if path else None

    def __call__(self, line):
        print(line, flush=True)
        if self.file:
            print(line, file=self.file, flush=True)


def load_pools(paths):
    folders = {}
    for path in paths:
        folders.setdefault(path.parent.name, []).append(path)
    return {folder: Pool(members) for folder, members in folders.items()}


def plan_line(args):
    return f"steps {args.steps}, of these settling {args.settle}, threads {args.threads}"


def log_header(log, args, pools, train, held):
    log(f"# pytorch {torch.__version__}, numpy {np.__version__}, pillow {Image.__version__}")
    log(f"# {plan_line(args)}, seed {args.seed}, batch {BATCH}, patch {PATCH}")
    planes = ", ".join(f"{len(pool.pairs)} planes of {folder}" for folder, pool in pools.items())
    log(f"# {len(train)} training images ({planes}); {len(held)} held out:")
    for folder in pools:
        log(f"#   {folder}: " + " ".join(p.name for p in held if p.parent.name == folder))


def held_out_line(net, held):
    """The running average's mean PSNR per folder, and its gain over bicubic."""
    means = protocol.mean_rows(protocol.measure(held, [net]))
    return "; ".join(f"{name}: {ours:.3f} dB ({ours - bicubic:+.3f})" for name, (bicubic, ours) in means)


def train(trainer, pools, held, args, log):
    plan = Plan(args.steps, args.settle)
    started, first, losses = time.monotonic(), trainer.step, []
    while trainer.step < plan.steps:
        losses.append(trainer.advance(pools, plan))
        if trainer.step % LOG_EVERY == 0:
            seconds = time.monotonic() - started
            rate, speed = plan.rate(trainer.step - 1), (trainer.step - first) / seconds
            log(f"{trainer.step} loss {np.mean(losses):.4e} rate {rate:.2e} {seconds:.0f} s {speed:.1f} steps/s")
            losses.clear()
        if trainer.step % SAVE_EVERY == 0 or trainer.step == plan.steps:
            trainer.save_weights(args.out)
            if args.checkpoint:
                trainer.save_checkpoint(args.checkpoint)
            log(f"{trainer.step} {held_out_line(trainer.average, held)}")


def parse_arguments():
    parser = argparse.ArgumentParser(description="Train the x3 super-resolution network.")
    parser.add_argument("--data", type=Path, default=protocol.DEFAULT_DATA, help="folder with T91 and BSDS500-train")
    parser.add_argument("--out", type=Path, required=True, help="state dict to write, also along the way (.pth)")
    parser.add_argument("--steps", type=int, default=62000, help="optimiser steps (default %(default)s)")
    parser.add_argument("--settle", type=int, default=12000, help="of these, at the end (default %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of initial weights and patches (default %(default)s)")
    parser.add_argument("--threads", type=int, default=2, help="of PyTorch (default %(default)s)")
    parser.add_argument("--log", type=Path, help="file for the log, which always goes to standard output")
    parser.add_argument("--checkpoint", type=Path, help="file for the whole state, to resume from")
    parser.add_argument("--resume", type=Path, help="checkpoint to go on from; the log is appended to")
    return parser.parse_args()


def main():
    args = parse_arguments()
    torch.set_num_threads(args.threads)
    torch.set_flush_denormal(True)
    training, held = protocol.split_images(args.data)
    pools = load_pools(training)
    trainer = Trainer(args.seed)
    log = Log(args.log, append=args.resume is not None)
    if args.resume:
        trainer.resume(args.resume)
        log(f"# resumed at step {trainer.step}, now {plan_line(args)}")
    else:
        log_header(log, args, pools, training, held)
    train(trainer, pools, held, args, log)


if __name__ == "__main__":
    main()
