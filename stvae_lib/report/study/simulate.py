"""Raters that nobody is: ballots with known preferences, marked as simulated, to try a study and its analysis on."""

import numpy as np

from ...evaluation.preference import FIRST, SECOND, TIE, drawn_choices
from .design import Key
from .votes import FORMAT

PACE = 4.0  # median seconds a vote


def simulated_ballots(key: Key, strengths: dict[str, float], raters: int, careless: int = 0, ties: float = 0.15,
                      spread: float = 0.0, seed: int = 0) -> list[dict]:
    """Ballots as the page writes them, `simulated` true, of `raters` who look and `careless` more who always press left.

    strengths: log odds of every method. ties: chance of "cannot tell" between equals. spread: standard deviation of a
    result's own strength, the same for all raters. Attention checks are passed by all who look.
    """
    rng = np.random.default_rng(seed)
    own = {}
    for trial in key.trials:
        for method in trial.methods:
            own.setdefault((trial.picture, method), strengths.get(method, 0) + spread * rng.standard_normal())
    return [_ballot(key, own, ties, rater >= raters, rng) for rater in range(raters + careless)]


def _ballot(key: Key, own: dict, ties: float, careless: bool, rng: np.random.Generator) -> dict:
    plan = int(rng.integers(len(key.plans)))
    votes = []
    for step, (number, swapped) in enumerate(key.plans[plan]):
        trial = key.trials[number]
        gap = own[trial.picture, trial.methods[0]] - own[trial.picture, trial.methods[1]]
        winner = SECOND if trial.is_check else int(drawn_choices(gap, ties, rng))
        sides = {FIRST: ("left", "right")[swapped], SECOND: ("right", "left")[swapped], TIE: "tie"}
        votes.append({"step": step, "trial": number, "swapped": swapped, "choice": "left" if careless else sides[winner],
                      "seconds": round(float(rng.lognormal(np.log(PACE), 0.4)), 3)})
    return {"format": FORMAT, "study": key.study, "rater": rng.bytes(16).hex(), "plan": plan, "simulated": True, "votes": votes}
