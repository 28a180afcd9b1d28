"""What people prefer, from votes over pairs: strengths of methods, agreement, and how many votes it takes.

Strengths are natural logarithms of odds: a method one above another is chosen e : 1, in 73 of 100 decided votes. Bradley and
Terry, "Rank analysis of incomplete block designs", Biometrika 39 (1952); with ties, Davidson, "On extending the Bradley-Terry
model to accommodate ties in paired comparison experiments", JASA 65 (1970). Unlike an Elo rating they depend on no order.
"""

import math
from collections import defaultdict
from dataclasses import dataclass

import krippendorff
import numpy as np
from scipy import optimize, special, stats

from ..errors import InputError
from .intervals import CONFIDENCE, Interval, combined, crossed, share

FIRST, TIE, SECOND = 1, 0, -1
PRIOR = 0.5  # wins that every method begins with against every other: one that never lost stays finite
DRAWS = 400


@dataclass(frozen=True)
class Vote:
    """One answer: which of the results of two methods a rater likes better.

    picture: which photograph in which style, in any words. choice: FIRST, SECOND, or TIE for "cannot tell".
    """

    rater: str
    picture: str
    first: str
    second: str
    choice: int


@dataclass(frozen=True)
class Strengths:
    """Strengths of M methods and how they move when others had voted, or other pictures had been shown.

    values: (M,), log odds, sum zero. ties: how often equals are called tied, from 0 to below 1. drawn: for each of what varies
    ("raters", "pictures") its number of clusters and strengths of `DRAWS` bootstrap samples, (DRAWS, M).
    """

    methods: tuple[str, ...]
    values: np.ndarray
    ties: float
    drawn: dict[str, tuple[int, np.ndarray]]

    def ranking(self) -> list[str]:
        """Methods, the most preferred first."""
        return [self.methods[index] for index in np.argsort(-self.values, kind="stable")]

    def interval(self, method: str) -> Interval:
        """Strength of a method against the average method."""
        return self._interval(np.eye(len(self.methods))[self.methods.index(method)])

    def difference(self, first: str, second: str) -> Interval:
        """How much stronger `first` is than `second`; the two are told apart where the interval lies on one side of 0."""
        unit = np.eye(len(self.methods))
        return self._interval(unit[self.methods.index(first)] - unit[self.methods.index(second)])

    def _interval(self, weights: np.ndarray) -> Interval:
        """Over raters and pictures: what both move adds up, and what single votes move counts twice, to be on the safe side."""
        value = float(weights @ self.values)
        return combined([Interval(value, _half_width(drawn @ weights - value, n), n) for n, drawn in self.drawn.values()])


def _half_width(deviations: np.ndarray, n: int) -> float | None:
    """Symmetric bootstrap half-width, widened for few clusters as Student's t is: Hesterberg, "What teachers should know about
    the bootstrap", The American Statistician 69 (2015), section 4. None for one cluster, which tells no width."""
    if n < 2:
        return None
    few = stats.t.ppf((1 + CONFIDENCE) / 2, n - 1) / stats.norm.ppf((1 + CONFIDENCE) / 2) * math.sqrt(n / (n - 1))
    return float(few * np.quantile(np.abs(deviations), CONFIDENCE))


def bradley_terry(votes: list[Vote], seed: int = 0) -> Strengths:
    """Strengths, and how often equals are tied, by maximum likelihood, bootstrapped over whole raters and over whole pictures.

    Davidson's model: that i is preferred to j, j to i, or neither, is as likely as e^θi : e^θj : ν e^((θi + θj) / 2). Without
    ties it is Bradley and Terry's. Raises InputError without votes.
    """
    if not votes:
        raise InputError("votes", "none is left", "collect some, or look at why raters were dropped")
    methods = tuple(sorted({name for vote in votes for name in (vote.first, vote.second)}))
    by_rater, by_picture = (_counts_by_cluster(votes, methods, kind) for kind in ("rater", "picture"))
    whole, rng = _fit(by_rater.sum(0)), np.random.default_rng(seed)
    drawn = {"raters": _bootstrap(by_rater, whole, rng), "pictures": _bootstrap(by_picture, whole, rng)}
    return Strengths(methods, whole[:-1], float(special.expit(whole[-1] - math.log(2))), drawn)  # of equals, ν / (2 + ν)


def _bootstrap(counts: np.ndarray, whole: np.ndarray, rng: np.random.Generator) -> tuple[int, np.ndarray]:
    """Number of clusters, and strengths of samples of as many whole clusters, drawn with replacement."""
    chosen = rng.multinomial(len(counts), [1 / len(counts)] * len(counts), size=DRAWS)
    return len(counts), np.array([_fit(sample, whole)[:-1] for sample in np.tensordot(chosen, counts, 1)])


def _counts_by_cluster(votes: list[Vote], methods: tuple[str, ...], kind: str) -> np.ndarray:
    """(clusters, 2, M, M), for every rater or picture: how often the method of a row won against that of a column, and how
    often the two, in either order, were tied."""
    place = {name: index for index, name in enumerate(methods)}
    counts = defaultdict(lambda: np.zeros((2, len(methods), len(methods))))
    for vote in votes:
        pair = place[vote.first], place[vote.second]
        winner, loser = pair if vote.choice != SECOND else pair[::-1]
        counts[getattr(vote, kind)][int(vote.choice == TIE), winner, loser] += 1
    return np.array(list(counts.values()))


def _fit(counts: np.ndarray, start: np.ndarray | None = None) -> np.ndarray:
    """The likeliest strengths, sum zero, and last log ν, (M + 1,), for counts (2, M, M) of wins and ties; sought from `start`."""
    wins, ties = counts
    first, second = np.triu_indices(len(wins), 1)
    sides = (np.eye(len(wins))[first] - np.eye(len(wins))[second]) / 2
    found = np.stack([wins[first, second] + PRIOR, wins[second, first] + PRIOR, ties[first, second] + ties[second, first]])

    def loss(parameters):
        gap = sides @ parameters[:-1]
        odds = np.stack([gap, -gap, np.full_like(gap, parameters[-1])])
        total = np.logaddexp.reduce(odds)
        excess = found.sum(0) * np.exp(odds - total) - found
        return (found * (total - odds)).sum(), np.append((excess[0] - excess[1]) @ sides, excess[2].sum())

    start = np.zeros(len(wins) + 1) if start is None else start
    parameters = optimize.minimize(loss, start, jac=True, method="L-BFGS-B", tol=1e-9).x
    parameters[:-1] -= parameters[:-1].mean()
    return parameters


def tallies(votes: list[Vote]) -> dict[str, dict[str, int]]:
    """For every method its votes and how they came out: {"votes", "won", "tied", "lost"}."""
    found = defaultdict(lambda: {"votes": 0, "won": 0, "tied": 0, "lost": 0})
    for vote in votes:
        for method, choice in ((vote.first, vote.choice), (vote.second, -vote.choice)):
            found[method]["votes"] += 1
            found[method][{1: "won", 0: "tied", -1: "lost"}[choice]] += 1
    return dict(found)


def _unit(vote: Vote) -> tuple[str, tuple[str, str], int]:
    """What a vote is about, whichever result stood first, and the choice as if the methods stood in alphabetical order."""
    pair = tuple(sorted((vote.first, vote.second)))
    return vote.picture, pair, vote.choice if pair[0] == vote.first else -vote.choice


def agreement(votes: list[Vote], seed: int = 0) -> Interval | None:
    """Krippendorff's alpha between raters, ordinal (a tie lies between the two), bootstrapped over pictures: 1 where all say
    the same of every pair, 0 where they agree no more than by chance. None where no two judged the same pair, or none decided.

    Every pair counts once in either order, so that alpha does not depend on which method is called first.
    """
    counts = defaultdict(lambda: defaultdict(lambda: np.zeros(3)))
    for picture, pair, choice in map(_unit, votes):
        counts[picture][pair][choice + 1] += 1
    pictures = [np.array([row for row in pairs.values() if row.sum() > 1]).reshape(-1, 3) for pairs in counts.values()]
    pictures = [rows for rows in pictures if len(rows)]
    if not any(rows[:, [0, 2]].any() for rows in pictures):
        return None
    rng, value = np.random.default_rng(seed), _alpha(np.concatenate(pictures))
    draws = [_alpha(np.concatenate([pictures[index] for index in rng.integers(len(pictures), size=len(pictures))]))
             for _ in range(DRAWS)]
    return Interval(value, _half_width(np.array(draws) - value, len(pictures)), len(pictures))


def _alpha(rows: np.ndarray) -> float:
    """rows: (pairs, 3), how many raters chose second, tie, first. 1 where all of a bootstrap sample are ties, which agree."""
    if not rows[:, [0, 2]].any():
        return 1.0
    return float(krippendorff.alpha(value_counts=np.concatenate([rows, rows[:, ::-1]]), value_domain=[SECOND, TIE, FIRST],
                                    level_of_measurement="ordinal"))


def metric_agreement(votes: list[Vote], scores: dict[tuple[str, str], float], higher_is_better: bool) -> Interval:
    """Share of decided votes that went to the result with the better score: 0.5 is what tossing a coin does.

    scores: by (picture, method). Equal scores count half; "cannot tell" counts nowhere. The interval is over
    raters and pictures. Raises InputError where a score is missing or nothing was decided.
    """
    def side(vote: Vote) -> float:
        missing = [method for method in (vote.first, vote.second) if (vote.picture, method) not in scores]
        if missing:
            raise InputError(f"{missing[0]} on {vote.picture}", "has no score", "score every result that was voted on")
        difference = scores[vote.picture, vote.first] - scores[vote.picture, vote.second]
        return np.sign(difference if higher_is_better else -difference)

    return _agreeing([(vote, side(vote)) for vote in votes])


def majority_agreement(votes: list[Vote]) -> Interval:
    """Share of decided votes that went with the majority of the other raters of the same pair: what a metric could reach at
    most. An even split of the others counts half. Raises InputError where no two raters judged the same pair."""
    together = defaultdict(list)
    for vote in votes:
        picture, pair, choice = _unit(vote)
        together[picture, pair].append((vote, choice))
    others = [(vote, np.sign(sum(other for _, other in voted) - choice) * (1 if pair[0] == vote.first else -1))
              for (_, pair), voted in together.items() if len(voted) > 1 for vote, choice in voted]
    return _agreeing(others)


def _agreeing(predicted: list[tuple[Vote, float]]) -> Interval:
    """Share of decided votes that a prediction (1 first, -1 second, 0 neither) got right."""
    decided = [(vote, side) for vote, side in predicted if vote.choice != TIE]
    if not decided:
        raise InputError("votes", "none can be compared", "collect votes that decide, several raters to a pair")
    right = [(1 + side * vote.choice) / 2 for vote, side in decided]
    return crossed(right, [vote.rater for vote, _ in decided], [vote.picture for vote, _ in decided])


def drawn_choices(gap, ties: float, rng: np.random.Generator) -> np.ndarray:
    """Choices of simulated raters between two results whose strengths differ by `gap` (an array, log odds).

    ties: the chance of "cannot tell" between equals, below 1; it falls as the gap grows, by Davidson's model.
    """
    win = 1 / (1 + np.exp(-np.asarray(gap, dtype=float)))
    tie = 2 * ties / (1 - ties) * np.sqrt(win * (1 - win))
    drawn = rng.random(win.shape) * (1 + tie)
    return np.where(drawn < win, FIRST, np.where(drawn < 1, SECOND, TIE))


def power_curve(gap: float, raters: list[int], per_rater: int, pictures: int, ties: float = 0.2, spread: float = 0.5,
                simulations: int = 100, seed: int = 0) -> dict[int, Interval]:
    """How likely a study tells two methods apart, by number of votes on them: share of simulated studies in which the
    interval of votes for the better one (crossed over raters and pictures) lies above 0.

    gap: true difference in strength. raters: sizes to try. per_rater: votes of each on this pair, on as many of the `pictures`.
    spread: standard deviation of the gap between raters, and again between pictures. Nobody votes here: all is simulated.
    """
    if not 2 <= per_rater <= pictures:
        raise InputError(f"{per_rater} votes a rater", f"do not fit {pictures} pictures", "give 2 or more, at most one a picture")
    rng = np.random.default_rng(seed)
    return {count * per_rater: share(sum(_told_apart(gap, count, per_rater, pictures, ties, spread, rng)
                                         for _ in range(simulations)), simulations) for count in raters}


def _told_apart(gap, raters, per_rater, pictures, ties, spread, rng) -> bool:
    shown = np.array([rng.permutation(pictures)[:per_rater] for _ in range(raters)])
    gaps = gap + spread * (rng.standard_normal((raters, 1)) + rng.standard_normal(pictures)[shown])
    choices = drawn_choices(gaps, ties, rng).ravel()
    found = crossed(choices, np.repeat(np.arange(raters), per_rater), shown.ravel())
    return found.low is not None and found.low > 0


def votes_needed(curve: dict[int, Interval], power: float = 0.8) -> int | None:
    """The fewest votes of a `power_curve` from which on two methods are told apart in at least that share of studies; None
    where it needs more than were tried."""
    enough = None
    for votes in sorted(curve, reverse=True):
        if curve[votes].mean < power:
            break
        enough = votes
    return enough
