"""Unfinished work on a clip: what is done, and the state to go on from, in a folder beside the result."""

import json
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from ..errors import InputError
from ..files import LOCK, write_atomically, write_text

JOB = "job.json"


def folder_of(out: Path) -> Path:
    """Where unfinished work on a result lies: `OUT.parts`. InputError where something else stands there."""
    folder = out.with_name(out.name + ".parts")
    if folder.exists() and not any((folder / name).is_file() for name in (JOB, LOCK)):
        raise InputError(folder, "stands where unfinished work would go", "move it away")
    return folder


class Parts:
    """What lies in such a folder, which this process has for itself. job: what the work is; parts of another job are thrown
    away, parts of the same are gone on with."""

    def __init__(self, folder: Path, job: dict):
        self.folder, self.job = folder, json.dumps(job, indent=1, default=str)
        if (folder / JOB).exists() and (folder / JOB).read_text(encoding="utf-8") != self.job:
            self.remove()

    def done(self) -> int:
        """How many segments are whole, with the state at their end."""
        return max((int(file.stem) + 1 for file in self.folder.glob("[!.]*.safetensors")), default=0)

    def begin(self) -> None:
        """Say what the work is, once there is something of it."""
        write_text(self.folder / JOB, self.job)

    def segment(self, number: int, suffix: str) -> Path:
        """Where a segment goes."""
        return self.folder / f"{number:05d}{suffix}"

    def state(self) -> dict[str, torch.Tensor]:
        """The state at the end of the last whole segment; empty at the start."""
        return load_file(self._state_file(self.done() - 1)) if self.done() else {}

    def close(self, number: int, state: dict[str, torch.Tensor]) -> None:
        """Note that a segment is whole."""
        tensors = {name: value.contiguous() for name, value in state.items()}
        write_atomically(self._state_file(number), lambda name: save_file(tensors, name))
        self._state_file(number - 1).unlink(missing_ok=True)

    def remove(self) -> None:
        """Throw all of it away, but for the lock of who works there."""
        for file in self.folder.iterdir():
            if file.name != LOCK:
                file.unlink(missing_ok=True)

    def _state_file(self, number: int) -> Path:
        return self.folder / f"{number:05d}.safetensors"
