"""Size, time and memory of the shipped models on this machine, one row each.

    python benchmarks/sizes.py [MODEL …]

Milliseconds are of a stylisation at a square size with the style encoded beforehand, medians, the models in turns; command:
`stvae stylize` as a whole (start of Python, style and photograph at 512 pixels), the median of three, and its peak memory.
Without models all shipped ones are measured and benchmarks/sizes.json is written.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

import stvae_lib as st
from stvae_lib.bench import photo_of
from stvae_lib.evaluation.timing import in_turns
from stvae_lib.model.stvae import STVAE
from stvae_lib.model.weights import SHIPPED, find
from stvae_lib.pictures.datasets import GENERATED_STYLES
from stvae_lib.pictures.images import list_images, save_image
from stvae_lib.provenance import environment

SIZES = (256, 512)
# A small Python between this one and the command: on Linux a process counts its parent's peak, of all models here, as its own.
COMMAND = ("import resource, subprocess, sys; subprocess.run([sys.executable, '-m', 'stvae_lib', *sys.argv[1:]], check=True); "
           "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e3)")


def command(name: str) -> tuple[float, float]:
    """Seconds and peak memory in MB of `stvae stylize` at 512 pixels."""
    style = list_images(GENERATED_STYLES)[0]
    seconds, memory = [], []
    with tempfile.TemporaryDirectory() as folder:
        save_image(photo_of(512), Path(folder) / "photo.png")
        arguments = ["stylize", f"{folder}/photo.png", str(style), "-o", f"{folder}/out.png", "--model", name, "--device", "cpu"]
        for _ in range(3):
            start = time.perf_counter()
            ended = subprocess.run([sys.executable, "-c", COMMAND, *arguments], capture_output=True, text=True, check=True)
            seconds.append(time.perf_counter() - start)
            memory.append(float(ended.stdout.split()[-1]))
    return statistics.median(seconds), max(memory)


@torch.no_grad()
def main(names: list[str]) -> dict:
    models = {name: model for name in names if isinstance(model := st.load(name, "cpu"), STVAE)}
    codes = {name: model.encode_style(photo_of(256)) for name, model in models.items()}
    photos = {size: photo_of(size) for size in SIZES}

    def work(name, size):
        return lambda: models[name].stylize(photos[size], codes[name])

    times = {size: in_turns({name: work(name, size) for name in models}, torch.device("cpu")) for size in SIZES}
    rows = []
    for name, model in models.items():
        seconds, memory = command(name)
        rows.append({"model": name, "parameters (millions)": sum(value.numel() for value in model.parameters()) / 1e6,
                     "file (MB)": find(name).stat().st_size / 1e6}
                    | {f"{size} px (ms)": 1000 * times[size][name] for size in SIZES}
                    | {"command (s)": seconds, "peak memory (MB)": memory})
    return {"command": "python benchmarks/sizes.py", "rows": rows, "provenance": environment("cpu")}


if __name__ == "__main__":
    results = main(sys.argv[1:] or list(SHIPPED))
    for row in results["rows"]:
        print("  ".join(f"{key} {value:.2f}" if isinstance(value, float) else value for key, value in row.items()))
    if not sys.argv[1:]:
        Path(__file__).with_name("sizes.json").write_text(json.dumps(results, indent=1) + "\n")
