"""What several measurements say together: intervals, decision rules over them, and claims that rest on them.

A rule looks at one 95 % interval and says "holds", "fails" or "undecided". Two intervals that overlap decide nothing:
what is compared is compared in pairs (`paired`), and the rule looks at the interval of the differences.
"""

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

import numpy as np
from scipy import stats

CONFIDENCE = 0.95
HOLDS, FAILS, UNDECIDED, WITHDRAWN = "holds", "fails", "undecided", "withdrawn"
CONFOUNDED = "confounded"
BY_READING = "by reading"


@dataclass(frozen=True)
class Interval:
    """A mean over `n` independent units and the half-width of its 95 % interval; None where one unit tells no width.

    bounds: (low, high) where the interval is not symmetric (a share's).
    """

    mean: float
    half: float | None
    n: int
    bounds: tuple[float, float] | None = None

    @classmethod
    def of(cls, values, clusters=None, seed: int = 0) -> "Interval":
        """Student t over independent `values`. clusters: a label for each value where values are not independent (many
        pairs from few photographs): whole clusters are then drawn again, and `n` counts clusters."""
        values = np.asarray([float(value) for value in values])
        if clusters is not None:
            return cls._clustered(values, list(clusters), seed)
        if len(values) < 2:
            return cls(float(values.mean()), None, len(values))
        half = stats.t.ppf((1 + CONFIDENCE) / 2, len(values) - 1) * stats.sem(values)
        return cls(float(values.mean()), float(half), len(values))

    @classmethod
    def _clustered(cls, values: np.ndarray, labels: list, seed: int) -> "Interval":
        """Symmetric bootstrap interval over whole clusters; never narrower than Student t over the clusters' means,
        because with few clusters the bootstrap is too narrow."""
        if len(labels) != len(values):
            raise ValueError(f"{len(labels)} cluster labels for {len(values)} values")
        groups = [values[[label == other for other in labels]] for label in dict.fromkeys(labels)]
        if len(groups) < 2:
            return cls(float(values.mean()), None, len(groups))
        sums, sizes = np.array([group.sum() for group in groups]), np.array([len(group) for group in groups])
        drawn = np.random.default_rng(seed).integers(len(groups), size=(4000, len(groups)))
        means = sums[drawn].sum(1) / sizes[drawn].sum(1)
        half = max(float(np.quantile(np.abs(means - values.mean()), CONFIDENCE)), cls.of(sums / sizes).half)
        return cls(float(values.mean()), half, len(groups))

    @classmethod
    def exact(cls, value: float) -> "Interval":
        """A figure over which nothing varies: a count, a computed constant."""
        return cls(float(value), 0.0, 1)

    @property
    def low(self) -> float | None:
        return self.bounds[0] if self.bounds else None if self.half is None else self.mean - self.half

    @property
    def high(self) -> float | None:
        return self.bounds[1] if self.bounds else None if self.half is None else self.mean + self.half

    def text(self, decimals: int = 2) -> str:
        """`mean [low, high]`, rounded as `places` says; the mean alone where there is no interval or nothing varies."""
        digits = places(self.mean, decimals)
        mean = f"{self.mean:.{digits}f}"
        return f"{mean} [{self.low:.{digits}f}, {self.high:.{digits}f}]" if self.bounds or self.half else mean


def paired(first, second, clusters=None) -> Interval:
    """Interval of the differences `first - second`, unit by unit: the same photographs, pairs or seeds in both."""
    return Interval.of(np.subtract(first, second, dtype=float), clusters)


def crossed(values, *labels) -> Interval:
    """Interval over values that cross several factors (every photograph in every style), a label of each for every value:
    variances over the clusters of every factor add, less that of single values, which each of them counts (Cameron, Gelbach and
    Miller 2011, "Robust inference with multiway clustering"). n: clusters of the factor with the fewest."""
    single = Interval.of(values).half or 0.0
    return combined([Interval.of(values, names) for names in labels], shared=math.sqrt(len(labels) - 1) * single)


def combined(found: list[Interval], shared: float = 0.0) -> Interval:
    """Interval of one figure that several things move, from the interval over each: squares of half-widths add, less that of
    what is `shared`, counted more than once; never narrower than the widest. No width where one of them has none."""
    least = min(found, key=lambda interval: interval.n)
    if any(interval.half is None for interval in found):
        return Interval(least.mean, None, least.n)
    squares = [interval.half**2 for interval in found]
    return Interval(least.mean, math.sqrt(max(sum(squares) - shared**2, *squares)), least.n)


def single_runs(first, second, repeated) -> Interval:
    """Interval of `mean(first) - mean(second)` where an arm has one run: the spread between seeds is pooled over arms that
    were `repeated` (lists of values), and supposed to be every arm's. n: runs of the arm with the fewest."""
    freedom = sum(len(values) - 1 for values in repeated)
    variance = sum(np.var(values) * len(values) for values in repeated) / freedom
    half = stats.t.ppf((1 + CONFIDENCE) / 2, freedom) * np.sqrt(variance * (1 / len(first) + 1 / len(second)))
    return Interval(float(np.mean(first) - np.mean(second)), float(half), min(len(first), len(second)))


def exchanged(first, second, clusters=None) -> Interval:
    """Control for `paired`: the same figures with the two exchanged in every other unit, so that no difference is left that
    could come from what they stand for."""
    first, second = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    labels = list(range(len(first)) if clusters is None else clusters)
    signs = {label: 1 - 2 * (index % 2) for index, label in enumerate(dict.fromkeys(labels))}
    return Interval.of((first - second) * [signs[label] for label in labels], clusters)


def slope(x, y) -> Interval:
    """Least-squares slope of `y` over `x`, one point a run, and its Student t interval."""
    x, y = (np.asarray(values, dtype=float) - np.mean(values) for values in (x, y))
    mean = (x @ y) / (x @ x)
    deviation = np.sqrt(((y - mean * x) ** 2).sum() / (len(x) - 2) / (x @ x))  # scipy's linregress has none for equal values
    return Interval(float(mean), float(stats.t.ppf((1 + CONFIDENCE) / 2, len(x) - 2) * deviation), len(x))


def share(successes: int, n: int) -> Interval:
    """Share of `n` independent trials and its exact (Clopper-Pearson) interval."""
    exact = stats.binomtest(int(successes), n).proportion_ci(CONFIDENCE, method="exact")
    return Interval(successes / n, None, n, (float(exact.low), float(exact.high)))


def as_interval(measured: Interval | float) -> Interval:
    """An interval as it is; a number as a figure over which nothing varies."""
    return measured if isinstance(measured, Interval) else Interval.exact(measured)


def mean_interval(values) -> tuple[float, float | None]:
    """Mean of repeated measurements and the half-width of its Student t interval; None for a single measurement."""
    interval = Interval.of(values)
    return interval.mean, interval.half


def places(value: float, decimals: int) -> int:
    """How many decimals to round to: `decimals`, and one more where the value is small (below 0.1)."""
    return decimals + (0 < abs(value) < 0.1)


def plus_minus(values, decimals: int = 2) -> str:
    """`mean ± half-width` as text; the mean alone for a single measurement."""
    mean, half = mean_interval(values)
    return f"{mean:.{decimals}f}" + ("" if half is None else f" ± {half:.{decimals}f}")


@dataclass(frozen=True)
class Rule:
    """A decision rule, written into the results by its `text`. Called with an Interval, or with a number over which
    nothing varies. Without an interval (one run of something that varies) nothing is decided.

    bounds: what an interval has to lie beyond, or between where there are two.
    """

    text: str
    decide: Callable[[float, float], str]
    bounds: tuple[float, ...]

    def __call__(self, measured: "Interval | float") -> str:
        interval = as_interval(measured)
        return UNDECIDED if interval.low is None else self.decide(interval.low, interval.high)


def above(bound: float, what: str = "the 95 % interval") -> Rule:
    """Holds where the whole interval lies above `bound`, fails where the whole lies at or below it."""
    return Rule(f"holds where all of {what} > {bound:g}, fails where all ≤ {bound:g}, else undecided",
                lambda low, high: HOLDS if low > bound else FAILS if high <= bound else UNDECIDED, (bound,))


def below(bound: float, what: str = "the 95 % interval") -> Rule:
    """Holds where the whole interval lies below `bound`, fails where the whole lies at or above it."""
    return Rule(f"holds where all of {what} < {bound:g}, fails where all ≥ {bound:g}, else undecided",
                lambda low, high: HOLDS if high < bound else FAILS if low >= bound else UNDECIDED, (bound,))


def difference_beyond(margin: float = 0.0) -> Rule:
    """For `paired` differences, taken so that the claim makes them positive: larger than `margin`."""
    return above(margin, "the 95 % interval of paired differences")


def unpaired_beyond(margin: float = 0.0) -> Rule:
    """For differences of `single_runs`, taken so that the claim makes them positive: larger than `margin`."""
    return above(margin, "the 95 % interval of the difference (unpaired, spread pooled over seeds)")


def no_difference_beyond(margin: float) -> Rule:
    """For `paired` differences: as good as equal, that is, within ± `margin`."""
    return Rule(f"holds where all of the 95 % interval of paired differences lies within ± {margin:g}, fails where all of it "
                "lies outside, else undecided",
                lambda low, high: HOLDS if -margin < low and high < margin
                else FAILS if low >= margin or high <= -margin else UNDECIDED, (-margin, margin))


def share_at_least(bound: float) -> Rule:
    """For a `share`: at least `bound`."""
    return Rule(f"holds where all of the exact 95 % interval of the share ≥ {bound:g}, fails where all < {bound:g}, "
                "else undecided", lambda low, high: HOLDS if low >= bound else FAILS if high < bound else UNDECIDED, (bound,))


@dataclass
class Claim:
    """A statement and what a measurement makes of it; `results.json` keeps it as it is here.

    source: where the statement is made (or, by reading, the lines that were read). figure: what was measured, a number or a
    text. interval: [low, high] at 95 %, None by reading and for one run of something that varies. n and varies: how many
    of what the interval is over ("4 photographs", "3 decoder seeds"). rule: the decision rule's text.
    control: {"what", "figure", "verdict", "if_fails"}: the same rule on data for which the claim must come out otherwise;
    if_fails: it is the control of a claim that fails, something of which the claim is true.
    bounds: what the interval has to lie beyond, or between where there are two; None by reading.
    """

    statement: str
    source: str
    figure: float | str
    interval: list[float] | None
    n: int | None
    varies: str
    rule: str
    verdict: str
    control: dict | None
    bounds: list[float] | None = None

    def to_json(self) -> dict:
        return asdict(self)

    def amount(self, decimals: int = 2, tenfold: bool = False) -> str:
        """The figure with its interval, rounded as `places` says. tenfold: the figure is a logarithm to base ten; what it is the
        logarithm of is told, in whole numbers."""
        if isinstance(self.figure, str):
            return self.figure
        values = [self.figure, *(self.interval or ())]
        values, digits = ([10**value for value in values], 0) if tenfold else (values, places(self.figure, decimals))
        figure, *ends = (f"{value:.{digits}f}" for value in values)
        return f"{figure} [{', '.join(ends)}]" if self.interval and self.interval[0] != self.interval[1] else figure

    def bound(self, tenfold: bool = False) -> str:
        """What the figure is held against: "bound 0.05", or "bounds ± 0.05". Empty by reading. tenfold: see `amount`."""
        if not self.bounds:
            return ""
        value = 10 ** self.bounds[-1] if tenfold else self.bounds[-1]
        return f"bounds ± {value:.3g}" if len(self.bounds) > 1 else f"bound {value:.3g}"

    def measured(self, decimals: int = 2) -> str:
        """The figure with its interval, what it is held against, and what the interval is over."""
        return ", ".join(filter(None, (self.amount(decimals), self.bound(), self.varies)))

    def plainly(self, holds: str, fails: str, question: str, unit: str = "", tenfold: bool = False, figures: bool = True) -> str:
        """A sentence for the verdict: `holds`, `fails`, or that the `question` ("whether ...") was not answered; behind it, with
        `figures`, what was measured, in its `unit`, and against what where that is not told; tenfold: see `amount`."""
        measured = f"{self.amount(tenfold=tenfold)} {unit}".rstrip()
        if self.verdict in (HOLDS, FAILS):
            said = holds if self.verdict == HOLDS else fails
        else:
            said = f"{question[0].upper()}{question[1:]} is {self.verdict} here"
            measured = "; ".join(filter(None, (measured, self.bound(tenfold))))
        return f"{said} ({measured})." if figures else f"{said}."

    def sentence(self, decimals: int = 2) -> str:
        """Markdown for the text of a notebook: the statement, its verdict, and what both rest on."""
        control = "; control, {what}: {figure}, {verdict}".format(**self.control) if self.control else ""
        return f"{self.statement[0].upper()}{self.statement[1:]}: **{self.verdict}** ({self.measured(decimals)}{control})."


def judge(statement: str, source: str, measured: Interval | float, varies: str, rule: Rule,
          control: tuple[str, Interval | float], control_if_fails: tuple[str, Interval | float] | None = None,
          decimals: int = 2) -> Claim:
    """A claim decided by `rule` on what was measured.

    varies: what `measured` is over, without its number ("photographs"); "" for a number over which nothing varies.
    control: what it is, and its measurement: something of which the claim is not true. A rule that says the same of it as
    of the claim cannot tell them apart: the claim is then withdrawn. control_if_fails: something of which the claim is
    true; it takes the other's place where the claim fails, and shows that it could have held. An undecided claim says
    nothing that could be withdrawn.
    """
    interval = as_interval(measured)
    verdict = rule(interval)
    other_way = control_if_fails is not None and verdict == FAILS
    what, other = control_if_fails if other_way else control
    other = as_interval(other)
    turned = rule(other)
    bounds = None if interval.low is None else [interval.low, interval.high]
    return Claim(statement, source, interval.mean, bounds, interval.n, f"{interval.n} {varies}" if varies else "nothing varies",
                 rule.text, WITHDRAWN if turned == verdict != UNDECIDED else verdict,
                 {"what": what, "figure": other.text(decimals), "verdict": turned, "if_fails": other_way}, list(rule.bounds))


def counted(claims: list[Claim]) -> dict[str, int]:
    """How many claims have which verdict, those by reading among them, in one order everywhere."""
    found = Counter(claim.verdict.split(", ")[0] for claim in claims)
    return {verdict: found[verdict] for verdict in (HOLDS, FAILS, UNDECIDED, CONFOUNDED, WITHDRAWN) if found[verdict]}


def tally(claims: list[Claim]) -> str:
    """`counted` as a part of a sentence: "4 hold (1 of them by reading), 1 fails, 2 are undecided"."""
    verbs = {HOLDS: (HOLDS, "hold"), FAILS: (FAILS, "fail")}
    read = counted([claim for claim in claims if claim.verdict.endswith(BY_READING)])
    return ", ".join(f"{count} {verbs.get(verdict, (f'is {verdict}', f'are {verdict}'))[count > 1]}"
                     + (f" ({read[verdict]} of them by reading)" if verdict in read else "")
                     for verdict, count in counted(claims).items())


def by_reading(statement: str, source: str, found: str, holds: bool = True) -> Claim:
    """A claim that rests on reading: `source` links the lines, `found` says what stands there."""
    verdict = f"{HOLDS if holds else FAILS}, {BY_READING}"
    return Claim(statement, source, found, None, None, "", BY_READING, verdict, None)


def confounded(claim: Claim, cause: str, first: float, second: float, tolerance: float = 1.25) -> Claim:
    """A claim about a difference between two arms that may differ in something else too: `cause`, measured in both. Where
    the two figures differ by more than the factor `tolerance`, nothing is decided about what the statement names."""
    text = f"{claim.rule}; confounded where {cause} differs by more than a factor {tolerance:g} ({first:.3f} and {second:.3f})"
    differs = max(first, second) > tolerance * min(first, second)
    return replace(claim, rule=text, verdict=CONFOUNDED if differs else claim.verdict)


def rests_on(claim: Claim, foundation: Claim) -> Claim:
    """A claim whose measure has to be good for something first: withdrawn unless `foundation`, which says so, holds."""
    text = f"{claim.rule}; withdrawn unless this holds: {foundation.statement}"
    return replace(claim, rule=text, verdict=claim.verdict if foundation.verdict == HOLDS else WITHDRAWN)
