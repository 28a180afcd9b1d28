"""One fit loop for every recipe: resume, several processes, logs, a clean stop on NaN.

    torchrun --nproc-per-node N -m stvae_lib train RECIPE --config FILE …    (same arguments as `stvae train`)

Randomness is stateless: a step's crops and noise depend on (seed, step, rank) alone, so a killed
training that resumes from its checkpoint gives the loss sequence of an uninterrupted one.
"""

import math
import os
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from typing import Literal

import numpy as np
import torch
import torch.distributed as dist
from pydantic import Field
from pydantic.dataclasses import dataclass
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from tqdm.auto import tqdm

from ..checks import STRICT
from ..files import make_folder
from .checkpoints import CHECKPOINT, all_finite, load_checkpoint, processes_of, restore, write_checkpoint
from .interruption import asked_to_end
from .log import LOG, Log


class TrainingDiverged(Exception):
    """A loss or the weights became NaN or infinite; says the step, the batch's files and the last good checkpoint."""


class TrainingInterrupted(Exception):
    """A signal ended a training, after a checkpoint; `number` is the signal's."""

    def __init__(self, message: str, number: int):
        super().__init__(message)
        self.number = number


@dataclass(config=STRICT)
class Schedule:
    """What the loop itself needs to know. Steps count optimiser updates; sizes are in pixels.

    short_side: pictures are decoded at this size before they are cropped.
    flat: fraction of the run at full learning rate, before the cosine to a fiftieth of it.
    precision: "auto" (bfloat16 where the processor has it), "bf16" or "fp32".
    """

    steps: int = Field(ge=0, le=10**9)
    batch: int = Field(8, ge=1, le=10**6)
    crop: int = Field(128, ge=32, le=2**14)
    short_side: int = Field(256, ge=32, le=2**14)
    lr: float = Field(1e-3, gt=0, le=10)
    flat: float = Field(0.1, ge=0, le=1)
    clip: float = Field(1.0, gt=0)
    seed: int = Field(0, ge=0, lt=2**63)
    precision: Literal["auto", "bf16", "fp32"] = "auto"
    log_every: int = Field(20, ge=1)
    checkpoint_every: int = Field(200, ge=1)
    validate_every: int = Field(500, ge=1)

    def rate(self, step: int) -> float:
        """Learning-rate factor of a step: 50 warm-up steps, flat, cosine."""
        warm = min(1.0, (step + 1) / 50)
        progress = max(0.0, (step / self.steps - self.flat) / (1 - self.flat)) if self.flat < 1 else 0.0
        return warm * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * progress)))


def reduced(device: torch.device, precision: str) -> bool:
    """Whether a run of `Schedule.precision` multiplies in bfloat16: where asked for, or (auto) where the device does so by
    itself."""
    if device.type == "cuda":
        native = torch.cuda.is_bf16_supported()
    else:
        native = any(torch.cpu.get_capabilities().get(name) for name in ("avx512_bf16", "amx_bf16"))
    return precision == "bf16" or precision == "auto" and native


def autocast(device: torch.device, precision: str):
    """bfloat16 autocast where `reduced` says so."""
    return torch.autocast(device.type, torch.bfloat16, enabled=reduced(device, precision))


def _step_seed(seed: int, step: int, rank: int) -> list[int]:
    return [seed, step, rank]


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


def fit(recipe: nn.Module, schedule: Schedule, folder, device="cpu", stop_after: float | None = None,
        about: dict | None = None) -> dict:
    """Train `recipe` until `schedule.steps`, resuming from `folder/checkpoint.pt` when it is there.

    A recipe is a module with `batch(rng, schedule) -> dict` (tensors, and "files"), `forward(batch) ->
    {"loss": scalar, …}`, `parameter_groups(lr)`, `validate() -> {name: float}`, `trained_state()` and
    `load_trained_state(state)`. stop_after: seconds after which to checkpoint and return. about: JSON that
    the checkpoint keeps of the training.
    Returns {"step", "seconds", "images", "processes"}, the last as `Processes.spans`. Raises TrainingDiverged on a loss that
    is not finite, TrainingInterrupted, after a checkpoint, where SIGTERM or Ctrl-C asked it to end.
    """
    device, folder = torch.device(device), Path(folder)
    make_folder(folder)
    rank, world = (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)
    recipe.to(device, memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(recipe.parameter_groups(schedule.lr), weight_decay=0)
    for group in optimiser.param_groups:
        group["base_lr"] = group["lr"]
    checkpoint, state = folder / CHECKPOINT, load_checkpoint(folder, schedule.steps)
    with nullcontext() if rank == 0 else warnings.catch_warnings(action="ignore"):  # one process says it for all
        processes = processes_of(state, world)
    log = Log(folder / LOG, state, schedule, processes) if rank == 0 else None
    done, before = restore(state, checkpoint, recipe, optimiser)
    del state  # as large as model and optimiser, which now hold it
    forward = DistributedDataParallel(recipe) if world > 1 else recipe
    began = time.perf_counter() - before
    bar = tqdm(total=schedule.steps, initial=done, disable=rank > 0, mininterval=2, unit="step")
    with asked_to_end() as signals, bar:
        for step, batch in _batches(recipe, schedule, done, rank, device):
            losses = _update(forward, batch, optimiser, schedule, step, rank, checkpoint)
            done, seconds = step + 1, time.perf_counter() - began
            stop = agreed(bool(signals) or stop_after is not None and seconds - before > stop_after, device)
            if rank == 0:
                log.record(done, seconds, optimiser.param_groups[0]["lr"], losses, bar, recipe)
                if done % schedule.checkpoint_every == 0 or done == schedule.steps or stop:
                    if not all_finite(recipe.trained_state()):
                        raise TrainingDiverged(f"step {step}: weights are not finite; {_last(checkpoint)}")
                    write_checkpoint(checkpoint, done, recipe, optimiser, time.perf_counter() - began, log.window,
                                     processes, about or {})
            bar.update()
            if stop:
                break
    if signals and done < schedule.steps:
        raise TrainingInterrupted(f"ended by {signals[0].name} at step {done}; the same command goes on from {checkpoint}",
                                  signals[0])
    return {"step": done, "seconds": time.perf_counter() - began, "images": processes.images(done, schedule.batch),
            "processes": processes.spans}


def agreed(stop: bool, device: torch.device) -> bool:
    """Whether any process wants to stop: all of them must do so at the same step."""
    if not dist.is_initialized():
        return stop
    wanted = torch.tensor(float(stop), device=device)
    dist.all_reduce(wanted, dist.ReduceOp.MAX)
    return bool(wanted)


def _last(checkpoint: Path) -> str:
    return f"last good checkpoint: {checkpoint if checkpoint.exists() else 'none yet'}"


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
                               f"{_last(checkpoint)}")
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
