"""One fit loop for every recipe: resume, several processes, logs, a clean stop on NaN.

    torchrun --nproc-per-node N -m stvae_lib train RECIPE --config FILE …    (same arguments as `stvae train`)

Randomness is stateless: a step's crops and noise depend on (seed, step, rank) alone, so a killed
training that resumes from its checkpoint gives the loss sequence of an uninterrupted one.
"""

import csv
import math
import os
import pickle
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from tqdm.auto import tqdm

from ..errors import InputError
from ..files import write_atomically

CHECKPOINT = "checkpoint.pt"


class TrainingDiverged(Exception):
    """A loss became NaN or infinite; says the step, the batch's files and the last good checkpoint."""


@dataclass
class Schedule:
    """What the loop itself needs to know. Steps count optimiser updates; sizes are in pixels.

    flat: fraction of the run at full learning rate, before the cosine to a fiftieth of it.
    precision: "auto" (bfloat16 where the processor has it), "bf16" or "fp32".
    """

    steps: int
    batch: int = 8
    crop: int = 128
    lr: float = 1e-3
    flat: float = 0.1
    clip: float = 1.0
    seed: int = 0
    precision: str = "auto"
    log_every: int = 20
    checkpoint_every: int = 200
    validate_every: int = 500

    def __post_init__(self):
        if self.checkpoint_every % self.log_every:
            raise InputError("checkpoint_every", "is no multiple of log_every", "logged means would not survive a resume")

    def rate(self, step: int) -> float:
        """Learning-rate factor of a step: 50 warm-up steps, flat, cosine."""
        warm = min(1.0, (step + 1) / 50)
        progress = max(0.0, (step / self.steps - self.flat) / (1 - self.flat)) if self.flat < 1 else 0.0
        return warm * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * progress)))


def autocast(device: torch.device, precision: str):
    """bfloat16 autocast where asked for, or (auto) where the device multiplies bfloat16 natively."""
    if device.type == "cuda":
        native = torch.cuda.is_bf16_supported()
    else:
        native = any(torch.cpu.get_capabilities().get(name) for name in ("avx512_bf16", "amx_bf16"))
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16" or precision == "auto" and native)


class Log:
    """`log.csv`: means over `log_every` steps, validation columns filled where measured. Survives a resume."""

    def __init__(self, path: Path, resume_step: int, recipe, schedule: Schedule, images_per_step: int):
        self.path, self.recipe, self.schedule, self.per_step = path, recipe, schedule, images_per_step
        self.rows, self.window = [], []
        if resume_step and path.exists():
            with open(path, newline="") as file:
                self.rows = [row for row in csv.DictReader(file) if int(row["step"]) <= resume_step]

    def record(self, done: int, seconds: float, rate: float, losses: dict, bar) -> None:
        """Take a step's losses; every `log_every` steps write their means and show them on the progress bar."""
        self.window.append(losses)
        if done % self.schedule.log_every:
            return
        means = {key: sum(row[key] for row in self.window) / len(self.window) for key in losses}
        row = {"step": done, "seconds": round(seconds, 2), "images": done * self.per_step, "lr": rate} | means
        if done % self.schedule.validate_every == 0 or done == self.schedule.steps:
            row |= _validate(self.recipe)
        self._write(row)
        self.window = []
        speed = bar.format_dict["rate"] or 0.0
        bar.set_postfix({"img/s": f"{speed * self.per_step:.0f}"} | {key: f"{value:.3g}" for key, value in means.items()})

    def _write(self, row: dict) -> None:
        self.rows.append({key: f"{value:.6g}" if isinstance(value, float) else value for key, value in row.items()})
        columns = list(dict.fromkeys(key for row in self.rows for key in row))

        def write(name):
            with open(name, "w", newline="") as file:
                writer = csv.DictWriter(file, columns, restval="", lineterminator="\n")
                writer.writeheader()
                writer.writerows(self.rows)

        write_atomically(self.path, write)


def read_log(path) -> dict[str, np.ndarray]:
    """Columns of a `log.csv` as float arrays, NaN where a row has no value."""
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    return {key: np.array([float(row[key] or "nan") for row in rows]) for key in rows[0]}


def _step_seed(seed: int, step: int, rank: int) -> list[int]:
    return [seed, step, rank]


def _save_checkpoint(path: Path, step, recipe, optimiser, seconds):
    state = {"step": step, "seconds": seconds, "model": recipe.trained_state(), "optimiser": optimiser.state_dict()}
    write_atomically(path, lambda name: torch.save(state, name))


def _load_checkpoint(path: Path, recipe, optimiser) -> tuple[int, float]:
    if not path.exists():
        return 0, 0.0
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        recipe.load_trained_state(state["model"])
        optimiser.load_state_dict(state["optimiser"])
    except (RuntimeError, KeyError, ValueError, EOFError, pickle.UnpicklingError) as error:
        raise InputError(path, f"does not fit this training ({type(error).__name__})",
                         "delete it to start afresh, or use another folder") from error
    return state["step"], state["seconds"]


def _batches(recipe, schedule: Schedule, start: int, rank: int, device):
    """Every remaining step's number and batch on `device`; the next batch is cropped while a step computes."""

    def crop(step):
        return recipe.batch(np.random.default_rng(_step_seed(schedule.seed, step, rank)), schedule)

    with ThreadPoolExecutor(1) as prefetch:
        pending = prefetch.submit(crop, start)
        for step in range(start, schedule.steps):
            batch = pending.result()
            if step + 1 < schedule.steps:
                pending = prefetch.submit(crop, step + 1)
            yield step, {key: value.to(device) if torch.is_tensor(value) else value for key, value in batch.items()}


def fit(recipe: nn.Module, schedule: Schedule, folder, device="cpu", stop_after: float | None = None) -> dict:
    """Train `recipe` until `schedule.steps`, resuming from `folder/checkpoint.pt` when it is there.

    A recipe is a module with `batch(rng, schedule) -> dict` (tensors, and "files"), `forward(batch) ->
    {"loss": scalar, …}`, `parameter_groups(lr)`, `validate() -> {name: float}`, `trained_state()` and
    `load_trained_state(state)`. stop_after: seconds after which to checkpoint and return.
    Returns {"step", "seconds", "images"}. Raises TrainingDiverged on a loss that is not finite.
    """
    device, folder = torch.device(device), Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    rank, world = (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)
    recipe.to(device, memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(recipe.parameter_groups(schedule.lr), weight_decay=0)
    for group in optimiser.param_groups:
        group["base_lr"] = group["lr"]
    checkpoint = folder / CHECKPOINT
    done, before = _load_checkpoint(checkpoint, recipe, optimiser)
    log = Log(folder / "log.csv", done, recipe, schedule, schedule.batch * world) if rank == 0 else None
    forward = DistributedDataParallel(recipe) if world > 1 else recipe
    began = time.perf_counter() - before
    with tqdm(total=schedule.steps, initial=done, disable=rank > 0, mininterval=2, unit="step") as bar:
        for step, batch in _batches(recipe, schedule, done, rank, device):
            losses = _update(forward, batch, optimiser, schedule, step, rank, checkpoint)
            done, seconds = step + 1, time.perf_counter() - began
            stop = stop_after is not None and seconds - before > stop_after and done % schedule.log_every == 0
            if rank == 0:
                log.record(done, seconds, optimiser.param_groups[0]["lr"], losses, bar)
                if done % schedule.checkpoint_every == 0 or done == schedule.steps or stop:
                    _save_checkpoint(checkpoint, done, recipe, optimiser, time.perf_counter() - began)
            bar.update()
            if stop:
                break
    return {"step": done, "seconds": time.perf_counter() - began, "images": done * schedule.batch * world}


def _validate(recipe) -> dict:
    recipe.eval()
    with torch.no_grad():
        values = {f"val_{key}": float(value) for key, value in recipe.validate().items()}
    recipe.train()
    return values


def _update(forward, batch, optimiser, schedule: Schedule, step: int, rank: int, checkpoint: Path) -> dict[str, float]:
    """One optimiser step. Returns the losses; raises TrainingDiverged before a bad one touches the weights."""
    for group in optimiser.param_groups:
        group["lr"] = group["base_lr"] * schedule.rate(step)
    torch.manual_seed(int(np.random.SeedSequence(_step_seed(schedule.seed, step, rank)).generate_state(1)[0]))
    optimiser.zero_grad(set_to_none=True)
    trained = [parameter for group in optimiser.param_groups for parameter in group["params"]]
    with autocast(trained[0].device, schedule.precision):
        losses = forward(batch)
    values = {key: float(value.detach()) for key, value in losses.items()}
    if not all(map(math.isfinite, values.values())):
        raise TrainingDiverged(f"step {step}: loss is not finite ({values}); files: {', '.join(batch['files'])}; "
                               f"last good checkpoint: {checkpoint if checkpoint.exists() else 'none yet'}")
    losses["loss"].backward()
    norm = nn.utils.clip_grad_norm_(trained, schedule.clip)
    if torch.isfinite(norm):  # one overflowing gradient is skipped; a loss that is not finite stops
        optimiser.step()
    return values


def start_processes():
    """Join the process group when launched by torchrun (NCCL on GPUs, gloo otherwise). Returns the device."""
    if "LOCAL_RANK" not in os.environ:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    local = int(os.environ["LOCAL_RANK"])
    if torch.cuda.is_available():
        torch.cuda.set_device(local)
        dist.init_process_group("nccl")
        return torch.device("cuda", local)
    dist.init_process_group("gloo")
    return torch.device("cpu")
