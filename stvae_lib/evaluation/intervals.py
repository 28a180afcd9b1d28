"""What several runs of one arm say together."""

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
