"""What a notebook leaves behind: numbered figures, claims, and `results.json` with provenance."""

import html
import json
import time
from pathlib import Path

import numpy as np
import torch
from IPython.display import HTML, SVG, Markdown, display

from ..evaluation.intervals import Claim, tally
from ..files import make_folder, write_text
from ..model.weights import FOLDER, pick_device
from ..pictures.images import list_images, to_jpeg
from ..provenance import environment, record, sha256
from . import figures
from .archive import ROOT
from .execute import known_parameters

PICTURES = {"content_dir": "content", "style_dir": "style"}  # parameters that name a reader's folder of pictures


class Book:
    """Collects a notebook's results. `parameters`: the values of its parameters cell, by name."""

    def __init__(self, notebook: str, parameters: dict):
        self.notebook, self.parameters, self.began = notebook, parameters, time.perf_counter()
        self.folder = Path(parameters.get("out_dir") or ROOT / "runs" / "notebooks" / notebook)
        make_folder(self.folder, "choose a writable out_dir")
        self.results, self.figures, self.claims = {}, [], []
        self.data = {role: record(list_images(parameters[name])) for name, role in PICTURES.items() if parameters.get(name)}

    @classmethod
    def begin(cls, notebook: str, namespace: dict) -> "Book":
        """The book of `notebooks/NAME.ipynb`: the names in its cell tagged `parameters`, their values in `namespace`
        (the notebook's globals()). Folders of the reader's own pictures are noted with checksums."""
        return cls(notebook, {name: namespace[name] for name in known_parameters(notebook)})

    def add(self, **values):
        """Keep named results: numbers, strings, lists or dicts of them. Returns the only value when there is one."""
        plain = {name: _plain(value) for name, value in values.items()}
        self.results |= plain
        return next(iter(plain.values())) if len(plain) == 1 else None

    def figure(self, figure, name: str, caption: str, alt: str, photographic: bool = True, together: bool = False,
               key: int = 0) -> None:
        """Show a matplotlib figure with its caption and alt text, and keep both with a larger file, for the built pages.
        together, key: as in `figures.noted`."""
        noted = {"name": name} | figures.noted(figure, photographic, together, key)
        larger, suffix = figures.encode_larger(figure, photographic)
        (self.folder / f"{name}.{suffix}").write_bytes(larger)
        self.figures.append({"file": f"{name}.{suffix}", "caption": caption, "alt": alt})
        figures.show(*figures.encode(figure, photographic, figures.PREVIEW), len(self.figures), caption, alt, noted)

    def drawing(self, svg: str) -> None:
        """Show an SVG element that is no figure of results, as the one that explains the method."""
        display(SVG(data=svg))

    def frames(self, rows: list[list[torch.Tensor]], name: str, labels: list[str]) -> None:
        """Keep precomputed pictures, all `(1, 3, H, W)` of one size, for a slider in the built pages: a row of them for
        one slider, several rows for two. labels: what each slider does. The notebook itself shows nothing here."""
        sheet = torch.cat([torch.cat(row, dim=3) for row in rows], dim=2)
        (self.folder / f"{name}-frames.jpg").write_bytes(to_jpeg(sheet, quality=80))
        mark = "|".join([f"{name}-frames.jpg", str(len(rows[0])), str(len(rows)), *labels])
        display(HTML(f'<div data-frames="{html.escape(mark)}"></div>'))

    def film(self, name: str) -> None:
        """A film `name` in the book's folder, for a player in the built pages; the notebook itself shows nothing here."""
        display(HTML(f'<div data-film="{html.escape(name)}"></div>'))

    def page(self, name: str, label: str) -> None:
        """A page `name` in the book's folder, for a link in the built pages; the notebook itself shows nothing here."""
        display(HTML(f'<div data-page="{html.escape(name)}|{html.escape(label)}"></div>'))

    def table(self, rows: list[dict], name: str, decimals: int = 2, behind: str = "") -> None:
        """Show rows as a table, or `behind` a line that unfolds it, and keep them as a result."""
        self.add(**{name: rows})
        shown = figures.table(rows, decimals)
        self.say(unfolding(behind, shown) if behind else shown)

    def claim(self, claim: Claim, shown: bool = True) -> Claim:
        """Keep a claim, and show it as a sentence unless a table is to show it among many."""
        self.claims.append(claim)
        if shown:
            self.say(claim.sentence())
        return claim

    def claims_table(self, some: list[Claim] | None = None) -> None:
        """Show statement, verdict, what was measured, control and rule of some claims, or of all that were kept so far, these
        behind a line that unfolds them."""
        if some is None:
            self.say(unfolding(f"All {len(self.claims)} statements: {tally(self.claims)}", claims_markdown(self.claims)))
        else:
            self.say(claims_markdown(some))

    def say(self, text: str) -> None:
        """Show a sentence that was made from measured figures, as Markdown."""
        display(Markdown(text))

    def save(self) -> Path:
        """Write `results.json`; returns its path."""
        weights = {file.stem: sha256(file)[:16] for file in sorted(FOLDER.glob("*.safetensors"))}
        # where folders and weights lie is a matter of the machine
        kept = {name: Path(value).name if str(value).endswith(".safetensors") else value
                for name, value in self.parameters.items() if not name.endswith("_dir")}
        provenance = environment(pick_device(self.parameters.get("device", "auto"))) | {
            "weights": weights, "data": self.data, "seconds": round(time.perf_counter() - self.began, 1)}
        text = json.dumps({"notebook": self.notebook, "parameters": kept, "provenance": provenance,
                           "results": self.results, "claims": [_plain(claim.to_json()) for claim in self.claims],
                           "figures": self.figures}, indent=1, ensure_ascii=False) + "\n"
        path = self.folder / "results.json"
        write_text(path, text)
        return path


def unfolding(line: str, text: str) -> str:
    """Markdown text behind a line that unfolds it."""
    return f"<details><summary>{line}</summary>\n\n{text}\n\n</details>"


def claims_markdown(claims: list[Claim]) -> str:
    """Claims as a table, and below it their rules, which many share, by number."""
    rules = {rule: number for number, rule in enumerate(dict.fromkeys(claim.rule for claim in claims), start=1)}
    rows = [{"statement": claim.statement, "verdict": claim.verdict, "measured": claim.measured(),
             "control": "{what}: {figure}, {verdict}".format(**claim.control) if claim.control else "–",
             "rule": rules[claim.rule]} for claim in claims]
    return "\n".join([figures.table(rows), "", *(f"- **Rule {number}**: {rule}" for rule, number in rules.items())])


def _plain(value):
    if isinstance(value, dict):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(entry) for entry in value]
    if isinstance(value, (torch.Tensor, np.ndarray, np.generic)):
        return _plain(value.tolist())
    return round(value, 8) if isinstance(value, float) else value
