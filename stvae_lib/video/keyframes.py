"""Styles that move on purpose: key frames of style mixes, and smooth ways between them in the latent space."""

import re
from bisect import bisect_right

from ..errors import InputError
from ..model.codes import StyleCode, mix_codes


class StyleTrack:
    """A style for every moment. keys: (seconds, code) pairs; before the first and after the last key their style stays, and
    a single one stays throughout. InputError on two keys at one time."""

    def __init__(self, keys: list[tuple[float, StyleCode]]):
        self.times, self.codes = zip(*sorted(keys, key=lambda key: key[0]))
        for time, after in zip(self.times, self.times[1:]):
            if time == after:
                raise InputError(f"--at {time:g}", "is given twice", "give one mix of styles per time")

    @property
    def moves(self) -> bool:
        return len(self.codes) > 1

    def at(self, time: float) -> StyleCode:
        """The code at a time in seconds: between two keys their mix, whose share begins and ends at rest (3s² − 2s³)."""
        after = bisect_right(self.times, time)
        if after in (0, len(self.times)):
            return self.codes[max(0, after - 1)]
        begin, end = self.times[after - 1], self.times[after]
        share = (time - begin) / (end - begin)
        share = share * share * (3 - 2 * share)
        return mix_codes([self.codes[after - 1], self.codes[after]], [1 - share, share])


def seconds_of(text: str) -> float:
    """A time as `S`, `M:SS` or `H:MM:SS`, with decimals or without, in seconds. InputError on anything else."""
    if not re.fullmatch(r"(\d+:)?(\d+:)?\d+(\.\d+)?", text):
        raise InputError(f"time {text!r}", "is none", "write seconds, as 12.5, or minutes and seconds, as 1:05")
    total = 0.0
    for part in text.split(":"):
        total = 60 * total + float(part)
    return total
