"""The whole method on one page, as a PDF: `docs/handout.typ`, set by Typst, with numbers from what was measured."""

import json

from ..errors import InputError
from ..evaluation.intervals import tally
from .archive import ROOT, claims_by_notebook, read_benchmark
from .labs import EXTRA
from .readme import DEFAULT

SOURCE = ROOT / "docs" / "handout.typ"
MODELS = (DEFAULT, "vgg19-slim", "resnet50-slim")


def handout(kind: str = "pdf") -> bytes:
    """The page as a file of a `kind` that Typst writes. The source stops Typst where it takes more than one page.
    InputError where Typst is not installed."""
    try:
        import typst
    except ImportError:
        raise InputError("typst", "is not installed", EXTRA) from None
    return typst.compile(SOURCE, format=kind, sys_inputs={"data": json.dumps(numbers())})


def numbers() -> dict:
    """What the page says in numbers: models by benchmarks/sizes.json, verdicts of the committed results."""
    rows = {row["model"]: row for row in read_benchmark("sizes")["rows"]}
    models = [{"name": name, "parameters": f"{rows[name]['parameters (millions)']:.1f}", "file": f"{rows[name]['file (MB)']:.0f}",
               "milliseconds": f"{rows[name]['256 px (ms)']:.0f}"} for name in MODELS]
    claims = [claim for rows in claims_by_notebook().values() for claim in rows]
    return {"models": models, "statements": len(claims), "verdicts": tally(claims)}
