"""`log.csv` of a training: written as it goes, and read back whole or not at all."""

import csv
import io
import warnings
from pathlib import Path

import numpy as np
import torch

from ..errors import InputError
from ..files import write_text

LOG = "log.csv"


class Log:
    """`log.csv`: means over `log_every` steps, and over the last ones, if fewer; validation columns filled where measured.
    Survives a resume.

    state: the checkpoint that the training goes on from, or None. processes: `checkpoints.Processes` of the training.
    """

    def __init__(self, path: Path, state: dict | None, schedule, processes):
        self.path, self.schedule, self.processes = path, schedule, processes
        self.rows = kept_rows(path, state["step"], schedule.log_every) if state else []
        if state and not self.rows and state["step"] >= schedule.log_every:
            warnings.warn(f"{path}: no such file; the log begins after step {state['step']}", stacklevel=3)
        self.window = list(state["window"]) if state else []

    def record(self, done: int, seconds: float, rate: float, losses: dict, bar, recipe) -> None:
        """Take a step's losses; every `log_every` steps, and at the end, write their means and show them on the progress bar."""
        self.window.append(losses)
        if done % self.schedule.log_every and done != self.schedule.steps:
            return
        means = {key: sum(row[key] for row in self.window) / len(self.window) for key in losses}
        images = self.processes.images(done, self.schedule.batch)
        row = {"step": done, "seconds": round(seconds, 2), "images": images, "lr": rate} | means
        if done % self.schedule.validate_every == 0 or done == self.schedule.steps:
            row |= _validate(recipe)
        self._write(row)
        self.window = []
        speed = bar.format_dict["rate"] or 0.0
        per_step = self.schedule.batch * self.processes.spans[-1][1]
        bar.set_postfix({"img/s": f"{speed * per_step:.0f}"} | {key: f"{value:.3g}" for key, value in means.items()})

    def _write(self, row: dict) -> None:
        self.rows.append({key: f"{value:.6g}" if isinstance(value, float) else value for key, value in row.items()})
        columns = list(dict.fromkeys(key for row in self.rows for key in row))
        text = io.StringIO()
        writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.rows)
        write_text(self.path, text.getvalue())


def _validate(recipe) -> dict:
    recipe.eval()
    with torch.no_grad():
        values = {f"val_{key}": float(value) for key, value in recipe.validate().items()}
    recipe.train()
    return values


def read_rows(path) -> list[dict[str, str]]:
    """Rows of a `log.csv` as they stand there. InputError where it is missing or damaged, as by a cut."""
    try:
        text = Path(path).read_text(encoding="utf-8")
        rows = list(csv.DictReader(io.StringIO(text), strict=True))
        whole = text.endswith("\n") and all(None not in row and None not in row.values() for row in rows)
        steps = [int(row["step"]) for row in rows]
        for row in rows:
            [float(value or "nan") for value in row.values()]
    except FileNotFoundError:
        raise InputError(path, "no such file", "check the path") from None
    except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
        raise InputError(path, f"is no whole log ({type(error).__name__}: {error})", "get it again") from None
    if not rows or not whole or steps != sorted(set(steps)):
        raise InputError(path, "is no whole log (rows are cut or out of order)", "get it again")
    return rows


def kept_rows(path: Path, done: int, every: int) -> list[dict[str, str]]:
    """Rows of an interrupted training's log up to the step of its checkpoint; none where it is not there at all. InputError
    where it is damaged or lacks some of them."""
    expected = list(range(every, done + 1, every))
    if not expected or not path.exists():
        return []
    remedy = f"restore it, or delete it to go on without rows before step {done}"
    try:
        rows = [row for row in read_rows(path) if int(row["step"]) <= done]
    except InputError as error:
        raise InputError(path, f"is damaged ({error})", remedy) from None
    steps = [int(row["step"]) for row in rows]  # a log that was deleted once begins later
    missing = [step for step in expected if step not in steps and (not steps or step > steps[0])]
    if missing:
        raise InputError(path, f"lacks rows from step {missing[0]} on", remedy)
    return rows


def read_log(path) -> dict[str, np.ndarray]:
    """Columns of a `log.csv` as float arrays, NaN where a row has no value. InputError where it is missing or damaged."""
    rows = read_rows(path)
    return {key: np.array([float(row[key] or "nan") for row in rows]) for key in rows[0]}
