"""The page of a blind study: one file, which needs no server, and in which pictures and pairs are numbers."""

import itertools
import json
import re
from pathlib import Path
from string import Template

import numpy as np
import torch

from ...errors import InputError
from ...files import check_readable, make_folder, refuse_overwriting, write_text
from ...pictures.images import load_image, resized
from ...provenance import digest
from ..standalone import as_json, picture_address, standalone_page, template
from .design import CONTROLS, Key, Material, Study, Trial, find_material, make_plans, make_trials

QUESTION = "Which is the better painting of this photograph in this style?"
VOTES = ".votes.jsonl"  # in place of a page's suffix: where `stvae study serve` keeps votes
SAME_SHAPE = 0.03  # how far a result's width : height may be from its photograph's
EMBEDDED = re.compile(r'<script type="application/json" id="study">(.*?)</script>', re.DOTALL)


def make_study(folder, page, votes: int = 40, size: int = 384, seed: int = 0, question: str = QUESTION,
               force: bool = False) -> tuple[Path, Path]:
    """Write a study's page and, beside it as .key.json, its key; returns both. The same input gives the same study.

    folder: see `find_material`. votes: pairs of methods that a rater judges, besides attention checks and repeats. size:
    longer side of every picture, pixels. force: also where another study, without votes yet, lies there. Raises InputError on
    material that does not fit together, and where another study would be replaced; then nothing is written.
    """
    page = Path(page)
    if page.suffix.lower() not in (".html", ".htm"):
        raise InputError(page, "is no name of a page", "end it in .html")
    if votes < 1 or not 64 <= size <= 1024:
        raise InputError(f"--votes {votes} --size {size}", "is out of range", "give 1 vote or more, and 64 to 1024 pixels")
    key_file = page.with_suffix(".key.json")
    material, rng = find_material(folder), np.random.default_rng(seed)
    refuse_overwriting([page, key_file], material.files())
    trials = make_trials(material, rng)
    plans = make_plans(trials, votes, rng)
    shown = {"question": question, "plans": plans} | _numbered(trials, material, size, rng)
    key = Key(_name(shown), plans, question, seed, tuple(trials))
    body = Template(template("study/page.html")).substitute(shown=as_json({"study": key.study} | shown),
                                                            script=template("study/page.js"))
    _keep_another(page, key_file, key, force)
    make_folder(page.parent)
    write_text(key_file, key.to_json())
    write_text(page, standalone_page("Which painting is better?", template("study/page.css"), body))
    return page, key_file


def _keep_another(page: Path, key_file: Path, key: Key, force: bool) -> None:
    """InputError where a page and its key would replace those of another study: votes cannot be read without their key."""
    if key_file.exists():
        check_readable(key_file)
        if key_file.read_text(encoding="utf-8", errors="replace") == key.to_json():
            return
    votes_file = page.with_suffix(VOTES)
    if votes_file.exists() and key_file.exists():
        raise InputError(votes_file, "holds votes of another study, which could not be read without its key",
                         "choose another name for the page, or move page, key and votes away")
    for file in (key_file, page):
        if file.exists() and not force:
            raise InputError(file, "is there, and of another study", "choose another name for the page, or add --force")


def _name(shown: dict) -> str:
    return digest(json.dumps(shown, sort_keys=True).encode())


def read_page(file) -> Study:
    """The study that a page is of; InputError where it is none or was changed."""
    remedy = "give the page that `stvae study make` wrote"
    check_readable(file)
    try:
        shown = json.loads(EMBEDDED.search(Path(file).read_text(encoding="utf-8"))[1])
        study = shown.pop("study")
        if study != _name(shown):
            raise InputError(file, "is not as it was made", "make it again, or get a whole copy")
        return Study(study, shown["plans"])
    except OSError as error:
        raise InputError(file, f"cannot be read ({error.strerror})", remedy) from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise InputError(file, "is no page of a study", remedy) from None


def _numbered(trials: list[Trial], material: Material, size: int, rng: np.random.Generator) -> dict:
    """Pictures as addresses, shuffled, and for every trial the numbers of its content, its style and its two results. An
    original that is shown as a result is a picture of its own."""
    rows = [[(trial.content, None, None), (None, trial.style, None),
             *((trial.content, trial.style, method) for method in trial.methods)] for trial in trials]
    wanted = list(dict.fromkeys(itertools.chain(*rows)))
    wanted = [wanted[index] for index in rng.permutation(len(wanted))]
    number = {picture: index for index, picture in enumerate(wanted)}
    return {"pictures": [picture_address(_picture(*picture, material, size)) for picture in wanted],
            "trials": [[number[picture] for picture in row] for row in rows]}


def _picture(content: str | None, style: str | None, method: str | None, material: Material, size: int) -> torch.Tensor:
    """A content, a style, or a result (an original in its place for a control) in the content's size, which thus gives nothing
    away."""
    if content is None:
        return load_image(material.styles[style], size)
    photo = load_image(material.contents[content], size)
    if method in (None, CONTROLS[0]):
        return photo
    if method == CONTROLS[1]:
        return _covering(load_image(material.styles[style]), photo.shape[2:])
    file = material.results[method][content, style]
    result = load_image(file)
    (height, width), (rows, columns) = result.shape[2:], photo.shape[2:]
    if abs(width * rows / (height * columns) - 1) > SAME_SHAPE:
        raise InputError(file, f"is {width}x{height}, of another shape than its content", "crop both alike")
    return resized(result, (rows, columns))


def _covering(image: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """The middle of a picture, in another size and without distortion."""
    scale = max(size[0] / image.shape[2], size[1] / image.shape[3])
    larger = resized(image, [max(side, round(scale * old)) for side, old in zip(size, image.shape[2:])])
    top, left = (larger.shape[2] - size[0]) // 2, (larger.shape[3] - size[1]) // 2
    return larger[..., top:top + size[0], left:left + size[1]]
