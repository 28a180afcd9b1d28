"""`stvae bench`: time and memory of every part at several sizes, beside a large matrix product timed in the same run, and
beside published networks whose files are given."""

import json
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import torch

from .errors import InputError
from .evaluation.peers import load_peer
from .evaluation.timing import in_turns, median_seconds, process_peak_mb
from .files import make_folder, write_text
from .model import weights
from .model.mixing import bilinear_mix
from .pictures import styles
from .pictures.datasets import sample_photo
from .pictures.images import to_jpeg
from .provenance import environment
from .report import figures


def matrix_product_rate(device: torch.device, side: int = 2000) -> float:
    """GFLOP/s of a large float32 matrix product: a peer to compare with; convolutions of cache-sized maps can exceed it."""
    left, right = torch.rand(side, side, device=device), torch.rand(side, side, device=device)
    return 2 * side**3 / median_seconds(lambda: left @ right, device) / 1e9


def convolution_flops(network, *inputs) -> int:
    """Floating-point operations of a forward pass, counted by torch."""
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(*inputs)
    return counter.get_total_flops()


def photo_of(size: int) -> torch.Tensor:
    """A real photograph enlarged or reduced to size × size."""
    return torch.nn.functional.interpolate(sample_photo("astronaut"), (size, size), mode="bilinear", antialias=True)


def measure_size(model, size: int, device: torch.device) -> dict:
    """Milliseconds of encode, transform, decode and the whole with the style encoded beforehand, at size × size."""
    content = photo_of(size).to(device)
    code = model.encode_style(styles.generate("stained_glass", 512).to(device))
    features, style = model.encode(content), model.style_from(code)
    moved = model.vlt.transform(features, style)
    parts = {"encode": lambda: model.encode(content), "transform": lambda: model.vlt.transform(features, style),
             "decode": lambda: model.decode(moved, content.shape[2:], style.modulation),
             "whole": lambda: model.stylize(content, code)}
    with torch.no_grad():
        seconds = {name: median_seconds(work, device) for name, work in parts.items()}
    row = {"size": size} | {f"{name}_ms": round(1000 * value, 2) for name, value in seconds.items()}
    flops = convolution_flops(model.encode, content)
    return row | {"images_per_s": round(1 / seconds["whole"], 2), "encode_gflops": round(flops / seconds["encode"] / 1e9, 1)}


def peak_memory_mb(model: str, size: int, device: str) -> float:
    """Peak memory of one stylisation: of a fresh process on CPU (everything included), of the allocator on a GPU."""
    code = ("import sys; from stvae_lib.bench import one_stylisation; "
            "print(one_stylisation(sys.argv[1], int(sys.argv[2]), sys.argv[3]))")
    ended = subprocess.run([sys.executable, "-c", code, model, str(size), device], capture_output=True, text=True, check=True)
    return float(ended.stdout.strip().splitlines()[-1])


def one_stylisation(model: str, size: int, device: str) -> float:
    """Stylise once and return this process's peak memory in MB."""
    network = weights.load(model, device)
    with torch.no_grad():
        network.stylize(photo_of(size), styles.generate("stained_glass", 256))
    if network.device.type == "cuda":
        return torch.cuda.max_memory_allocated() / 1e6
    return process_peak_mb()


def training_rate(model, device: torch.device, crop: int = 128, batch: int = 8) -> float:
    """Image pairs per second of forward and backward through the whole, losses included (bfloat16 where native)."""
    from .training.loop import Schedule, autocast
    from .training.transform import VLTOptions, VLTTraining

    options = VLTOptions(variant=model.vlt.variant, start="random")  # the only start that every variant has
    recipe = VLTTraining(model, weights.feature_distances().to(device), None, None, None, options).train()
    photos = [photo_of(crop)[0], *(styles.generate(name, crop)[0] for name in styles.GENERATORS)]
    images = torch.stack(photos[:batch // options.styles_per_content]).to(device)
    parameters = [value for value in (*model.vlt.parameters(), *model.decoder.parameters()) if value.is_floating_point()]
    for value in parameters:
        value.requires_grad_(True)

    def step():
        with autocast(device, Schedule(steps=1).precision):
            loss = recipe({"contents": images, "styles": images.flip(0)})["loss"]
        loss.backward()
        model.zero_grad(set_to_none=True)

    return batch / median_seconds(step, device)


def preview_milliseconds(model, movements: int = 100) -> dict[str, float]:
    """Median and 95th percentile of what the mixing pad does at one movement: mix, transform, decode at the preview's
    size, encode as JPEG (everything but the browser)."""
    from .report.explorers import PREVIEW, Settings, Studio

    names = list(styles.GENERATORS)[:4]
    studio = Studio(model, {"photo": photo_of(512)}, {name: styles.generate(name, 256) for name in names})
    times = []
    for step in range(movements + 5):
        mix = bilinear_mix(step % 10 / 9, step % 7 / 6)
        start = time.perf_counter()
        to_jpeg(studio.render(Settings("photo", tuple(zip(names, mix))), PREVIEW))
        times.append(1000 * (time.perf_counter() - start))
    return {"median": round(float(np.median(times[5:])), 1), "p95": round(float(np.percentile(times[5:], 95)), 1)}


def measure_peers(name: str, model, peers: list, sizes: list[int]) -> list[dict]:
    """Milliseconds of a stylisation by a model and by peers, in turns, with the style encoded beforehand: a row a size."""
    style, rows = styles.generate("stained_glass", 512), []
    drawing = {name: partial(model.stylize, styles=model.encode_style(style))} | {
        peer.label: peer.in_style(style) for peer in peers}
    for size in sizes:
        works = {label: partial(draw, photo_of(size)) for label, draw in drawing.items()}
        with torch.no_grad():
            seconds = in_turns(works, model.device)
        rows.append({"size": size} | {label: round(1000 * value, 2) for label, value in seconds.items()})
    return rows


def run_benchmark(name: str, sizes: list[int], out: Path, device: str, peers: list[Path]) -> str:
    """Measure, write `results.json` and `table.md` into `out`, return the table. peers: files of published networks."""
    if min(sizes) < 16:
        raise InputError(f"--sizes {min(sizes)}", "is too small", "give 16 pixels or more")
    model, others = weights.load_stvae(name, device), [load_peer(path) for path in peers]
    target = model.device
    if others and target.type != "cpu":
        raise InputError(f"--peer on {target.type}", "is not known", "add --device cpu")
    make_folder(out)
    rows = [measure_size(model, size, target) | {"peak_memory_mb": round(peak_memory_mb(name, size, device))} for size in sizes]
    bound = matrix_product_rate(target)
    results = {"model": name, "sizes": rows, "matrix_product_gflops": round(bound, 1),
               "training_pairs_per_s_128px": round(training_rate(model, target), 1), "provenance": environment(target),
               "preview_ms": preview_milliseconds(model),
               "import_memory_mb": round(peak_memory_mb(name, 16, device))}
    if others:
        results["peers"] = measure_peers(name, model, others, sizes)
    write_text(out / "results.json", json.dumps(results, indent=1) + "\n")
    table = figures.table(rows, 1) + (
        f"\n\nMatrix product in the same run: {bound:.0f} GFLOP/s; the encoder reached "
        f"{np.max([row['encode_gflops'] for row in rows]):.0f}. Training: {results['training_pairs_per_s_128px']} "
        f"pairs/s at 128 px. Explorer preview: {results['preview_ms']['median']:.0f} ms, "
        f"95th percentile {results['preview_ms']['p95']:.0f} ms. {results['provenance']['device']}, torch {torch.__version__}.\n")
    if others:
        table += "\nMilliseconds of a stylisation, in turns:\n\n" + figures.table(results["peers"], 1) + "\n"
    write_text(out / "table.md", table)
    return table
