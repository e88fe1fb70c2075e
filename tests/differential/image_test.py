#!/usr/bin/env python3
"""Holds sardonyx's images to Pillow's, byte for byte: decoding, resizing, colour conversion, JPEG encoding, tensors.

usage: image_test.py --tool build/bin/image_driver [--seed N] [--images N]

Random pictures are written by Pillow, worked on by image_driver and by Pillow, and compared. The seed is printed. Where Pillow and
numpy are absent all is skipped, with the reason. The last line is `N passed, M failed, K skipped`; the exit status is 1 if any failed.
"""

import argparse
import io
import os
import random
import subprocess
import sys
import tempfile

try:
    import numpy as np
    from PIL import Image, ImageFile, ImageOps
except ImportError as missing:
    print(f"skipped: {missing}")
    print("0 passed, 0 failed, 1 skipped")
    sys.exit(0)

ImageFile.MAXBLOCK = 1 << 22  # else Pillow cannot write noise at high quality
FILTERS = {
    "nearest": Image.Resampling.NEAREST,
    "box": Image.Resampling.BOX,
    "bilinear": Image.Resampling.BILINEAR,
    "hamming": Image.Resampling.HAMMING,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}
CHANNELS = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4, "YCbCr": 3, "CMYK": 4, "I;16": 1}


class Driver:
    """image_driver in one process, with a folder for its files."""

    def __init__(self, tool, folder):
        self.process = subprocess.Popen([tool], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.folder = folder

    def path(self, name):
        return os.path.join(self.folder, name)

    def run(self, source, target, *steps):
        print(self.path(source), self.path(target), *steps, file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline().strip()
        if answer != "ok":
            raise RuntimeError(answer or f"image_driver ended with status {self.process.wait()}")
        return self.path(target)

    def pixels(self, source, *steps):
        """(mode, array [H, W, C]) after the steps."""
        with open(self.run(source, "out.raw", *steps), "rb") as file:
            mode, width, height = file.readline().split()
            kind = np.uint16 if b"16" in mode else np.uint8
            return mode.decode(), np.frombuffer(file.read(), kind).reshape(int(height), int(width), -1)

    def floats(self, source, *steps):
        with open(self.run(source, "out.f32", *steps), "rb") as file:
            shape = [int(size) for size in file.readline().split()]
            return np.frombuffer(file.read(), np.float32).reshape(shape)


class Tally:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def check(self, name, body):
        """`body` returns two arrays, or pairs of a mode and an array, that must be equal."""
        try:
            ours, theirs = body()
            fault = difference(ours, theirs)
        except RuntimeError as error:
            fault = str(error)
        if fault is None:
            self.passed += 1
        else:
            self.failed += 1
            print(f"FAILED {name}: {fault}")


def difference(ours, theirs):
    if isinstance(ours, tuple):
        if ours[0] != theirs[0]:
            return f"mode {ours[0]}, expected {theirs[0]}"
        ours, theirs = ours[1], theirs[1]
    if ours.shape != theirs.shape:
        return f"shape {ours.shape}, expected {theirs.shape}"
    if np.array_equal(ours, theirs):
        return None
    wrong = np.argwhere(ours != theirs)
    at = tuple(wrong[0])
    return f"{len(wrong)} of {ours.size} samples differ, first at {at}: {ours[at]}, expected {theirs[at]}"


def known(picture):
    """(mode, array [H, W, C]) of a Pillow image."""
    array = np.asarray(picture)
    return picture.mode, array.reshape(picture.height, picture.width, -1)


def random_samples(rng, height, width, channels, top):
    """Noise, a slope, hard edges or blobs: what stresses filters in different ways."""
    generator = np.random.default_rng(rng.randrange(2**32))
    kind = rng.randrange(4)
    if kind == 0:
        array = generator.integers(0, top + 1, (height, width, channels))
    elif kind == 1:
        y, x = np.mgrid[0:height, 0:width]
        array = np.stack([(x * rng.uniform(0, 9) + y * rng.uniform(0, 9)) % (top + 1) for _ in range(channels)], -1)
    elif kind == 2:
        array = generator.integers(0, 2, (height, width, channels)) * top
    else:
        y, x = np.mgrid[0:height, 0:width]
        waves = [np.sin(x / rng.uniform(2, 40)) * np.cos(y / rng.uniform(2, 40)) for _ in range(channels)]
        array = (np.stack(waves, -1) + 1) / 2 * top
    return array.astype(np.uint16 if top > 255 else np.uint8)


def random_picture(rng, mode, size=None):
    width, height = size or (rng.randint(1, 300), rng.randint(1, 300))
    array = random_samples(rng, height, width, CHANNELS[mode], 65535 if mode == "I;16" else 255)
    if mode == "I;16":
        return Image.frombytes("I;16", (width, height), array.tobytes())
    return Image.frombytes(mode, (width, height), array.tobytes())


def random_target(rng):
    return rng.randint(1, 400), rng.randint(1, 400)


def compare_resizing(rng, tally, driver, name, source, picture):
    for filter_name, resample in FILTERS.items():
        width, height = random_target(rng)
        if rng.random() < 0.1:
            width = picture.width
        if rng.random() < 0.1:
            height = picture.height
        tally.check(
            f"{name} -> {width} x {height} {filter_name}",
            lambda: (driver.pixels(source, f"resize={width},{height},{filter_name}"),
                     known(picture.resize((width, height), resample))),
        )


def compare_conversions(rng, tally, driver, name, source, picture):
    for mode in ("L", "LA", "RGB", "RGBA", "YCbCr"):
        tally.check(f"{name} -> {mode}", lambda: (driver.pixels(source, f"convert={mode}"), known(picture.convert(mode))))
    width, height = random_target(rng)
    filter_name, resample = rng.choice(sorted(FILTERS.items()))
    tally.check(
        f"{name} -> YCbCr -> {width} x {height} {filter_name} -> RGB",
        lambda: (driver.pixels(source, "convert=YCbCr", f"resize={width},{height},{filter_name}", "convert=RGB"),
                 known(picture.convert("YCbCr").resize((width, height), resample).convert("RGB"))),
    )


def compare_crop_and_floats(rng, tally, driver, name, source, picture):
    left, top = rng.randrange(picture.width), rng.randrange(picture.height)
    width, height = rng.randint(1, picture.width - left), rng.randint(1, picture.height - top)
    tally.check(
        f"{name} cropped",
        lambda: (driver.pixels(source, f"crop={left},{top},{width},{height}", "bands"),
                 known(picture.crop((left, top, left + width, top + height)))),
    )
    array = known(picture)[1]
    tally.check(f"{name} to a tensor", lambda: (driver.floats(source), array.transpose(2, 0, 1) / np.float32(255)))
    scaled = array / np.float32(255) * np.float32(255)
    truncated = picture.mode, np.uint8(scaled.clip(0, 255))
    nearest = picture.mode, np.uint8((scaled + np.float32(0.5)).clip(0, 255))
    tally.check(f"{name} floats, truncated", lambda: (driver.pixels(source, f"floats={picture.mode},truncate"), truncated))
    tally.check(f"{name} floats, nearest", lambda: (driver.pixels(source, f"floats={picture.mode},nearest"), nearest))


def compare_png(rng, tally, driver, number):
    mode = rng.choice(["L", "LA", "RGB", "RGBA"])
    picture = random_picture(rng, mode)
    name = f"png {number} {mode} {picture.width} x {picture.height}"
    picture.save(driver.path("in.png"), compress_level=rng.randint(0, 9))
    tally.check(name, lambda: (driver.pixels("in.png"), known(picture)))
    compare_resizing(rng, tally, driver, name, "in.png", picture)
    compare_conversions(rng, tally, driver, name, "in.png", picture)
    compare_crop_and_floats(rng, tally, driver, name, "in.png", picture)


def compare_jpeg(rng, tally, driver, number):
    mode = rng.choice(["L", "RGB", "RGB", "RGB", "CMYK"])
    options = {
        "quality": rng.randint(1, 100),
        "subsampling": rng.randint(0, 2),
        "progressive": rng.random() < 0.4,
        "optimize": rng.random() < 0.3,
    }
    picture = random_picture(rng, mode)
    name = f"jpeg {number} {mode} {picture.width} x {picture.height} {options}"
    picture.save(driver.path("in.jpg"), **options)
    decoded = Image.open(driver.path("in.jpg"))
    decoded = decoded.convert("RGB") if mode == "CMYK" else decoded
    decoded.load()
    tally.check(name, lambda: (driver.pixels("in.jpg"), known(decoded)))
    compare_resizing(rng, tally, driver, name, "in.jpg", decoded)
    compare_conversions(rng, tally, driver, name, "in.jpg", decoded)
    compare_encoding(rng, tally, driver, name, decoded)


def compare_encoding(rng, tally, driver, name, picture):
    quality, pattern, progressive = rng.randint(1, 100), rng.randint(0, 2), rng.random() < 0.4
    expected = io.BytesIO()
    picture.save(expected, "JPEG", quality=quality, subsampling=pattern, progressive=progressive)
    picture.save(driver.path("plain.png"))
    steps = [f"quality={quality}", f"subsampling={(444, 422, 420)[pattern]}"] + ["progressive"] * progressive
    tally.check(
        f"{name} encoded again {steps}",
        lambda: (known(Image.open(driver.run("plain.png", "ours.jpg", *steps))), known(Image.open(expected))),
    )


def compare_palettes(rng, tally, driver, number):
    colours = rng.choice([2, 4, 16, 256])
    picture = random_picture(rng, "RGB").quantize(colours)
    options, mode = {}, "RGB"
    if rng.random() < 0.5:
        options["transparency"] = bytes(rng.randrange(256) for _ in range(rng.randint(1, colours)))
        mode = "RGBA"
    picture.save(driver.path("in.png"), bits={2: 1, 4: 2, 16: 4, 256: 8}[colours], **options)
    name = f"palette {number} of {colours} {picture.width} x {picture.height} {mode}"
    reread = Image.open(driver.path("in.png"))
    tally.check(name, lambda: (driver.pixels("in.png"), known(reread.convert(mode))))


def compare_other_png(rng, tally, driver, number):
    bits = random_picture(rng, "L").convert("1")
    bits.save(driver.path("in.png"))
    tally.check(f"1-bit png {number}", lambda: (driver.pixels("in.png"), known(bits.convert("L"))))
    for mode, key in (("L", rng.randrange(256)), ("RGB", tuple(rng.randrange(2) * 255 for _ in range(3)))):
        picture = random_picture(rng, mode)
        picture.save(driver.path("in.png"), transparency=key)
        shown = Image.open(driver.path("in.png")).convert("LA" if mode == "L" else "RGBA")
        tally.check(f"{mode} png {number} with transparent {key}", lambda: (driver.pixels("in.png"), known(shown)))


def compare_wide(rng, tally, driver, number):
    """16-bit grey: Pillow decodes it, and filters it as floats, to which the integers may be no further than rounding and a bit."""
    picture = random_picture(rng, "I;16")
    picture.save(driver.path("in.png"))
    name = f"16-bit {number} {picture.width} x {picture.height}"
    array = known(picture)[1].astype(np.uint16)
    tally.check(name, lambda: (driver.pixels("in.png"), ("I;16", array)))
    floats = Image.fromarray(array[..., 0].astype(np.float32))
    for filter_name, resample in FILTERS.items():
        width, height = random_target(rng)
        expected = np.asarray(floats.resize((width, height), resample)).astype(np.float64).clip(0, 65535)[..., None]

        def distances():
            _, ours = driver.pixels("in.png", f"resize={width},{height},{filter_name}")
            return abs(ours - expected) > 0.51, np.zeros(expected.shape, bool)

        tally.check(f"{name} -> {width} x {height} {filter_name}", distances)


def compare_orientations(rng, tally, driver, number):
    picture = random_picture(rng, "RGB")
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        for name in ("in.png", "in.jpg"):
            picture.save(driver.path(name), exif=exif.tobytes())
            stored = Image.open(driver.path(name))
            upright = ImageOps.exif_transpose(stored)
            label = f"orientation {orientation} {number} {name}"
            tally.check(label, lambda: (driver.pixels(name), known(upright)))
            tally.check(label + " as stored", lambda: (driver.pixels(name, "stored"), known(stored)))


def compare_all_colours(tally, driver):
    """Every RGB triple to YCbCr, and every YCbCr triple (by way of a merge that Pillow and we share) to RGB."""
    cube = np.stack(np.meshgrid(*[np.arange(256, dtype=np.uint8)] * 3, indexing="ij"), -1).reshape(4096, 4096, 3)
    picture = Image.fromarray(cube)
    picture.save(driver.path("cube.png"), compress_level=1)
    for mode in ("YCbCr", "L"):
        tally.check(f"all colours -> {mode}", lambda: (driver.pixels("cube.png", f"convert={mode}"), known(picture.convert(mode))))
    reread = Image.frombytes("YCbCr", picture.size, cube.tobytes())
    tally.check(
        "all YCbCr triples -> RGB",
        lambda: (driver.pixels("cube.png", "floats=YCbCr,nearest", "convert=RGB"), known(reread.convert("RGB"))),
    )


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tool", required=True, help="the image_driver program")
    parser.add_argument("--seed", type=int, default=random.randrange(2**31))
    parser.add_argument("--images", type=int, default=200)
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}, Pillow {Image.__version__}", flush=True)
    rng = random.Random(arguments.seed)
    tally = Tally()
    with tempfile.TemporaryDirectory() as folder:
        driver = Driver(arguments.tool, folder)
        for number in range(arguments.images):
            (compare_jpeg if number % 3 == 2 else compare_png)(rng, tally, driver, number)
            if number % 5 == 0:
                compare_palettes(rng, tally, driver, number)
                compare_other_png(rng, tally, driver, number)
                compare_wide(rng, tally, driver, number)
            if number % 50 == 0:
                compare_orientations(rng, tally, driver, number)
        compare_all_colours(tally, driver)
    print(f"{tally.passed} passed, {tally.failed} failed, {tally.skipped} skipped")
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main())
