"""What is kept in the repository: results of executed notebooks, and recorded trainings with card, log and sheets."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from ..errors import InputError
from ..evaluation.intervals import Claim, Interval, crossed, paired, share, single_runs
from ..model.weights import FOLDER, build
from ..pictures.images import load_image
from ..training.log import read_log

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "data" / "results"
LANDING = "00_report"  # tells of the other notebooks, from their results


def read_json(path: Path, remedy: str):
    """What a JSON file holds; InputError, with `remedy`, where it is missing or cut."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(path, "no such file", remedy) from None
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(path, f"is no whole JSON file ({error})", remedy) from None


def has_results(run: Path, notebook: str) -> bool:
    """Whether a run's folder holds whole results of a notebook: a full disk, say, can have cut them."""
    try:
        read_json(run / notebook / "results.json", "")
    except InputError:
        return False
    return True


def read_claims(folder="") -> list[dict]:
    """Claims of all notebooks in order, each with its "notebook": from a run's folder, or the committed results."""
    files = Path(folder).glob("*/results.json") if folder else RESULTS.glob("*.json")
    results = [read_json(file, "execute its notebook again (`make report`)") for file in files]
    return [{"notebook": result["notebook"]} | claim for result in sorted(results, key=lambda result: result["notebook"])
            for claim in result.get("claims", [])]


def claims_by_notebook(folder="") -> dict[str, list[Claim]]:
    """`read_claims`, as claims under the notebook that each is from."""
    found = {}
    for row in read_claims(folder):
        found.setdefault(row.pop("notebook"), []).append(Claim(**row))
    return found


def read_benchmark(name: str) -> dict:
    """What a script of `benchmarks/` measured and wrote."""
    return json.loads((ROOT / "benchmarks" / f"{name}.json").read_text(encoding="utf-8"))


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


def recorded_judgements(experiment: str) -> dict:
    """What the judges said of an experiment in `data/runs`: its `judged.json`, as a script of `benchmarks/` wrote it."""
    return read_json(ROOT / "data" / "runs" / experiment / "judged.json", "run the experiment's benchmark first (see README)")


class Arms:
    """A recorded experiment whose arms were trained in two stages, some with several seeds:
    `data/runs/EXPERIMENT/s{seed}-{arm}-{stage}`.

    borrowed: (arm, stage) -> the (arm, stage) that stands for it, where an arm has none of its own.
    """

    STAGES = {"psnr": "1-autoencoder", "ssim": "1-autoencoder", "style": "2-transform", "content": "2-transform"}

    def __init__(self, experiment: str, borrowed: dict | None = None):
        self.experiment, self.borrowed = experiment, borrowed or {}

    def _run(self, arm: str, stage: str, seed: int) -> str:
        arm, stage = self.borrowed.get((arm, stage), (arm, stage))
        return f"{self.experiment}/s{seed}-{arm}-{stage}"

    def card(self, arm: str, measure: str = "psnr", seed: int = 0) -> dict:
        """Card of the stage that `measure` is measured after."""
        return recorded_card(self._run(arm, self.STAGES[measure], seed))

    def sheet(self, arm: str, measure: str = "psnr", seed: int = 0) -> torch.Tensor:
        """Contact sheet of that stage, `(1, 3, H, W)`."""
        return recorded_sheet(self._run(arm, self.STAGES[measure], seed))

    def pictures(self, arm: str) -> list[list[torch.Tensor]]:
        """What `benchmarks/substitution.py` kept of the arm's first seed: three photographs, of each three pictures
        `(1, 3, side, side)`: its reconstruction and the photograph in two generated styles."""
        return [list(row.chunk(3, dim=3)) for row in recorded_sheet(f"{self.experiment}/pictures", f"{arm}.jpg").chunk(3, dim=2)]

    def seeds(self, arm: str) -> list[int]:
        """Seeds of decoder and transform that the arm was trained with; those that are still to be trained have no card."""
        cards = (ROOT / "data" / "runs" / self.experiment).glob(f"s*-{arm}-1-autoencoder/card.json")
        return sorted(int(card.parent.name[1:].split("-")[0]) for card in cards)

    def values(self, arm: str, measure: str) -> list[float]:
        """A validation measure, one value for each seed."""
        return [self.card(arm, measure, seed)["validation"][measure] for seed in self.seeds(arm)]

    def repeated(self) -> list[str]:
        """Arms with several seeds."""
        folders = (ROOT / "data" / "runs" / self.experiment).glob("s0-*-1-autoencoder")
        names = sorted(folder.name.removeprefix("s0-").removesuffix("-1-autoencoder") for folder in folders)
        return [name for name in names if len(self.seeds(name)) > 1]

    def difference(self, first: str, second: str, measure: str) -> tuple[Interval, str]:
        """Interval of `first - second`, and what varies: paired by seed where both arms have several, else with the
        spread between seeds of the repeated arms."""
        one, other = self.values(first, measure), self.values(second, measure)
        if self.same_seeds(first, second):
            return paired(one, other), "seeds of decoder and transform, one encoder each"
        repeated = [self.values(arm, measure) for arm in self.repeated()]
        fewer, more = sorted([(len(one), first), (len(other), second)])
        return single_runs(one, other, repeated), (f"run of {fewer[1]} and {more[0]} of {more[1]}, unpaired, spread pooled over "
                                                   f"seeds of decoder and transform in {len(repeated)} arms")

    def same_seeds(self, first: str, second: str) -> bool:
        """Whether two arms were trained with the same seeds, several of them, so that their runs make pairs."""
        return self.seeds(first) == self.seeds(second) and len(self.seeds(first)) > 1

    def unexplained(self, arm: str, seed: int = 0) -> float | None:
        """How much of the teacher's variance the encoder's last layer does not explain; None where nothing was taught."""
        card = self.card(arm, seed=seed)
        if card["recipe"]["base"] is None:
            return None
        base = Path(card["recipe"]["base"]).stem
        taught = recorded_card(base if (FOLDER / f"{base}.json").exists() else f"{self.experiment}/{base}")
        return taught["validation"][build(card["architecture"]).encoder.last]


class Comparison:
    """A recorded comparison of methods on the same pairs, `data/runs/EXPERIMENT/{method}`: a row of its card for each pair.

    pairs: numbers of the rows that count; None takes all. InputError where a method has not drawn every pair.
    """

    def __init__(self, experiment: str, methods, pairs: list[int] | None = None):
        self.experiment, self.cards = experiment, {name: recorded_card(f"{experiment}/{name}") for name in methods}
        made = {name: [(row["photo"], row["style_name"]) for row in card["rows"]] for name, card in self.cards.items()}
        whole = max(made.values(), key=len)
        for name, drawn in made.items():
            if drawn != whole:
                raise InputError(f"{experiment}/{name}", f"has {len(drawn)} of {len(whole)} pairs", "run its benchmark again")
        self.pairs = list(range(len(whole))) if pairs is None else pairs
        self.photos, self.styles = self.factors = [list(names) for names in zip(*[whole[pair] for pair in self.pairs])]

    def where(self, **wanted) -> "Comparison":
        """The same of the pairs whose rows have these values."""
        rows = next(iter(self.cards.values()))["rows"]
        chosen = [pair for pair in self.pairs if all(rows[pair][key] == value for key, value in wanted.items())]
        return Comparison(self.experiment, self.cards, chosen)

    def column(self, method: str, metric: str) -> np.ndarray:
        """A metric of one method, `(pairs,)`."""
        return np.array([self.cards[method]["rows"][pair][metric] for pair in self.pairs])

    def found(self, method: str, *margins: str) -> np.ndarray:
        """1 for every picture with all of these margins above 0, else 0: `(pairs,)`."""
        return np.all([self.column(method, margin) > 0 for margin in margins], axis=0).astype(float)

    def fused(self, method: str, judge: str) -> np.ndarray:
        """1 for every picture whose own strokes and content a judge finds nearest among all, and whose style's layout it does
        not find, as it does in a cross-fade: `(pairs,)`."""
        both = self.found(method, f"{judge}: strokes margin", f"{judge}: kept margin")
        return both * (1 - self.found(method, f"{judge}: pasted margin"))

    def interval(self, values) -> Interval:
        """Interval of one value a pair, over photographs and styles that cross."""
        return crossed(values, *self.factors)

    def share(self, values) -> Interval:
        """The same of values that are 0 or 1. Where all are alike nothing varies that an interval could be made of: it is then
        the exact one of as many trials as the factor with the fewest levels has."""
        if np.ptp(values) == 0:
            levels = min(len(set(names)) for names in self.factors)
            return share(round(float(values[0])) * levels, levels)
        found = self.interval(values)
        return found if found.half is None else replace(found, bounds=(max(found.low, 0.0), min(found.high, 1.0)))

    def difference(self, first: str, second: str, metric: str) -> Interval:
        """Interval of `first - second` pair by pair."""
        return self.interval(self.column(first, metric) - self.column(second, metric))

    def mean(self, method: str, metric: str) -> float:
        return float(self.column(method, metric).mean())

    def strip(self, method: str) -> torch.Tensor:
        """The first pair while it is optimised, `(1, 3, H, W)`."""
        return recorded_sheet(f"{self.experiment}/{method}", "strip.jpg")

    def picture(self, method: str, photo: str, style: str) -> torch.Tensor:
        """The picture of a pair that ships, `(1, 3, H, W)`."""
        return recorded_sheet(f"{self.experiment}/{method}", f"{photo}--{style}.jpg")
