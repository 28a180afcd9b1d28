"""What a blind study compares with what, in which order and on which side, and the key that says so."""

import itertools
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from ...errors import InputError
from ...files import check_readable
from ...pictures.images import list_images

KEY_FORMAT = "stvae-study-key-1"
CONTROLS = ("content", "style")  # the folders of originals; shown as a result, either is an attention check
BETWEEN = "--"
CHECKS = 2      # attention checks of each kind that every rater meets
REPEATS = 6     # pairs that a rater sees again with sides swapped
PLANS = 60      # orders of pairs; a rater gets one of them by chance


@dataclass(frozen=True)
class Trial:
    """Two results of one content in one style. In an attention check the first "method" is one of `CONTROLS`."""

    content: str
    style: str
    methods: tuple[str, str]

    @property
    def is_check(self) -> bool:
        return self.methods[0] in CONTROLS

    @property
    def picture(self) -> str:
        return self.content + BETWEEN + self.style


@dataclass(frozen=True)
class Study:
    """What its page knows of a study, as far as votes are concerned.

    study: SHA-256 of everything that the page shows: the name that binds votes to it. plans: for each, its steps as [number of
    the trial, swapped]; swapped: 1 where the first result is on the right.
    """

    study: str
    plans: list[list[list[int]]]


@dataclass(frozen=True)
class Key(Study):
    """What the numbers of a study's page stand for: one of `trials` for each number."""

    question: str
    seed: int
    trials: tuple[Trial, ...]

    def to_json(self) -> str:
        return json.dumps({"format": KEY_FORMAT} | asdict(self)) + "\n"


def read_key(file) -> Key:
    """The key that `make_study` wrote; InputError where it is none."""
    remedy = "give the .key.json file that `stvae study make` wrote beside the page"
    check_readable(file)
    try:
        found = json.loads(Path(file).read_text(encoding="utf-8"))
        if found.pop("format") != KEY_FORMAT:
            raise KeyError("format")
        trials = tuple(Trial(**trial | {"methods": tuple(trial["methods"])}) for trial in found.pop("trials"))
        return Key(trials=trials, **found)
    except OSError as error:
        raise InputError(file, f"cannot be read ({error.strerror})", remedy) from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise InputError(file, "is no key of a study", remedy) from None


@dataclass(frozen=True)
class Material:
    """Files of a study by name, the results by method and then by (content, style)."""

    contents: dict[str, Path]
    styles: dict[str, Path]
    results: dict[str, dict[tuple[str, str], Path]]

    def files(self) -> list[Path]:
        found = (self.contents, self.styles, *self.results.values())
        return [file for files in found for file in files.values()]


def find_material(folder) -> Material:
    """Pictures of `content/` and `style/`, and of every other folder, which is a method's: its results are named
    CONTENT--STYLE and the same for all methods. Raises InputError where one is missing or stands for nothing."""
    folder = Path(folder)
    contents, styles = (_by_name(folder / name) for name in CONTROLS)
    known = {content + BETWEEN + style: (content, style) for content in contents for style in styles}
    methods = sorted(path for path in folder.iterdir() if path.is_dir() and path.name not in CONTROLS and path.name[0] != ".")
    if len(methods) < 2:
        raise InputError(folder, f"holds {len(methods)} folders of results", "put one folder per method beside content and style")
    results = {}
    for method in methods:
        files = _by_name(method)
        for name in files:
            if name not in known:
                raise InputError(files[name], "is the result of no content and style", f"name it CONTENT{BETWEEN}STYLE")
        results[method.name] = {known[name]: file for name, file in files.items()}
    for picture in sorted(set().union(*results.values())):
        for method in methods:
            if picture not in results[method.name]:
                raise InputError(method, f"has no result {BETWEEN.join(picture)}", "add it, or take it out of the other folders")
    return Material(contents, styles, results)


def _by_name(folder: Path) -> dict[str, Path]:
    files = {}
    for file in list_images(folder):
        if file.stem in files:
            raise InputError(file, f"has the name of {files[file.stem].name}", "keep one of the two")
        files[file.stem] = file
    return files


def make_trials(material: Material, rng: np.random.Generator) -> list[Trial]:
    """Every pair of methods on every picture, shuffled, which of the two is first too; then the attention checks."""
    pictures = sorted(next(iter(material.results.values())))
    pairs = [Trial(*picture, tuple(rng.permutation(methods).tolist()))
             for picture in pictures for methods in itertools.combinations(material.results, 2)]
    checks = []
    for control in np.repeat(CONTROLS, CHECKS).tolist():
        picture, method = pictures[rng.integers(len(pictures))], rng.choice(list(material.results)).item()
        checks.append(Trial(*picture, (control, method)))
    return [pairs[index] for index in rng.permutation(len(pairs))] + checks


def make_plans(trials: list[Trial], votes: int, rng: np.random.Generator) -> list[list[list[int]]]:
    """`PLANS` orders, each of `votes` pairs (all where there are fewer), attention checks and repeats. Over the plans every
    pair is used equally often; within one, half of the pairs are swapped, and half of the checks of either kind."""
    pairs = sum(not trial.is_check for trial in trials)
    used, plans = np.zeros(pairs, dtype=int), []
    for _ in range(PLANS):
        chosen = np.lexsort((rng.random(pairs), used))[:votes]  # those used least, by chance among equals
        used[chosen] += 1
        plans.append(_plan(rng.permutation(chosen), range(pairs, len(trials)), rng))
    return plans


def _plan(chosen: np.ndarray, checks, rng: np.random.Generator) -> list[list[int]]:
    """Repeats come in the second half, of pairs from the first; checks anywhere but at the start."""
    steps = [[int(trial), int(side)] for trial, side in zip(chosen, rng.permutation(len(chosen)) % 2)]
    early, late = steps[:len(steps) // 2], steps[len(steps) // 2:]
    again = rng.permutation(len(early))[:REPEATS]
    late += [[early[index][0], 1 - early[index][1]] for index in again]
    steps = early + [late[index] for index in rng.permutation(len(late))]
    sides = [int(side) for _ in CONTROLS for side in rng.permutation(CHECKS) % 2]
    for trial, side in zip(checks, sides):
        steps.insert(int(rng.integers(1, len(steps) + 1)), [trial, side])
    return steps
