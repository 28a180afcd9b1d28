"""What a study found, as text for a terminal."""

from ...evaluation.preference import agreement, bradley_terry, tallies
from .votes import votes_of


def summary(merged: dict) -> str:
    """Raters kept and dropped, a row per method, agreement between raters. Simulated raters are named first of all."""
    raters, votes = merged["raters"], votes_of(merged)
    lines = ["SIMULATED RATERS: nobody voted here."] if merged["simulated"] else []
    lines.append(f"{raters['given']} raters, {raters['kept']} kept, {len(votes)} votes")
    lines += [f"  dropped as {name}: {entry['raters']} ({entry['rule']})" for name, entry in raters["dropped"].items()]
    if not votes:
        return "\n".join([*lines, "No votes are left to compare."])
    strengths, counts = bradley_terry(votes), tallies(votes)
    wide = max(len(name) for name in strengths.methods)
    lines.append(f"{'method':<{wide}}  votes   won  tied  lost  strength, log odds [95 %]")
    for name in strengths.ranking():
        count = counts[name]
        lines.append(f"{name:<{wide}}  {count['votes']:5}{count['won']:6}{count['tied']:6}{count['lost']:6}"
                     f"  {strengths.interval(name).text()}")
    lines.append(f"Of two equal results {strengths.ties:.0%} of the votes would say \"cannot tell\"")
    alpha = agreement(votes)
    lines.append("Krippendorff's alpha: " + ("no two raters judged the same pair" if alpha is None else alpha.text()))
    return "\n".join(lines)
