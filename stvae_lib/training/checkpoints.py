"""Checkpoints of a training: written whole and finite, read whole or refused."""

import io
import zipfile
from pathlib import Path

import torch

from ..errors import InputError
from ..files import check_readable, write_bytes
from ..model.storage import is_finite

CHECKPOINT = "checkpoint.pt"
AFRESH = "delete it to start afresh, or use another folder"


def write_checkpoint(path: Path, step: int, recipe, optimiser, seconds: float, window: list[dict]) -> None:
    """Keep what a training needs to go on. window: losses since the last row of its log."""
    state = {"step": step, "seconds": seconds, "model": recipe.trained_state(), "optimiser": optimiser.state_dict(),
             "window": window}
    buffer = io.BytesIO()
    torch.save(state, buffer)
    write_bytes(path, buffer.getvalue())


def load_checkpoint(folder, steps: int) -> dict | None:
    """The checkpoint in a run's folder; None where there is none. InputError where it is not whole, is none, holds numbers
    that are not finite, or lies beyond the last of `steps`."""
    path = Path(folder) / CHECKPOINT
    if not path.exists():
        return None
    check_readable(path)
    try:
        with zipfile.ZipFile(path) as archive:  # torch.load would not look at the checksums that torch.save wrote
            broken = archive.testzip()
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # both raise many kinds; each means the same to a user
        raise InputError(path, f"is no checkpoint that loads safely ({type(error).__name__})", AFRESH) from None
    if broken:
        raise InputError(path, f"is damaged (checksum of {broken!r})", AFRESH)
    kinds = {"step": int, "seconds": float, "model": dict, "optimiser": dict, "window": list}
    state = {"window": []} | state if isinstance(state, dict) else {}  # an earlier version had no window
    if any(not isinstance(state.get(name), kind) for name, kind in kinds.items()):
        raise InputError(path, "is no checkpoint of a training", AFRESH)
    if not 0 <= state["step"] <= steps:
        raise InputError(path, f"is of step {state['step']}, and the config ends at {steps}", AFRESH)
    if not all_finite(state["model"]) or not all_finite(state["optimiser"]):
        raise InputError(path, "holds numbers that are not finite", AFRESH)
    return state


def restore(state: dict | None, path: Path, recipe, optimiser) -> tuple[int, float]:
    """Bring recipe and optimiser to a checkpoint's state. Returns its step and seconds; InputError where it does not fit."""
    if state is None:
        return 0, 0.0
    try:
        recipe.load_trained_state(state["model"])
        optimiser.load_state_dict(state["optimiser"])
    except (RuntimeError, KeyError, ValueError, TypeError, AttributeError, IndexError) as error:
        raise InputError(path, f"does not fit this training ({type(error).__name__})", AFRESH) from error
    return state["step"], state["seconds"]


def all_finite(state, name: str = "") -> bool:
    """Whether all tensors in nested containers are finite (`is_finite`)."""
    if torch.is_tensor(state):
        return is_finite(name, state)
    if isinstance(state, dict):
        return all(all_finite(value, str(key)) for key, value in state.items())
    return all(map(all_finite, state)) if isinstance(state, (list, tuple)) else True
