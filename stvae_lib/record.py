"""What a notebook leaves behind: numbered figures and `results.json` with provenance."""

import html
import json
import time
from pathlib import Path

import numpy as np
import torch
from IPython.display import HTML, Markdown, display

from . import figures
from .errors import InputError
from .images import list_images, load_image, to_jpeg, write_text
from .runs import environment
from .training import read_log
from .weights import FOLDER, digest, pick_device, sha256

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "data" / "results"


class Record:
    """Collects a notebook's results. `parameters`: the values of its parameters cell, by name."""

    def __init__(self, notebook: str, parameters: dict):
        self.notebook, self.parameters, self.began = notebook, parameters, time.perf_counter()
        self.folder = Path(parameters.get("out_dir") or ROOT / "runs" / "notebooks" / notebook)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(self.folder, f"cannot be made ({error.strerror})", "choose a writable out_dir") from None
        self.results, self.figures, self.data = {}, [], {}

    def add(self, **values):
        """Keep named results: numbers, strings, lists or dicts of them. Returns the only value when there is one."""
        plain = {name: _plain(value) for name, value in values.items()}
        self.results |= plain
        return next(iter(plain.values())) if len(plain) == 1 else None

    def figure(self, figure, name: str, caption: str, alt: str, photographic: bool = True) -> None:
        """Show a matplotlib figure with its caption and alt text, and keep both with the file."""
        data, suffix = figures.encode(figure, photographic)
        (self.folder / f"{name}.{suffix}").write_bytes(data)
        self.figures.append({"file": f"{name}.{suffix}", "caption": caption, "alt": alt})
        figures.show(data, suffix, len(self.figures), caption, alt)

    def frames(self, rows: list[list[torch.Tensor]], name: str, labels: list[str]) -> None:
        """Keep precomputed pictures, all `(1, 3, H, W)` of one size, for a slider in the built pages: a row of them for
        one slider, several rows for two. labels: what each slider does. The notebook itself shows nothing here."""
        sheet = torch.cat([torch.cat(row, dim=3) for row in rows], dim=2)
        (self.folder / f"{name}-frames.jpg").write_bytes(to_jpeg(sheet, quality=80))
        mark = "|".join([f"{name}-frames.jpg", str(len(rows[0])), str(len(rows)), *labels])
        display(HTML(f'<div data-frames="{html.escape(mark)}"></div>'))

    def table(self, rows: list[dict], name: str, decimals: int = 3) -> None:
        """Show rows as a table and keep them as a result."""
        self.add(**{name: rows})
        display(Markdown(figures.table(rows, decimals)))

    def used_folder(self, folder) -> None:
        """Note a user's folder of pictures among the data."""
        files = list_images(folder)
        listing = "".join(f"{file.name} {file.stat().st_size}\n" for file in files)
        self.data[Path(folder).name] = {"pictures": len(files), "sha256": digest(listing.encode())}

    def save(self) -> Path:
        """Write `results.json`; returns its path."""
        weights = {file.stem: sha256(file)[:16] for file in sorted(FOLDER.glob("*.safetensors"))}
        kept = {name: value for name, value in self.parameters.items() if not name.endswith("_dir")}
        provenance = environment(pick_device(self.parameters.get("device", "auto"))) | {
            "weights": weights, "data": self.data, "seconds": round(time.perf_counter() - self.began, 1)}
        text = json.dumps({"notebook": self.notebook, "parameters": kept, "provenance": provenance,
                           "results": self.results, "figures": self.figures}, indent=1, ensure_ascii=False) + "\n"
        path = self.folder / "results.json"
        write_text(path, text)
        return path


def _plain(value):
    if isinstance(value, dict):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(entry) for entry in value]
    if isinstance(value, (torch.Tensor, np.ndarray, np.generic)):
        return _plain(value.tolist())
    return round(value, 5) if isinstance(value, float) else value


def read_results(notebook: str, folder="") -> dict:
    """`results.json` of a notebook: from a run's folder, or the committed one. InputError when missing."""
    path = Path(folder) / notebook / "results.json" if folder else RESULTS / f"{notebook}.json"
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(path, "no such file", f"execute notebook {notebook} first (`make report`)") from None


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


def recorded_sheet(name: str, file: str = "sheet.jpg") -> torch.Tensor:
    """Contact sheet, or another picture, that a recorded run ended with, `(1, 3, H, W)`."""
    return load_image(ROOT / "data" / "runs" / name / file)
