"""A clip in a style, from file to file: in segments, so that a kill costs one of them, and at constant memory."""

import itertools
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from tqdm.auto import tqdm

from ..errors import InputError
from ..files import alone_in, make_folder
from .clips import Frame
from .output import SEGMENT, check_target, is_film, join, picture_name, write_pictures, write_segment
from .parts import Parts, folder_of
from .styler import Styler

FRAMES = 240  # of a segment: what a kill costs at most


@dataclass(frozen=True)
class Outcome:
    """frames: of the result. resumed: of those, the ones that an earlier call had done. lost: what could not be decoded."""

    frames: int
    resumed: int
    lost: int


def stylize_clip(clip, styler: Styler, out, segment: int = FRAMES) -> Outcome:
    """Stylise a clip (`clips.open_clip`) into a film, or into a folder of PNG files where `out` has no suffix.

    A call that was killed is gone on with by the same call: what was done lies in `OUT.parts`, which goes when all is done.
    segment: frames between two such points. One frame at a time is in work, whatever the length. Raises InputError where
    nothing can be read or written, or another process works on the same result; a film is then not there, not half there.
    """
    out = Path(out)
    check_target(out)
    folder = folder_of(out)
    try:
        with alone_in(folder):
            return _gone_on_with(clip, styler, out, folder, segment)
    finally:
        with suppress(OSError):  # as long as something is in it, or another process works there, it stays
            folder.rmdir()


def _gone_on_with(clip, styler: Styler, out: Path, folder: Path, segment: int) -> Outcome:
    parts = Parts(folder, {"clip": clip.identity(), "size": clip.size, "rate": clip.rate, "out": out.name, "segment": segment,
                           "styler": styler.identity()})
    try:
        outcome = _stylize(clip, styler, out, parts, segment)
    except BaseException:
        if not parts.done():
            parts.remove()
        raise
    parts.remove()
    return outcome


def _stylize(clip, styler: Styler, out: Path, parts: Parts, segment: int) -> Outcome:
    frames, number, state = clip.frames(), parts.done(), parts.state()
    resumed = int(state["frames"]) if state else 0
    if state:
        for frame in itertools.islice(frames, resumed):
            made = out / picture_name(frame)
            if not is_film(out) and not made.is_file():
                raise InputError(made, "was made before and is gone", f"delete {parts.folder} to begin anew")
        styler.restore(state)
    done, first = resumed, next(frames, None)
    with tqdm(total=clip.count, initial=resumed, unit="frame") as bar:
        while first is not None:
            work = _Work(itertools.chain([first], itertools.islice(frames, segment - 1)), styler, bar)
            parts.begin()
            if is_film(out):
                write_segment(parts.segment(number, SEGMENT), work, clip, out.suffix)
            else:
                make_folder(out)
                write_pictures(out, work)
            done += work.count
            parts.close(number, styler.state(work.last) | {"frames": torch.tensor(done)})
            number, first = number + 1, next(frames, None)
    if is_film(out):
        join([parts.segment(index, SEGMENT) for index in range(number)], clip, out)
    return Outcome(done, resumed, clip.lost)


class _Work:
    """Frames, stylised as they are asked for."""

    def __init__(self, frames: Iterable[Frame], styler: Styler, bar):
        self.frames, self.styler, self.bar, self.count, self.last = frames, styler, bar, 0, None

    def __iter__(self) -> Iterator[Frame]:
        for frame in self.frames:
            picture = np.rint(self.styler(frame) * 255).astype(np.uint8)
            self.count, self.last = self.count + 1, frame
            self.bar.update()
            yield replace(frame, picture=picture)
