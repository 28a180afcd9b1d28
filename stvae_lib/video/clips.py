"""Clips to frames: films that FFmpeg reads and folders of pictures, one frame after the other, at constant memory."""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.sidedata.sidedata import Type
from av.stream import Disposition

from ..errors import InputError
from ..files import check_readable
from ..pictures.images import MIN_SIDE, list_images, load_image, output_names, resized, to_array

USUAL_RATE = Fraction(25)


@dataclass(frozen=True)
class Frame:
    """One picture of a clip: uint8 `(H, W, 3)`, upright. number: from 0. pts, duration: in units of the clip's time base.
    time: seconds since the first frame. name: of a file for it, without suffix."""

    picture: np.ndarray
    number: int
    pts: int
    duration: int
    time: float
    name: str


class Film:
    """A film file. size: longer side in pixels, never enlarged; None keeps its own. Raises InputError where there is nothing
    to be seen.

    time_base: seconds per unit of time. start: seconds at which the file begins, taken from all times. rate: frames per
    second, on average. count: of frames, as the file promises, or None. pixel_aspect: width by height of a pixel, as stored
    until frames were read, as shown from then on. lost: packets that could not be decoded, once frames were read.
    """

    def __init__(self, path, size: int | None = None):
        check_readable(path)
        self.path, self.size, self.lost = Path(path), size, 0
        with self.opened() as (container, stream):
            self.time_base = stream.time_base
            self.rate = stream.average_rate or stream.guessed_rate or USUAL_RATE
            seconds = container.duration / av.time_base if container.duration else 0
            self.count = stream.frames or round(seconds * self.rate) or None
            self.start = Fraction(max(0, container.start_time or 0), av.time_base)  # in seconds, of pictures and sound
            self.pixel_aspect = stream.sample_aspect_ratio or Fraction(1)

    @contextmanager
    def opened(self):
        """The container and its first stream of moving pictures; a cover of a piece of music is none."""
        try:
            container = av.open(f"file:{self.path}")  # a colon in a name would else look like a protocol
        except (av.FFmpegError, OSError) as error:
            raise InputError(self.path, f"is no film that FFmpeg can read ({error.strerror})",
                             "it may be cut short: get a whole copy") from None
        with container:
            streams = [stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic]
            if not streams:
                raise InputError(self.path, "holds no moving pictures", "give a film, or a folder of frames")
            if streams[0].codec_context is None:
                raise InputError(self.path, "is of a codec that FFmpeg cannot decode", "convert it to MP4 first")
            yield container, streams[0]

    def frames(self) -> Iterator[Frame]:
        """All frames, each later than the one before. What cannot be decoded is left out and counted in `lost`."""
        self.lost, first, last, number = 0, None, None, 0
        with self.opened() as (container, stream):
            step = max(1, round(1 / (self.rate * self.time_base)))
            shift = round(self.start / self.time_base)
            for decoded in self._decoded(container, stream):
                if first is None:
                    size = _shrunk(decoded.width, decoded.height, self.size)
                    if min(size) < MIN_SIDE:
                        raise InputError(self.path, f"is {size[0]}x{size[1]} pixels at this size",
                                         f"every side must be at least {MIN_SIDE} pixels")
                    stored = stream.sample_aspect_ratio or Fraction(1)
                    self.pixel_aspect = 1 / stored if decoded.rotation % 180 else stored
                pts = decoded.pts - shift if decoded.pts is not None else 0 if last is None else last + step
                last = pts if last is None else max(pts, last + 1)
                first = last if first is None else first
                picture = decoded.to_ndarray(format="rgb24", width=size[0], height=size[1], interpolation="LANCZOS")
                yield Frame(upright(picture, decoded), number, last, decoded.duration or step,
                            float((last - first) * self.time_base), f"{number:06d}")
                number += 1
        if number == 0:
            raise InputError(self.path, "holds no frame that can be decoded", "it may be cut short: get a whole copy")

    def _decoded(self, container, stream) -> Iterator[av.VideoFrame]:
        for packet in readable_packets(container, stream):
            try:
                frames = packet.decode()
            except av.EOFError:
                return
            except av.FFmpegError:
                self.lost += 1
                continue
            yield from frames

    def identity(self) -> list:
        """What tells this clip from another of the same name."""
        stat = self.path.stat()
        return [[self.path.name, stat.st_size, stat.st_mtime_ns]]


class FrameFolder:
    """A folder of pictures as a clip, in the order of their names. size: as for `Film`. rate: frames per second.
    Attributes as for `Film`; pictures that cannot be read are left out and counted in `lost`."""

    pixel_aspect = Fraction(1)

    def __init__(self, path, size: int | None = None, rate: Fraction = USUAL_RATE):
        self.path, self.size, self.rate, self.lost = Path(path), size, rate, 0
        self.time_base, self.files = 1 / rate, list_images(path)
        self.count = len(self.files)

    def frames(self) -> Iterator[Frame]:
        """All pictures that can be read, at the size of the first of them."""
        self.lost, size, names = 0, None, output_names(self.files)
        for number, file in enumerate(self.files):
            try:
                picture = load_image(file, self.size)
            except InputError as error:
                self.lost, problem = self.lost + 1, error
                continue
            size = size or picture.shape[2:]
            yield Frame(to_array(resized(picture, size) if picture.shape[2:] != size else picture),
                        number, number, 1, float(number * self.time_base), names[file])
        if size is None:
            raise problem

    def identity(self) -> list:
        """What tells this folder from another of the same name."""
        return [[file.name, file.stat().st_size, file.stat().st_mtime_ns] for file in self.files]


def open_clip(path, size: int | None = None, rate: float | None = None) -> Film | FrameFolder:
    """A film, or a folder of frames shown at `rate` per second. InputError where it is neither, or a film is given a rate."""
    if rate is not None and not 0.001 <= rate <= 1000:
        raise InputError(f"--rate {rate:g}", "is out of range", "give frames per second, 0.001 to 1000")
    if Path(path).is_dir():
        return FrameFolder(path, size, Fraction(rate).limit_denominator(1001) if rate else USUAL_RATE)
    if rate is not None:
        raise InputError(path, "has a rate of its own", "leave out --rate, which is for folders of frames")
    return Film(path, size)


def readable_packets(container, *streams) -> Iterator[av.Packet]:
    """Packets of an open film as far as it can be read."""
    packets = container.demux(*streams)
    while True:
        try:
            packet = next(packets, None)
        except av.FFmpegError:
            return
        if packet is None:
            return
        yield packet


def upright(picture: np.ndarray, frame: av.VideoFrame) -> np.ndarray:
    """A picture `(H, W, 3)` turned and mirrored by quarter turns, as its frame's display matrix says."""
    for data in frame.side_data:
        if data.type == Type.DISPLAYMATRIX:
            a, b, _, c, d = struct.unpack("5i", bytes(data)[:20])  # a point (x, y) is shown at (a·x + c·y, b·x + d·y)
            if abs(b) > abs(a):
                picture, a, d = picture.transpose(1, 0, 2), c, b
            picture = picture[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1]
    return np.ascontiguousarray(picture)


def _shrunk(width: int, height: int, size: int | None) -> tuple[int, int]:
    scale = min(1, size / max(width, height)) if size else 1
    return max(1, round(scale * width)), max(1, round(scale * height))
