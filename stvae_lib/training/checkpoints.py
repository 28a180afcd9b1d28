"""Checkpoints of a training: written whole and finite, read whole or refused."""

import io
import warnings
import zipfile
from pathlib import Path

import torch

from ..errors import InputError
from ..files import check_readable, write_bytes
from ..model.storage import is_finite

CHECKPOINT = "checkpoint.pt"
AFRESH = "delete it to start afresh, or use another folder"


class Processes:
    """How many processes a training has had, by the step from which on: `spans`, a list of [step, count]."""

    def __init__(self, spans: list[list[int]], step: int, count: int):
        self.spans = [list(span) for span in spans if span[0] < step]
        if not self.spans or self.spans[-1][1] != count:
            self.spans.append([step if self.spans else 0, count])

    def images(self, step: int, batch: int) -> int:
        """Images seen before `step`, `batch` to a process and step."""
        ends = [start for start, _ in self.spans[1:]] + [step]
        return sum(batch * count * (min(end, step) - start) for (start, count), end in zip(self.spans, ends) if start < step)


def processes_of(state: dict | None, count: int) -> Processes:
    """A training's processes, `count` from here on; says so where it had another number before."""
    if state is None:
        return Processes([], 0, count)
    known = state["processes"] or [[0, count]]  # an earlier version kept none
    if known[-1][1] != count and state["step"]:
        warnings.warn(f"trained by {known[-1][1]} processes up to step {state['step']}, by {count} from here on: a step takes "
                      f"{count / known[-1][1]:g} times as many images", stacklevel=2)
    return Processes(known, state["step"], count)


def write_checkpoint(path: Path, step: int, recipe, optimiser, seconds: float, window: list[dict],
                     processes: Processes, about: dict) -> None:
    """Keep what a training needs to go on. window: losses since the last row of its log. about: JSON that says which training
    it is."""
    state = {"step": step, "seconds": seconds, "model": recipe.trained_state(), "optimiser": optimiser.state_dict(),
             "window": window, "processes": processes.spans, "about": about}
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
    kinds = {"step": int, "seconds": float, "model": dict, "optimiser": dict, "window": list, "processes": list,
             "about": dict}
    earlier = {"window": [], "processes": [], "about": {}}  # what an earlier version did not keep
    state = earlier | state if isinstance(state, dict) else {}
    if any(not isinstance(state.get(name), kind) for name, kind in kinds.items()) or not _are_spans(state["processes"]):
        raise InputError(path, "is no checkpoint of a training", AFRESH)
    if not 0 <= state["step"] <= steps:
        raise InputError(path, f"is of step {state['step']}, and the config ends at {steps}", AFRESH)
    if not all_finite(state["model"]) or not all_finite(state["optimiser"]):
        raise InputError(path, "holds numbers that are not finite", AFRESH)
    return state


def _are_spans(spans: list) -> bool:
    """Whether these are the `spans` of `Processes`."""
    whole = all(isinstance(span, list) and len(span) == 2 and all(type(value) is int for value in span) for span in spans)
    return whole and all(step >= 0 and count > 0 for step, count in spans)


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
