"""Seconds per megapixel and peak memory of `stvae stylize` from 1 to 64 megapixels, written to benchmarks/tiles.json.

    python benchmarks/tiles.py [MODEL …] [--megapixels 1 4 16 64] [--max-memory 4GB] [--side 2048]
                               [--out benchmarks/tiles.json]

Every size is done by a process of its own, from a PNG of a photograph enlarged to that size (a megapixel: 2²⁰ pixels) to a PNG
of the result; the model is loaded, the style encoded, and a small picture drawn from file to file before the clock starts. Of
pictures that take seconds the middle of five runs counts. Then a square of --side pixels is drawn at once and in tiles of 512,
features (and layers that are normalised) kept as float16, and the largest difference is taken; for a decoder that normalises also
with the moments of a copy of half the size. Models left out (default: both that the command draws by) keep their recorded rows.
Run it on a machine that has nothing else to do.
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

from stvae_lib import reading, stylizing
from stvae_lib.arguments import MODEL, QUICK_MODEL, make_parser, memory
from stvae_lib.evaluation.timing import process_peak_mb
from stvae_lib.files import write_text
from stvae_lib.model.tiles import Plan
from stvae_lib.pictures import styles
from stvae_lib.pictures.datasets import sample_photo
from stvae_lib.pictures.images import resized, save_image, size_in_file, to_float, to_pixels
from stvae_lib.provenance import environment

STYLE_SIDE, TILE = 512, 512
RUNS, SMALL = 5, 4  # of a picture of so many megapixels or fewer, which takes seconds; the middle one counts


def enlarged(side: int) -> torch.Tensor:
    """A real photograph as a square: `(1, 3, side, side)`, 8-bit."""
    return resized(to_pixels(sample_photo("astronaut")), (side, side))


def stylize_arguments(photo: Path, style: Path, options: list[str]):
    """What the command makes of its arguments, with the tools that it loads for them."""
    arguments = make_parser().parse_args(["stylize", str(photo), str(style), "-o", str(photo.with_suffix(".out.png")),
                                          "--device", "cpu", *options])
    arguments.mix = [1.0]
    return arguments, stylizing.Tools.load(arguments)


def measure(photo: Path, style: Path, options: list[str]) -> dict:
    """Stylise once, in this process: seconds, peak memory in MB; the side of a tile in pixels, and as what features were kept
    and where, None where there were no tiles."""
    arguments, tools = stylize_arguments(photo, style, options)
    small = save_image(sample_photo("astronaut", 128), photo.with_name("small.png"))
    stylizing.stylize_one(tools, arguments, small, small.with_name("small.out.png"))  # all that a process does once
    began = time.perf_counter()
    stylizing.stylize_one(tools, arguments, arguments.photo, arguments.out)
    seconds = time.perf_counter() - began
    plan = tools.tiler.plan(size_in_file(photo)[::-1], arguments.max_memory, photo.parent)
    return {"seconds": round(seconds, 2), "peak_memory_mb": round(process_peak_mb()),
            "tile": plan and plan.side * tools.tiler.stride, "kept": plan and str(plan.keep).removeprefix("torch."),
            "layers kept": plan and plan.layers, "on disk": plan and plan.folder is not None}


def difference(photo: Path, style: Path, options: list[str]) -> dict:
    """Grey levels by which a picture is at most off the one drawn at once: drawn in tiles, what is kept between them in single
    and in half precision, and, where the decoder normalises, drawn with the moments of a copy of half the size (None where it
    does not)."""
    arguments, tools = stylize_arguments(photo, style, options)
    pixels, tiler = reading.photograph(photo, arguments, None, None), tools.tiler
    content, wanted, drawn = to_float(pixels), tiler.model.mixed_style(tools.codes), {}
    for name, dtype in (("levels", torch.float32), ("levels_in_half_precision", torch.float16)):
        plan = Plan(TILE // tiler.stride, dtype, len(tiler.hidden_values))
        drawn[name] = tiler.stylize(pixels, tools.codes, plan)
    if tiler.model.vlt.normalises:
        half = resized(pixels, [side // 2 for side in pixels.shape[2:]])
        known, _ = tiler.measured(tiler.moved(half, wanted, 1.0, plan), wanted)
        output = tiler.model.render(tiler.model.encode(content), known, content.shape[2:]).clamp(0, 1)
        drawn["levels_by_a_reduced_copy"] = to_pixels(tiler.model.finish(output, content, known))
    whole = to_pixels(tiler.model.stylize(content, tools.codes)).int()
    return {"levels_by_a_reduced_copy": None} | {name: int((whole - each.int()).abs().max()) for name, each in drawn.items()}


def in_a_process(task: str, photo: Path, style: Path, options: list[str]):
    """What `measure` or `difference` returns, in a process of its own."""
    child = [sys.executable, __file__, *options, "--child", task, str(photo), str(style)]
    return json.loads(subprocess.run(child, stdout=subprocess.PIPE, text=True, check=True).stdout)


def measured(model: str, given, folder: Path, rows: list[dict]) -> dict:
    """Rows of one model, a size each, or the known ones where none is asked for, and its difference."""
    photo, style, options = folder / "photo.png", folder / "style.png", ["--model", model, "--max-memory", given.max_memory]
    rows = [] if given.megapixels else rows
    for megapixels in given.megapixels:
        save_image(enlarged(round(1024 * math.sqrt(megapixels))), photo)
        runs = [in_a_process("measure", photo, style, options) for _ in range(RUNS if megapixels <= SMALL else 1)]
        row = {"megapixels": megapixels} | sorted(runs, key=lambda run: run["seconds"])[len(runs) // 2]
        rows.append(row | {"seconds_per_megapixel": round(row["seconds"] / megapixels, 3)})
        print(model, rows[-1], flush=True)
    save_image(enlarged(given.side), photo)
    settings = {"side": given.side, "max_memory": given.max_memory, "provenance": environment("cpu")}
    return {"rows": rows} | settings | in_a_process("difference", photo, style, options)


def main(given) -> None:
    results = json.loads(given.out.read_text()) if given.out.exists() else {"models": {}}
    results |= {"command": "python benchmarks/tiles.py"}
    for model in given.models:
        with tempfile.TemporaryDirectory() as folder:
            save_image(styles.generate("stained_glass", STYLE_SIDE), Path(folder) / "style.png")
            known = results["models"].get(model, {}).get("rows", [])
            results["models"][model] = measured(model, given, Path(folder), known)
        print(model, "levels:", results["models"][model]["levels"], flush=True)
        write_text(given.out, json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", default=[QUICK_MODEL, MODEL], metavar="MODEL")
    parser.add_argument("--megapixels", type=int, nargs="*", default=[1, 4, 16, 64], help="none: only how far tiles are off")
    parser.add_argument("--side", type=int, default=2048)
    parser.add_argument("--max-memory", default="4GB")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/tiles.json"))
    parser.add_argument("--model", help=argparse.SUPPRESS)  # both used by the script itself
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    memory(arguments.max_memory)
    if arguments.child:
        task, *files = arguments.child
        print(json.dumps({"measure": measure, "difference": difference}[task](
            *map(Path, files), ["--model", arguments.model, "--max-memory", arguments.max_memory])))
    else:
        main(arguments)
