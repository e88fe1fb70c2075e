#!/usr/bin/env python3
"""PSNR of the x3 super-resolution network on the held-out images.

Prints one row per held-out image, then the means, with a column each for bicubic upscaling, the weights
of the PyTorch tutorial (where that file is at hand) and our own.

The protocol, which tools/train_superres.py shares by importing this file:
  high resolution  Pillow's Y of YCbCr (full range, 8 bit), cropped from the top left to multiples of 3;
  low resolution   that plane reduced by 3 with Pillow's antialiased bicubic (a = -0.5), 8 bit;
  network          Y / 255 in, output clipped to 0..1 and rounded to 8 bit, as the application does;
  measure          both planes scaled by 219/255 (the width of studio-range luma, 16..235; its offset cancels),
                   3 pixels cut from every side, PSNR against a peak of 255.

Needs PyTorch (1.13 or later), NumPy and Pillow.
"""

import argparse
import math
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn

SCALE = 3
BORDER = 3
ROOT = Path(__file__).resolve().parent.parent
DEFAULT_DATA = ROOT.parent / "shared/data/sr-train"
DEFAULT_TUTORIAL = ROOT.parent / "shared/data/superres/superres_epoch100-44c6958e.pth"

# Folder -> (first, step) of the held-out images among the sorted names: ten of each folder.
HOLD_OUT = {"T91": (4, 9), "BSDS500-train": (9, 20)}
IMAGE_SUFFIXES = {".bmp", ".jpg", ".png"}


class SuperResolutionNet(nn.Module):
    """[N,1,H,W] luma in 0..1 -> [N,1,3H,3W]; the network of PyTorch's ONNX export tutorial at scale 3."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 64, 5, padding=2)
        self.conv2 = nn.Conv2d(64, 64, 3, padding=1)
        self.conv3 = nn.Conv2d(64, 32, 3, padding=1)
        self.conv4 = nn.Conv2d(32, SCALE * SCALE, 3, padding=1)
        self.shuffle = nn.PixelShuffle(SCALE)

    def forward(self, x):
        for conv in (self.conv1, self.conv2, self.conv3):
            x = torch.relu(conv(x))
        return self.shuffle(self.conv4(x))


def split_images(data):
    """Returns (training, held-out) lists of image paths under `data`; every name is in exactly one."""
    train, held = [], []
    for folder, (first, step) in HOLD_OUT.items():
        paths = sorted(p for p in (Path(data) / folder).iterdir() if p.suffix.lower() in IMAGE_SUFFIXES)
        chosen = set(paths[first::step])
        held += [p for p in paths if p in chosen]
        train += [p for p in paths if p not in chosen]
    return train, held


def crop_to_scale(luma):
    """Cuts the right and bottom edges so that both sides are multiples of the scale."""
    width, height = (side - side % SCALE for side in luma.size)
    return luma.crop((0, 0, width, height))


def load_luma(path):
    """The full-range Y plane as an 8-bit Pillow image."""
    with Image.open(path) as image:
        return image.convert("YCbCr").getchannel("Y")


def reduce(luma):
    """The low-resolution counterpart of a cropped plane."""
    return luma.resize((luma.width // SCALE, luma.height // SCALE), Image.BICUBIC)


def enlarge_bicubic(low):
    """Bicubic upscaling: uint8 [h,w] Pillow image -> uint8 [3h,3w] array."""
    return np.asarray(low.resize((low.width * SCALE, low.height * SCALE), Image.BICUBIC))


def enlarge(net, low):
    """Upscaling by a network: uint8 [h,w] Pillow image -> uint8 [3h,3w] array."""
    x = torch.from_numpy(np.array(low, np.float32) / 255)[None, None]
    with torch.no_grad():
        y = net(x)[0, 0]
    return (y.clamp(0, 1) * 255).round().to(torch.uint8).numpy()


def psnr(a, b):
    """PSNR in dB of two uint8 planes by the protocol above; infinity if they are equal inside the border."""
    inner = (slice(BORDER, -BORDER),) * 2
    error = (a[inner].astype(np.float64) - b[inner]) * (219 / 255)
    mse = np.mean(error**2)
    return 10 * math.log10(255**2 / mse) if mse else math.inf


def load_net(path):
    net = SuperResolutionNet()
    net.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    return net.eval()


def measure(paths, nets):
    """Rows (path, [bicubic dB, one dB per network]) for each image."""
    rows = []
    for path in paths:
        high = crop_to_scale(load_luma(path))
        low = reduce(high)
        high = np.asarray(high)
        candidates = [enlarge_bicubic(low)] + [enlarge(net, low) for net in nets]
        rows.append((path, [psnr(high, c) for c in candidates]))
    return rows


def mean_rows(rows):
    """Means per folder, then over all images."""
    groups = {}
    for path, values in rows:
        groups.setdefault(path.parent.name, []).append(values)
    groups["all"] = [values for _, values in rows]
    return [(f"mean of {len(v)}, {name}", np.mean(v, axis=0)) for name, v in groups.items()]


def print_table(rows, columns):
    def line(cells):
        print("| " + " | ".join(cells) + " |")

    line(["image"] + columns)
    line(["---"] + ["---:"] * len(columns))
    named = [(f"{path.parent.name}/{path.name}", values) for path, values in rows]
    for name, values in named + mean_rows(rows):
        line([name] + [f"{v:.2f}" for v in values])


def main():
    parser = argparse.ArgumentParser(description="PSNR table of the held-out images, in dB (Markdown).")
    parser.add_argument("--data", type=Path, default=DEFAULT_DATA, help="folder with T91 and BSDS500-train")
    parser.add_argument("--ours", type=Path, default=ROOT / "models/superres_x3.pth", help="our state dict")
    parser.add_argument("--tutorial", type=Path, default=DEFAULT_TUTORIAL, help="the tutorial's; skipped if absent")
    args = parser.parse_args()

    columns, nets = ["bicubic"], []
    if args.tutorial.is_file():
        columns.append("tutorial")
        nets.append(load_net(args.tutorial))
    columns.append("ours")
    nets.append(load_net(args.ours))
    print_table(measure(split_images(args.data)[1], nets), columns)


if __name__ == "__main__":
    main()
