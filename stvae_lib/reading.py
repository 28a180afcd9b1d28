"""Photographs and styles from files and from standard input, within limits of size."""

import io
import math
import sys
import warnings
from pathlib import Path

import torch

from .errors import InputError
from .model import tiles
from .pictures.images import DECODED, load_image, load_pixels, moving_format, size_in_file

STREAM = Path("-")  # standard input in place of a picture's file, standard output in place of a result's
LONGEST_STREAM = 512 * 10**6  # bytes: more than any picture's file, less than the memory
HUGE = 100_000_000  # pixels of a photograph that nobody draws at full size by mistake, and that no style needs


def photograph(source: Path, arguments, size: int | None, data: bytes | None) -> torch.Tensor:
    """A photograph, 8-bit `(1, 3, H, W)`. InputError before it is decoded where it is huge, and neither --size nor
    --allow-huge is given or --max-memory does not hold it."""
    file, name = named(source, data)
    width, height = size_in_file(file, name)
    if width * height > HUGE and not (arguments.size or arguments.allow_huge):
        raise InputError(name or source, f"has {width}x{height} pixels, more than {HUGE // 10**6} megapixels",
                         "give a --size, or --allow-huge")
    needed = tiles.PROCESS + DECODED * width * height
    if width * height > HUGE and needed > arguments.max_memory:
        raise InputError(name or source, f"has {width}x{height} pixels, which take {needed / 1e9:.1f} GB to read",
                         "allow them by --max-memory, or scale it down first")
    return load_pixels(file, size, name, math.inf)


def named(source: Path, data: bytes | None) -> tuple[Path | io.BytesIO, str | None]:
    """A photograph's file, or `data` in its place, and what to call that in messages."""
    return (source, None) if data is None else (io.BytesIO(data), "standard input")


def warn_of_frames(source: Path, data: bytes | None, style: bool = False) -> None:
    """Say of an animated photograph that it will not move, and of an animated style that its first frame is all of it."""
    file, name = named(source, data)
    if moving := moving_format(file, name):
        told = ", all of them by `stvae video`" if moving == "GIF" else ""  # FFmpeg reads no other
        use = "is the style" if style else f"is drawn{told}"
        warnings.warn(f"{name or source}: is animated, and its first frame alone {use}", stacklevel=1)


def opened(file: Path, size: int | None) -> torch.Tensor:
    """A style's picture `(1, 3, H, W)` from its file, or from standard input."""
    data = None if file != STREAM else read_stream()
    source, name = named(file, data)
    image = load_image(source, size, name, HUGE)
    warn_of_frames(file, data, style=True)  # last: where there is an error to tell of, that is the one line
    return image


def read_stream() -> bytes:
    """A picture's file from standard input. InputError where that is closed, or has no end in sight."""
    if sys.stdin is None:
        raise InputError("standard input", "is closed", "name a file in place of -")
    data = sys.stdin.buffer.read(LONGEST_STREAM + 1)
    if len(data) > LONGEST_STREAM:
        raise InputError("standard input", f"is longer than {LONGEST_STREAM // 10**6} MB", "name a file in place of -")
    return data
