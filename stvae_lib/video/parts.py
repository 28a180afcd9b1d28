"""Unfinished work on a clip: what is done, and the state to go on from, in a folder beside the result."""

import json
import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from ..errors import InputError
from ..files import make_folder, write_atomically, write_text

JOB = "job.json"


class Parts:
    """The folder `OUT.parts`. job: what the work is; parts of another job are thrown away, parts of the same are gone on with."""

    def __init__(self, out: Path, job: dict):
        self.out, self.job = out, json.dumps(job, indent=1, default=str)
        self.folder = out.with_name(out.name + ".parts")
        if self.folder.exists() and not (self.folder / JOB).is_file():
            raise InputError(self.folder, "stands where unfinished work would go", "move it away")
        if self.folder.exists() and (self.folder / JOB).read_text(encoding="utf-8") != self.job:
            self.remove()

    def done(self) -> int:
        """How many segments are whole, with the state at their end."""
        return max((int(file.stem) + 1 for file in self.folder.glob("[!.]*.safetensors")), default=0)

    def begin(self) -> None:
        """Make the folder, once there is something to put into it."""
        make_folder(self.folder)
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
        shutil.rmtree(self.folder, ignore_errors=True)

    def _state_file(self, number: int) -> Path:
        return self.folder / f"{number:05d}.safetensors"
