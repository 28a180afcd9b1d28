"""What is kept in the repository: results of executed notebooks, and recorded trainings with card, log and sheets."""

import json
from pathlib import Path

import numpy as np
import torch

from ..errors import InputError
from ..model.weights import FOLDER
from ..pictures.images import load_image
from ..training.loop import read_log

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "data" / "results"


def read_results(notebook: str, folder="") -> dict:
    """`results.json` of a notebook: from a run's folder, or the committed one. InputError when missing."""
    path = Path(folder) / notebook / "results.json" if folder else RESULTS / f"{notebook}.json"
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(path, "no such file", f"execute notebook {notebook} first (`make report`)") from None


def read_claims(folder="") -> list[dict]:
    """Claims of all notebooks in order, each with its "notebook": from a run's folder, or the committed results."""
    files = Path(folder).glob("*/results.json") if folder else RESULTS.glob("*.json")
    results = [json.loads(file.read_text(encoding="utf-8")) for file in files]
    return [{"notebook": result["notebook"]} | claim for result in sorted(results, key=lambda result: result["notebook"])
            for claim in result.get("claims", [])]


def recorded_card(name: str) -> dict:
    """Card of a recorded training in `data/runs`: a shipped model's, or `EXPERIMENT/ARM`."""
    card = ROOT / "data" / "runs" / name / "card.json"
    return json.loads(_recorded(card if card.exists() else FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def recorded_run(name: str) -> tuple[dict, dict]:
    """Log (columns as arrays) and card of a recorded training in `data/runs`."""
    return read_log(_recorded(ROOT / "data" / "runs" / name / "log.csv")), recorded_card(name)


def _recorded(path: Path) -> Path:
    if not path.exists():
        raise InputError(path, "no such file", "train this run first (`stvae train`, see README)")
    return path


def recorded_stages(*names: str) -> tuple[dict, dict]:
    """Consecutive trainings of one model as one: logs in a row with images and seconds counted on, NaN in columns that
    a stage lacks, and the last stage's card with the sums of images and seconds."""
    logs, cards = zip(*[recorded_run(name) for name in names])
    joined = {key: np.concatenate([log.get(key, np.full(len(log["step"]), np.nan)) for log in logs])
              for key in dict.fromkeys(key for log in logs for key in log)}
    for key in ("step", "images", "seconds"):
        ends = np.cumsum([0.0] + [log[key][-1] for log in logs[:-1]])
        joined[key] = np.concatenate([log[key] + end for log, end in zip(logs, ends)])
    return joined, cards[-1] | {key: sum(card[key] for card in cards) for key in ("images", "seconds")}


def recorded_reconstructions(name: str) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """Two photographs and two paintings, and what a recorded autoencoder made of them: two lists of `(1, 3, side, side)`."""
    above, below = recorded_sheet(name).chunk(2, dim=2)
    return list(above.chunk(4, dim=3)), list(below.chunk(4, dim=3))


def recorded_sheet(name: str, file: str = "sheet.jpg") -> torch.Tensor:
    """Contact sheet, or another picture, that a recorded run ended with, `(1, 3, H, W)`."""
    return load_image(ROOT / "data" / "runs" / name / file)
