"""Memory of `stvae video` over a long clip, written to benchmarks/long_film.json.

    python benchmarks/long_film.py [--minutes 1 10] [--size 160] [--out benchmarks/long_film.json]

A short camera move over a photograph is played forth and back for so many minutes, at 25 frames per second, and stylised by the
command as a user calls it, with its defaults, in a process of its own, whose memory is noted every second.
"""

import argparse
import itertools
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import av
import psutil

from stvae_lib.files import write_text
from stvae_lib.pictures import datasets
from stvae_lib.provenance import environment
from stvae_lib.video.camera import CameraMove
from stvae_lib.video.clips import Frame
from stvae_lib.video.output import write_film

STYLE = datasets.GENERATED_STYLES / "stained_glass_0.png"
SAMPLES = 150  # that are kept of a run


def forth_and_back(move: CameraMove, count: int) -> Iterator[Frame]:
    """So many frames of a clip that is played to its end, backwards, again, and so on: without a cut."""
    frames = list(move.frames())
    for number, frame in zip(range(count), itertools.cycle(frames + frames[-2:0:-1])):
        yield replace(frame, number=number, pts=number)


def followed(command: list[str]) -> list[tuple[float, float]]:
    """Memory of a command while it runs: seconds since its start, MB. CalledProcessError where it fails."""
    began, samples = time.monotonic(), []
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None:
            with suppress(psutil.Error):  # it may end between two lines
                used = psutil.Process(process.pid).memory_info().rss
                samples.append((round(time.monotonic() - began, 1), round(used / 1e6, 1)))
            time.sleep(1)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return samples


def measure(minutes: float, size: int, folder: Path) -> dict:
    """One clip: frames that went in and came out, seconds, and memory over time."""
    clip, out, shape = folder / "clip.mp4", folder / "out.mp4", (round(size * 9 / 16), size)
    move = CameraMove(datasets.sample_photo("coffee"), shape)
    count = round(minutes * 60 * move.rate)
    write_film(forth_and_back(move, count), move, clip)
    began = time.monotonic()
    samples = followed([sys.executable, "-m", "stvae_lib", "video", str(clip), str(STYLE), "-o", str(out), "--device", "cpu"])
    seconds = time.monotonic() - began
    with av.open(str(out)) as container:
        made = sum(packet.pts is not None for packet in container.demux(video=0))
    return {"minutes": minutes, "frames": count, "frames made": made, "seconds": round(seconds, 1),
            "frames per second": round(made / seconds, 2), "peak MB": max(used for _, used in samples),
            "MB of all frames": round(count * 3 * shape[0] * shape[1] / 1e6, 1),
            "memory over time": samples[::-(-len(samples) // SAMPLES)]}


def main(minutes: list[float], size: int, out: Path) -> None:
    rows = []
    for length in minutes:
        with tempfile.TemporaryDirectory() as folder:
            rows.append(measure(length, size, Path(folder)))
        print({name: value for name, value in rows[-1].items() if name != "memory over time"}, flush=True)
    results = {"command": "python benchmarks/long_film.py", "size": size, "rows": rows, "provenance": environment("cpu")}
    write_text(out, json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, nargs="+", default=[1, 10], help="lengths of the clips")
    parser.add_argument("--size", type=int, default=160, help="width in pixels, of 16:9")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".json"))
    given = parser.parse_args()
    main(given.minutes, given.size, given.out)
