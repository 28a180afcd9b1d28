"""Three photographs in three styles by every method, with metrics and controls: the recorded run behind notebook 04.

    python benchmarks/comparison.py [METHOD …] [--size 384] [--iterations 300]

Every method works in a fresh process of its own, so that its peak memory is its own. Writes into data/runs/comparison:
METHOD/card.json (metrics and seconds of all nine pictures, losses of the first), sheet.jpg (the pictures: a row per
photograph, a column per style) and strip.jpg (the first picture at STRIP's iterations). Finished methods are skipped.
"""

import argparse
import json
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import torch
import torch.nn.functional as F

import stvae_lib as st
from stvae_lib import baselines, weights
from stvae_lib.baselines.optimisation import History
from stvae_lib.evaluation import metrics
from stvae_lib.evaluation.timing import process_peak_mb
from stvae_lib.files import write_text
from stvae_lib.pictures import datasets
from stvae_lib.provenance import environment

OUT = Path(__file__).resolve().parent.parent / "data" / "runs" / "comparison"
PHOTOS = {"portrait": "astronaut", "architecture": "rocket", "character": "chelsea"}
STYLES = ("stained_glass_0", "brush_strokes_0", "rose_window_0")
STRIP = (1, 10, 50, 299)
SHOWN = 192  # longer side of the pictures in the sheets


def unchanged(image):
    return image, History()


def optimising(name: str, iterations: int, **options):
    """A method that optimises with the slim loss network, `iterations` evaluations over all its scales."""
    network = weights.loss_network()
    options = baselines.settings_for(name, network) | options
    options["iterations"] = iterations // len(options.get("scales", (1.0,)))
    return lambda content, style: baselines.OPTIMISING[name](content, style, network, snapshots=STRIP, **options)


def in_model(name: str):
    model = st.load(name, "cpu")
    return lambda content, style: unchanged(model.stylize(content, style))


def in_autoencoder(name: str):
    model = st.load("vgg19-slim-autoencoder", "cpu")
    return lambda content, style: baselines.STATISTICAL[name](content, style, model)


def reconstruction():
    model = st.load("vgg19-slim", "cpu")
    return lambda content, style: unchanged(model.reconstruct(content))


def same_size(style, content):
    return F.interpolate(style, content.shape[2:], mode="bilinear", antialias=True).clamp(0, 1)


# name -> a function of the iterations that makes `method(content, style) -> (image, history)`
METHODS = {
    "control-content": lambda _: lambda content, style: unchanged(content),
    "control-style": lambda _: lambda content, style: unchanged(same_size(style, content)),
    "control-reconstruction": lambda _: reconstruction(),
    "adain": lambda _: in_autoencoder("adain"),
    "wct": lambda _: in_autoencoder("wct"),
    "vgg19-slim": lambda _: in_model("vgg19-slim"),
    "resnet50-slim": lambda _: in_model("resnet50-slim"),
    "method-1": lambda count: optimising("method-1", count),
    "method-1-edges": lambda count: optimising("method-1", count, edge_weight=3e3),
    "method-2": lambda count: optimising("method-2", count, colour="yuv"),
    "method-3": lambda count: optimising("method-3", count),
}


def run(name: str, size: int, iterations: int) -> dict:
    """All nine pairs by one method: writes its sheets, returns its record."""
    photos = {role: datasets.sample_photo(photo, size) for role, photo in PHOTOS.items()}
    styles = {style: st.load_image(datasets.GENERATED_STYLES / f"{style}.png", size) for style in STYLES}
    distances = weights.feature_distances().calibrate([*photos.values(), *styles.values()])
    method, rows, pictures, first = METHODS[name](iterations), [], [], None
    for role, photo in photos.items():
        for style_name, style in styles.items():
            began = time.perf_counter()
            with torch.set_grad_enabled(name.startswith("method")):
                image, history = method(photo, style)
            seconds = time.perf_counter() - began
            rows.append({"photo": role, "style_name": style_name, "seconds": round(seconds, 3),
                         "stopped": history.stopped, "edge sharpness": metrics.edge_sharpness(image),
                         "straightness": metrics.straightness(image)}
                        | metrics.measure(image, photo, style, distances))
            pictures.append(image)
            first = first or history
            print(f"{name:24s} {role:12s} {style_name:16s} {seconds:6.1f} s", flush=True)
    (OUT / name).mkdir(parents=True, exist_ok=True)
    sheet = [torch.cat([square(image) for image in pictures[row:row + 3]], dim=3) for row in (0, 3, 6)]
    st.save_image(torch.cat(sheet, dim=2), OUT / name / "sheet.jpg")
    if first.snapshots:
        st.save_image(torch.cat([square(image) for image in first.snapshots.values()], dim=3), OUT / name / "strip.jpg")
    return {"method": name, "size": size, "iterations": iterations, "rows": rows, "peak_memory_mb": round(process_peak_mb()),
            "losses": first.losses, "strip": list(first.snapshots), "provenance": environment("cpu")}


def square(image: torch.Tensor) -> torch.Tensor:
    """A picture on a white square of SHOWN pixels."""
    height, width = (max(1, round(side * SHOWN / max(image.shape[2:]))) for side in image.shape[2:])
    small = F.interpolate(image, (height, width), mode="bilinear", antialias=True).clamp(0, 1)
    top, left = (SHOWN - height) // 2, (SHOWN - width) // 2
    return F.pad(small, (left, SHOWN - width - left, top, SHOWN - height - top), value=1.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("methods", nargs="*", metavar="METHOD", help="all unfinished ones where none is named")
    parser.add_argument("--size", type=int, default=384)
    parser.add_argument("--iterations", type=int, default=300)
    given = parser.parse_args()
    for name in given.methods:
        if name not in METHODS:
            parser.error(f"unknown method {name!r}; use one of {', '.join(METHODS)}")
    for name in given.methods or METHODS:
        file = OUT / name / "card.json"
        if file.exists() and not given.methods:
            continue
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            record = pool.submit(run, name, given.size, given.iterations).result()
        write_text(file, json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
