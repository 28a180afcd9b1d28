"""What a notebook answers to its question: sentences that follow from the verdicts of its claims, and from nothing else."""

import functools
import re
from pathlib import Path

import nbformat
import yaml

from ..evaluation.intervals import CONFOUNDED, FAILS, HOLDS, UNDECIDED, WITHDRAWN, Claim, tally
from .archive import LANDING, ROOT

WHAT = ("ST-VAE writes a photograph down as features, moves them by one small matrix for each style, and draws a picture from "
        "what comes out; the matrix is decoded from the code that a variational autoencoder gives the style, so that styles can "
        "be mixed.")
IDEA = "02_variational_linear_transform"  # the notebook whose first answer says whether that idea holds
START, END = "<!-- answer -->", "<!-- end of answer -->"
GROUPS = {"What holds": (HOLDS,), "What failed": (FAILS, WITHDRAWN), "What stayed open": (UNDECIDED, CONFOUNDED)}


@functools.cache
def tellings() -> dict[str, list[dict[str, str]]]:
    """How claims are told, by notebook: `docs/answers.yaml`."""
    return yaml.safe_load((ROOT / "docs" / "answers.yaml").read_text(encoding="utf-8"))


def told(notebook: str, claims: list[Claim], figures: bool = True) -> list[tuple[str, str]]:
    """Verdict and sentence of every claim that `docs/answers.yaml` has words for, with what was measured or without; without any,
    the statements of one claim that holds and of one that does not."""
    found = [(claim.verdict,
              claim.plainly(said["holds"], said["fails"], said["question"], said["unit"], said.get("tenfold", False), figures))
             for said in tellings().get(notebook, []) if "claim" in said
             for claim in claims if claim.statement.startswith(said["claim"])]
    if found:
        return found
    first = {claim.verdict.startswith(HOLDS): claim for claim in reversed(claims)}
    return [(claim.verdict, f"“{claim.statement}” {'' if claim.verdict.startswith((HOLDS, FAILS)) else 'is '}{claim.verdict} "
                            f"({claim.amount()}).") for _, claim in sorted(first.items(), reverse=True)]


def answer(notebook: str, claims: dict[str, list[Claim]], figures: bool = True) -> str:
    """Sentences that answer a notebook's question, with what was measured or without, from its claims among those of all
    notebooks, behind an opening that follows from none; of the notebook that tells of the others, from all. Empty where there are
    no claims."""
    everything = [claim for rows in claims.values() for claim in rows]
    if notebook == LANDING and everything:
        idea = "".join(f" {sentence}" for _, sentence in told(IDEA, claims.get(IDEA, []), figures)[:1])
        return (f"{WHAT}{idea} Of {len(everything)} statements that the chapters put to the test, about the paper, its code, "
                f"these models, other methods and the measures themselves, {tally(everything)}.")
    found = told(notebook, claims.get(notebook, []), figures)
    begun = next((said for said in tellings().get(notebook, []) if "opening" in said), {"opening": "", "sentences": 2})
    return " ".join(filter(None, [begun["opening"], *(sentence for _, sentence in found[:begun["sentences"]])])) if found else ""


def findings(claims: dict[str, list[Claim]]) -> str:
    """Markdown of what the notebooks found: what holds, what failed and what stayed open, each sentence with its notebook."""
    rows = [(notebook, *row) for notebook in claims for row in told(notebook, claims[notebook])]
    parts = []
    for title, verdicts in GROUPS.items():
        listed = [f"- {sentence} [{notebook[:2]}]({notebook}.ipynb)" for notebook, verdict, sentence in rows
                  if verdict.split(", ")[0] in verdicts]
        parts.append("\n".join([f"**{title}**\n", *(listed or ["- nothing"])]))
    return "\n\n".join(parts)


def write_answer(file: Path, claims: dict[str, list[Claim]]) -> None:
    """Put the answer between its marks in the first cell of an executed notebook, where it has marks."""
    notebook = nbformat.read(file, as_version=4)
    first = notebook.cells[0]
    if START in first.source:
        first.source = answered(first.source, answer(file.stem, claims))
        nbformat.write(notebook, file)


def answered(text: str, said: str) -> str:
    """The text of a notebook's first cell with another answer between its marks."""
    return re.sub(f"{START}.*{END}", lambda _: f"{START}\n**Answer.** {said}\n{END}", text, flags=re.DOTALL)
