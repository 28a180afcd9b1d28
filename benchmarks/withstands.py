"""What the command withstands: pictures made to break decoders, damaged weights, trainings killed and out of room.

    python benchmarks/withstands.py [--only pictures models trainings] [--files N] [--models 200] [--kills 20] [--steps 300]
                                    [--out benchmarks/withstands.json]

pictures: every test image of Pillow's source distribution (by `pip download`, its checksum pinned) as photograph and as style,
by the default model. models: that model's file with bytes changed or pieces cut out, its card beside it or not. For each the
command writes a whole picture, or it ends with status 2, one line and no file; whatever else it does is counted and named.
trainings: killed by SIGKILL at random moments, ended by SIGTERM, and run into a limit on the size of files as into a full disk;
each goes on by the same command, and its losses are compared with those of a training that nobody disturbed. A part that is left
out keeps its recorded figures.
"""

import argparse
import contextlib
import json
import os
import random
import re
import resource
import select
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path

import numpy as np

from stvae_lib.arguments import MODEL
from stvae_lib.cli import main as stvae
from stvae_lib.errors import InputError
from stvae_lib.evaluation.timing import process_peak_mb
from stvae_lib.files import write_text
from stvae_lib.model.weights import find
from stvae_lib.pictures import styles
from stvae_lib.pictures.datasets import sample_photo
from stvae_lib.pictures.images import save_image
from stvae_lib.provenance import environment
from stvae_lib.resuming import is_whole
from stvae_lib.training.checkpoints import CHECKPOINT, load_checkpoint
from stvae_lib.training.log import LOG, read_log

PILLOW = "pillow==13.0.0 --hash=sha256:cdcd1ba258178f7356d74170c9a81ba4eab6a5d55748bc402a5a2a6fe6be3510"
PATIENCE = 300  # seconds without an answer that count as a hang; the largest picture, of 10 megapixels, takes some
GOOD = ("done", "remarked", "refused")  # remarked: drawn, with one line beside it, as of a GIF that moves
TERMINATIONS, LIMITS = 5, (0, 1000, 20_000, 0.5, 0.999)  # bytes, or a share of a checkpoint's


class Worker:
    """A process that runs one command after the other; replaced by a new one where it hangs or crashes."""

    def __init__(self):
        self.process, self.peak_memory_mb = None, 0.0

    def run(self, arguments: list[str]) -> tuple[int | str, str]:
        """Exit status, or "hang" or "crash", and what was said on standard error."""
        if self.process is None:
            self.process = subprocess.Popen([sys.executable, __file__, "--worker"], stdin=subprocess.PIPE, text=True,
                                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        with contextlib.suppress(BrokenPipeError):  # of a process that has died; then nothing is read below
            self.process.stdin.write(json.dumps(arguments) + "\n")
            self.process.stdin.flush()
        there = select.select([self.process.stdout], [], [], PATIENCE)[0]
        answer = self.process.stdout.readline() if there else ""
        if not answer:
            self.end()
            return ("crash" if there else "hang"), ""
        status, said, memory = json.loads(answer)
        self.peak_memory_mb = max(self.peak_memory_mb, memory)
        return status, said

    def end(self) -> None:
        if self.process:
            self.process.kill()
            with contextlib.suppress(BrokenPipeError):
                self.process.communicate()
        self.process = None


def serve() -> None:
    """What a worker does: commands' arguments from standard input, a line each, and their ends to standard output. Standard
    error is caught where C code writes it."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    for line in sys.stdin:
        with tempfile.TemporaryFile("w+", errors="replace", newline="") as caught:
            os.dup2(caught.fileno(), 2)
            try:
                status = stvae(json.loads(line))
            except SystemExit as end:
                status = end.code
            except BaseException:
                traceback.print_exc()
                status = 1
            sys.stderr.flush()
            caught.seek(0)
            said = re.sub(r"[^\n]*\r", "", caught.read())  # without progress bars, which write over themselves
            print(json.dumps([status, said, process_peak_mb()]), file=answers, flush=True)


def verdict(status: int | str, said: str, out: Path) -> str:
    """What became of a command that was to write one picture into the folder `out`: one of `GOOD`, or what went wrong."""
    if isinstance(status, str):
        return status
    if "Traceback" in said:
        return "traceback"
    files, a_line = list(out.iterdir()), said.count("\n") == 1 and said.startswith("stvae")
    if status == 0:
        whole = len(files) == 1 and is_whole(files[0])
        return ("done" if not said.strip() else "remarked" if a_line else "talkative") if whole else "partial"
    if files:
        return "partial"
    return "refused" if status == 2 and a_line else "unclear"


class Trial:
    """Commands that each write a picture into a folder that was empty before, and what became of them."""

    def __init__(self, worker: Worker, folder: Path):
        self.worker, self.out = worker, folder / "out"
        self.counts, self.others, self.began = Counter(), [], time.perf_counter()

    def run(self, name: str, *arguments) -> None:
        shutil.rmtree(self.out, ignore_errors=True)
        self.out.mkdir()
        command = ["stylize", *map(str, arguments), "-o", str(self.out / "out.png"), "--device", "cpu"]
        status, said = self.worker.run(command)
        found = verdict(status, said, self.out)
        self.counts[found] += 1
        if found not in GOOD:
            self.others.append({"file": name, "what": found, "said": said.strip()[-300:]})
            print(self.others[-1], flush=True)

    def summary(self) -> dict:
        return {"tried": self.counts.total()} | {name: self.counts[name] for name in GOOD} | {
            "others": self.others, "seconds": round(time.perf_counter() - self.began, 1)}


def pillow_images(folder: Path) -> list[Path]:
    """The test images of Pillow's source distribution, unpacked into `folder`."""
    (folder / "pinned.txt").write_text(PILLOW)
    subprocess.run([sys.executable, "-m", "pip", "download", "--no-binary", ":all:", "--no-deps", "--require-hashes",
                    "--disable-pip-version-check", "--dest", str(folder), "-r", str(folder / "pinned.txt")],
                   check=True, stdout=sys.stderr)
    with tarfile.open(next(folder.glob("*.tar.gz"))) as archive:
        archive.extractall(folder, filter="data")
    return sorted(file for file in folder.glob("*/Tests/images/**/*") if file.is_file())


def try_pictures(worker: Worker, folder: Path, most: int | None) -> dict:
    """Every test image as photograph and as style."""
    files = pillow_images(folder)[:most]
    photo, style = sample_pictures(folder)
    by_role = {}
    for role in ("photograph", "style"):
        trial = Trial(worker, folder)
        for file in files:
            pair = [file, style] if role == "photograph" else [photo, file]
            trial.run(file.name, *pair, "--model", MODEL)
        by_role[role] = trial.summary()
    return {"source": PILLOW.split(" ")[0].replace("==", " "), "model": MODEL, "files": len(files),
            "peak_memory_mb": round(worker.peak_memory_mb)} | by_role


def sample_pictures(folder: Path) -> tuple[Path, Path]:
    """A small photograph and a style."""
    return (save_image(sample_photo("chelsea", 96), folder / "photo.png"),
            save_image(styles.generate("stained_glass", 96), folder / "style.png"))


def mutated(whole: bytes, rng: random.Random) -> bytes:
    """A file with up to four bytes changed, half of them in its header, and perhaps a piece cut out or its end cut off."""
    header = 8 + int.from_bytes(whole[:8], "little")

    def place() -> int:
        return rng.randrange(rng.choice([header, len(whole)]))

    changed = bytearray(whole)
    for _ in range(rng.randint(1, 4)):
        changed[place()] = rng.randrange(256)
    begin = place()
    end = rng.choice([begin, begin, begin + 1, begin + 1000, len(whole)])
    return bytes(changed[:begin] + changed[end:])


def try_models(worker: Worker, folder: Path, count: int) -> dict:
    """The default model's file, damaged in `count` ways, with its card beside it, which holds its checksum, and without."""
    photo, style = sample_pictures(folder)
    whole, file, by_card = find(MODEL).read_bytes(), folder / "mutated.safetensors", {}
    card = file.with_suffix(".json")
    for name in ("with its card", "without"):
        card.unlink(missing_ok=True)
        if name != "without":
            shutil.copy(find(MODEL).with_suffix(".json"), card)
        trial = Trial(worker, folder)
        for number in range(count):
            file.write_bytes(mutated(whole, random.Random(number)))
            trial.run(f"mutation {number}, {name}", photo, style, "--model", file)
        by_card[name] = trial.summary()
    return {"model": MODEL} | by_card | {"peak_memory_mb": round(worker.peak_memory_mb)}


class Training:
    """A short training of a slim transform, in folders of its own."""

    def __init__(self, folder: Path, steps: int):
        self.folder, self.steps = folder, steps
        for name, kinds in (("content", ["brush_strokes", "marbling"]), ("style", ["stained_glass", "woodcut"])):
            (folder / name).mkdir()
            for number in range(24):
                save_image(styles.generate(kinds[number % 2], 64, number), folder / name / f"picture_{number}.png")
        schedule = {"steps": steps, "batch": 4, "crop": 32, "log_every": 1, "checkpoint_every": 5, "validate_every": steps,
                    "precision": "fp32"}
        config = {"name": "tried", "recipe": "vlt", "base": "vgg19-slim-autoencoder", "schedule": schedule,
                  "options": {"matrix_size": 8, "latent": 8, "start": "random"}}
        (folder / "config.json").write_text(json.dumps(config))

    def start(self, name: str, largest: float = resource.RLIM_INFINITY) -> subprocess.Popen:
        """Begin, or go on with, the training `name`; largest: bytes of a file, beyond which a disk is full for it."""
        command = [sys.executable, "-m", "stvae_lib", "train", "vlt", "--config", self.folder / "config.json", "--content-dir",
                   self.folder / "content", "--style-dir", self.folder / "style", "--out", self.folder / name, "--device", "cpu"]
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                                preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest)))

    def finish(self, name: str) -> str:
        """Begin or go on, to the end; returns what was said."""
        process = self.start(name)
        said = process.communicate()[1]
        if process.returncode:
            raise RuntimeError(f"a training that nothing disturbs ended with {process.returncode}: {said[-500:]}")
        return said

    def losses(self, name: str) -> np.ndarray:
        return read_log(self.folder / name / LOG)["loss"]

    def logged(self, name: str) -> int:
        """Steps in the log so far."""
        log = self.folder / name / LOG
        return max(0, log.read_text().count("\n") - 1) if log.exists() else 0

    def wait_for(self, process: subprocess.Popen, name: str, step: int) -> None:
        """Until a step is in the log, or the training has ended."""
        while process.poll() is None and self.logged(name) < step:
            time.sleep(0.01)

    def kept(self, name: str) -> int:
        """Step of the last checkpoint; 0 where there is none. InputError where it is not whole."""
        state = load_checkpoint(self.folder / name, self.steps)
        return state["step"] if state else 0


def last_line(said: str) -> str:
    return said.strip().replace("\r", "\n").splitlines()[-1] if said.strip() else ""


def kills(training: Training, count: int, rng: random.Random) -> dict:
    """SIGKILL at `count` random moments, some of them while it starts, over as many trainings as that takes."""
    done, lost, names, at = 0, 0, ["killed-0"], []
    while done < count:
        name, before = names[-1], training.kept(names[-1])
        process = training.start(name)
        ahead = rng.randrange(0, max(2, 2 * training.steps // count))
        training.wait_for(process, name, before + ahead if ahead else 0)
        time.sleep(rng.uniform(0, 0.5))  # anywhere within a step, or while a checkpoint is written
        if process.poll() is not None:
            process.communicate()
            names.append(f"killed-{len(names)}")
            continue
        process.kill()
        process.communicate()
        done += 1
        try:
            at.append(training.kept(name))
            lost += at[-1] < before
        except InputError:
            lost += 1
    training.finish(names[-1])
    return {"kills": done, "checkpoints_lost": lost, "steps_kept": at, "names": names}


def terminations(training: Training, count: int, rng: random.Random) -> dict:
    """SIGTERM after a random step, `count` times: a checkpoint, and how to go on."""
    told = 0
    for number in range(count):
        name = f"terminated-{number}"
        process = training.start(name)
        step = rng.randrange(1, max(2, 3 * training.steps // 4))
        training.wait_for(process, name, step)
        process.terminate()
        said = last_line(process.communicate()[1])
        told += (process.returncode == 128 + signal.SIGTERM and CHECKPOINT in said
                 and training.kept(name) >= step)
        training.finish(name)
    return {"signals": count, "told_and_kept": told, "names": [f"terminated-{number}" for number in range(count)]}


def full_disks(training: Training) -> dict:
    """Stopped half-way, then gone on with where files can only have so many bytes: exit 2, and nothing kept is lost."""
    name, said_so, lost = "full", 0, 0
    process = training.start(name)
    training.wait_for(process, name, training.steps // 2)
    process.terminate()
    process.communicate()
    whole, size = training.kept(name), (training.folder / name / CHECKPOINT).stat().st_size
    for limit in LIMITS:
        process = training.start(name, int(limit if limit >= 1 or limit == 0 else limit * size))
        said = process.communicate()[1]
        said_so += process.returncode == 2 and last_line(said).startswith("stvae: ") and "Traceback" not in said
        try:
            lost += training.kept(name) < whole
        except InputError:
            lost += 1
    training.finish(name)
    return {"limits": len(LIMITS), "said": said_so, "checkpoints_lost": lost, "names": [name]}


def try_trainings(folder: Path, count: int, steps: int) -> dict:
    """Killed, ended and out of room: how far the losses are from those of a training that nothing disturbed."""
    training, rng, began = Training(folder, steps), random.Random(0), time.perf_counter()
    training.finish("whole")
    found = {"SIGKILL": kills(training, count, rng), "SIGTERM": terminations(training, TERMINATIONS, rng),
             "full disk": full_disks(training)}
    whole = training.losses("whole")
    for row in found.values():
        losses = [training.losses(name) for name in row.pop("names")]
        same = [len(each) == len(whole) and bool(np.array_equal(each, whole)) for each in losses]
        row |= {"ended": len(losses), "same_losses": sum(same)}
    return {"steps": steps} | found | {"seconds": round(time.perf_counter() - began, 1)}


def main(given) -> None:
    results = json.loads(given.out.read_text()) if given.out.exists() else {}
    results["command"] = "python benchmarks/withstands.py"
    parts = {"pictures": lambda folder: try_pictures(worker, folder, given.files),
             "models": lambda folder: try_models(worker, folder, given.models),
             "trainings": lambda folder: try_trainings(folder, given.kills, given.steps)}
    for name in given.only:
        worker = Worker()
        with tempfile.TemporaryDirectory() as folder:
            try:
                results[name] = parts[name](Path(folder)) | {"provenance": environment("cpu")}
            finally:
                worker.end()
        print(name, json.dumps(results[name]), flush=True)
        write_text(given.out, json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=("pictures", "models", "trainings"),
                        default=["pictures", "models", "trainings"])
    parser.add_argument("--files", type=int, help="of Pillow's images (default: all)")
    parser.add_argument("--models", type=int, default=200)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/withstands.json"))
    parser.add_argument("--worker", action="store_true", help="run commands from standard input (used by the script)")
    arguments = parser.parse_args()
    if arguments.worker:
        serve()
    else:
        main(arguments)
