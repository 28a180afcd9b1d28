"""What several runs of one arm say together."""

import numpy as np
from scipy import stats


def mean_interval(values, confidence: float = 0.95) -> tuple[float, float | None]:
    """Mean of repeated measurements and the half-width of its Student t interval; None for a single measurement."""
    values = [float(value) for value in values]
    mean = sum(values) / len(values)
    if len(values) < 2:
        return mean, None
    return mean, float(stats.t.ppf((1 + confidence) / 2, len(values) - 1) * stats.sem(values))


def plus_minus(values, decimals: int = 2) -> str:
    """`mean ± half-width` as text; the mean alone for a single measurement."""
    mean, half = mean_interval(values)
    return f"{mean:.{decimals}f}" + ("" if half is None else f" ± {half:.{decimals}f}")


def two_way_interval(values, first, second, draws: int = 4000, seed: int = 0) -> tuple[float, float, float]:
    """Mean of `values` and its 95 % interval (low, high) where every value belongs to one cluster of either kind (a content
    and a style): both kinds are resampled, and a value counts as often as both of its clusters were drawn (Owen 2007)."""
    values, rng = np.asarray(values, dtype=float), np.random.default_rng(seed)
    weights = np.ones((draws, len(values)))
    for labels in (first, second):
        _, index = np.unique(labels, return_inverse=True)
        count = index.max() + 1
        weights *= rng.multinomial(count, np.full(count, 1 / count), draws)[:, index]
    weights = weights[weights.sum(1) > 0]
    low, high = np.percentile(weights @ values / weights.sum(1), [2.5, 97.5])
    return float(values.mean()), float(low), float(high)
