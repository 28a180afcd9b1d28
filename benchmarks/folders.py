"""Folders by `stvae stylize`: how fast on 1, 2 and 4 workers, and whether anything is lost where one is killed.

    python benchmarks/folders.py [--pictures 1000] [--size 512] [--workers 1 2 4] [--small 5000] [--small-size 64]
                                 [--model vgg19-slim] [--out benchmarks/folders.json]

First a folder of photographs (crops of scikit-image's) in one process, and by Dask on so many workers; then on two workers,
of which one is killed with SIGKILL when half is done. Then a folder of small pictures, one in a hundred broken, whose command
is killed, children and all, when half is done, and gone on with by `--resume`: in one process and on two workers. Run it on a
machine that has nothing else to do.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from functools import cache
from pathlib import Path

import numpy as np
import psutil
import torch

from stvae_lib.files import write_text
from stvae_lib.pictures import styles
from stvae_lib.pictures.datasets import SAMPLE_PHOTOS, sample_photo
from stvae_lib.pictures.images import resized, save_image, to_jpeg
from stvae_lib.provenance import environment
from stvae_lib.resuming import is_whole

BROKEN_EVERY = 100
BROKEN = (lambda data: b"", lambda data: b"no picture", lambda data: data[:len(data) // 3])
KILLED_AMONG = 2  # workers, of which one is killed


def crop(number: int, size: int) -> torch.Tensor:
    """A photograph `(1, 3, size, size)` unlike the others: a random square of one of scikit-image's."""
    rng = np.random.default_rng(number)
    photo = photograph(SAMPLE_PHOTOS[number % len(SAMPLE_PHOTOS)])
    side = int(rng.integers(min(photo.shape[2:]) // 3, min(photo.shape[2:])))
    top, left = (int(rng.integers(0, length - side)) for length in photo.shape[2:])
    return resized(photo[..., top:top + side, left:left + side], (size, size))


photograph = cache(sample_photo)


def write_photos(folder: Path, count: int, size: int, broken_every: int | None = None) -> set[str]:
    """`count` photographs as JPEG, one in `broken_every` of them empty, no picture or cut short; returns the names of these."""
    folder.mkdir()
    broken = set()
    for number in range(count):
        data, name = to_jpeg(crop(number, size)), f"{number:05d}.jpg"
        if broken_every and number % broken_every == broken_every // 2:
            data = BROKEN[len(broken) % len(BROKEN)](data)
            broken.add(name)
        (folder / name).write_bytes(data)
    return broken


class Command:
    """`stvae stylize` of a folder, in a process group of its own."""

    def __init__(self, photos: Path, out: Path, model: str, *extra: str):
        style = photos.parent / "style.png"
        if not style.exists():
            save_image(styles.generate("stained_glass", 256), style)
        command = [sys.executable, "-m", "stvae_lib", "stylize", str(photos), str(style), "-o", str(out), "--model", model,
                   "--device", "cpu", "--json", *extra]
        self.out, self.began = out, time.perf_counter()
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                                        start_new_session=True)

    def ended(self) -> dict:
        """What the command told as JSON, with `seconds`, once it has ended."""
        told = json.loads(self.process.communicate()[0])
        return told | {"seconds": time.perf_counter() - self.began}

    def wait_for(self, count: int) -> None:
        """Until so many results are there."""
        while len(results(self.out)) < count:
            if self.process.poll() is not None:
                raise RuntimeError(f"it ended before {count} results were there")
            time.sleep(0.02)

    def kill(self) -> None:
        """SIGKILL to it and to all that it started."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.communicate()

    def kill_worker(self) -> None:
        """SIGKILL to one of the processes that Dask started for it."""
        workers = [child for child in psutil.Process(self.process.pid).children(recursive=True)
                   if "spawn_main" in " ".join(child.cmdline())]
        workers[0].kill()


def results(out: Path) -> dict[str, int]:
    """Results by name, with the time of their last change; without what is still being written."""
    return {file.name: file.stat().st_mtime_ns for file in out.glob("[!.]*.png")}


def spread(workers: int) -> list[str]:
    """Options for so many workers of Dask; 0: for one process without it."""
    return ["--scheduler", "local", "--workers", str(workers)] if workers else []


def speed(photos: Path, model: str, workers: int, kill: bool = False) -> dict:
    """A folder stylised once, with a worker killed when half is done or not."""
    out, count = photos.parent / "out", len(list(photos.iterdir()))
    command = Command(photos, out, model, *spread(workers))
    if kill:
        command.wait_for(count // 2)
        command.kill_worker()
    told = command.ended()
    whole = sum(is_whole(out / name) for name in results(out))
    shutil.rmtree(out)
    return {"workers": workers, "killed": int(kill), "seconds": round(told["seconds"], 1), "done": len(told["done"]),
            "whole": whole, "lost": count - whole, "pictures_per_second": round(count / told["seconds"], 2)}


def resumed(photos: Path, broken: set[str], model: str, workers: int) -> dict:
    """A folder with broken pictures whose command is killed when half is done, and resumed."""
    out, count = photos.parent / "out", len(list(photos.iterdir()))
    command = Command(photos, out, model, *spread(workers))
    command.wait_for((count - len(broken)) // 2)
    command.kill()
    before = results(out)
    whole = {name for name in before if is_whole(out / name)}
    told = Command(photos, out, model, "--resume", *spread(workers)).ended()
    after, made = results(out), [Path(entry["file"]).name for entry in told["done"]]
    named = {Path(entry["file"]).name for entry in told["failed"]}
    row = {"workers": workers, "pictures": count, "broken": len(broken), "before_the_kill": len(before),
           "cut_by_the_kill": len(before) - len(whole), "whole": sum(is_whole(out / name) for name in after),
           "named": len(named), "named_rightly": named == broken,
           "twice": len(made) - len(set(made)) + sum(after[name] != before[name] for name in whole)}
    shutil.rmtree(out)
    return row


def main(given) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        photos, small = Path(folder) / "photos", Path(folder) / "small"
        write_photos(photos, given.pictures, given.size)
        broken = write_photos(small, given.small, given.small_size, BROKEN_EVERY)
        rows = []
        for workers, kill in [(0, False), *((count, False) for count in given.workers), (KILLED_AMONG, True)]:
            rows.append(speed(photos, given.model, workers, kill))
            print(rows[-1], flush=True)
        resumptions = []
        for workers in (0, KILLED_AMONG):
            resumptions.append(resumed(small, broken, given.model, workers))
            print(resumptions[-1], flush=True)
    return {"command": "python benchmarks/folders.py", "model": given.model, "pictures": given.pictures, "size": given.size,
            "cores": os.cpu_count(), "speed": rows, "small_size": given.small_size, "resumed": resumptions,
            "provenance": environment("cpu")}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=1000)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--small", type=int, default=5000)
    parser.add_argument("--small-size", type=int, default=64)
    parser.add_argument("--model", default="vgg19-slim")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/folders.json"))
    arguments = parser.parse_args()
    write_text(arguments.out, json.dumps(main(arguments), indent=1) + "\n")
