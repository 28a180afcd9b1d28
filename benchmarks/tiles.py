"""Seconds per megapixel and peak memory of `stvae stylize` from 1 to 64 megapixels, written to benchmarks/tiles.json.

    python benchmarks/tiles.py [--megapixels 1 4 16 64] [--model vgg19-slim] [--max-memory 4GB] [--out benchmarks/tiles.json]

Every size is done by a process of its own, from a PNG of a photograph enlarged to that size to a PNG of the result; the
model is loaded, and the style encoded, before the clock starts. Run it on a machine that has nothing else to do.
"""

import argparse
import json
import math
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

from stvae_lib import stylizing
from stvae_lib.arguments import make_parser, memory
from stvae_lib.evaluation.timing import process_peak_mb
from stvae_lib.files import write_text
from stvae_lib.pictures import styles
from stvae_lib.pictures.datasets import sample_photo
from stvae_lib.pictures.images import resized, save_image, size_in_file, to_pixels
from stvae_lib.provenance import environment

STYLE_SIDE = 512


def enlarged(megapixels: int) -> torch.Tensor:
    """A real photograph as a square of 2²⁰ pixels, here a megapixel, or several: `(1, 3, H, W)`, 8-bit."""
    side = round(1024 * math.sqrt(megapixels))
    return resized(to_pixels(sample_photo("astronaut")), (side, side))


def measure(photo: Path, style: Path, options: list[str]) -> dict:
    """Stylise once, in this process: seconds, peak memory in MB, and the side of a tile in pixels, None where there was none."""
    arguments = make_parser().parse_args(["stylize", str(photo), str(style), "-o", str(photo.with_suffix(".out.png")),
                                          "--device", "cpu", *options])
    tools, arguments.mix = stylizing.Tools.load(arguments), [1.0]
    began = time.perf_counter()
    stylizing.stylize_one(tools, arguments, arguments.photo, arguments.out)
    seconds = time.perf_counter() - began
    plan = tools.tiler.plan(size_in_file(photo)[::-1], arguments.max_memory)
    return {"seconds": round(seconds, 2), "peak_memory_mb": round(process_peak_mb()),
            "tile": plan and plan.side * tools.tiler.stride}


def main(megapixels: list[int], options: list[str], out: Path) -> None:
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        photo, style = Path(folder) / "photo.png", Path(folder) / "style.png"
        save_image(styles.generate("stained_glass", STYLE_SIDE), style)
        for size in megapixels:
            save_image(enlarged(size), photo)
            child = [sys.executable, __file__, "--measure", str(photo), str(style), *options]
            ended = subprocess.run(child, stdout=subprocess.PIPE, text=True, check=True)
            row = {"megapixels": size} | json.loads(ended.stdout)
            rows.append(row | {"seconds_per_megapixel": round(row["seconds"] / size, 3)})
            print(rows[-1], flush=True)
    results = {"options": options, "rows": rows, "provenance": environment(torch.device("cpu"))}
    write_text(out, json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megapixels", type=int, nargs="+", default=[1, 4, 16, 64])
    parser.add_argument("--model", default="vgg19-slim")
    parser.add_argument("--max-memory", default="4GB")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/tiles.json"))
    parser.add_argument("--measure", nargs=2, type=Path, metavar=("PHOTO", "STYLE"), help="one stylisation (used by the script)")
    given = parser.parse_args()
    memory(given.max_memory)
    common = ["--model", given.model, "--max-memory", given.max_memory]
    if given.measure:
        print(json.dumps(measure(*given.measure, common)))
    else:
        main(given.megapixels, common, given.out)
