"""Maps of a large picture, box by box: where a box lies in them, and such as are kept between passes over the picture, in memory
or on disk."""

import tempfile
from dataclasses import dataclass
from itertools import pairwise, product
from pathlib import Path

import numpy as np
import torch

from ..files import UNFINISHED, refusal


@dataclass(frozen=True)
class Box:
    """Places of a feature map: rows from `top` to `bottom`, columns from `left` to `right`, the ends excluded."""

    top: int
    bottom: int
    left: int
    right: int

    def grown(self, by: int, shape: tuple[int, int]) -> "Box":
        """With a border of `by` places, as far as a map of `shape` (height, width) goes."""
        return Box(max(0, self.top - by), min(shape[0], self.bottom + by),
                   max(0, self.left - by), min(shape[1], self.right + by))

    def scale_of(self, maps: torch.Tensor) -> int:
        """Rows a place, of `maps (N, C, H, W)` that show this box."""
        return maps.shape[2] // (self.bottom - self.top)

    def cut(self, maps: torch.Tensor, scale: int = 1, within: "Box | None" = None) -> torch.Tensor:
        """The part of `maps (N, C, H, W)`, of `scale` rows and columns a place, that shows this box; `within`: the box that
        they show, from the first place on where it is None. A picture may end before the last place does."""
        top, left = (within.top, within.left) if within else (0, 0)
        return maps[..., scale * (self.top - top):scale * (self.bottom - top),
                    scale * (self.left - left):scale * (self.right - left)]


def split(shape: tuple[int, int], side: int) -> list[Box]:
    """A map of `shape` (height, width) in boxes of nearly the same size, at most `side` places each way."""
    edges = []
    for count in shape:
        parts = -(-count // side)
        edges.append(list(pairwise(count * index // parts for index in range(parts + 1))))
    return [Box(*rows, *columns) for rows, columns in product(*edges)]


class MapsInMemory:
    """Maps of a whole picture of `shape` (height, width) places, of one scale, as `dtype`."""

    def __init__(self, dtype: torch.dtype, shape: tuple[int, int]):
        self.dtype, self.shape, self.values = dtype, shape, None

    def put(self, box: Box, inside: torch.Tensor) -> None:
        """Keep `inside (N, C, h, w)`, what they hold of a box."""
        scale = box.scale_of(inside)
        if self.values is None:
            self.values = torch.empty(*inside.shape[:2], *(scale * side for side in self.shape), dtype=self.dtype,
                                      device=inside.device, memory_format=torch.channels_last)
        box.cut(self.values, scale).copy_(inside)

    def at(self, box: Box) -> torch.Tensor:
        """What they hold of a box, `(N, C, h, w)`, float32."""
        return box.cut(self.values, self.values.shape[2] // self.shape[0]).float()


class MapsOnDisk:
    """The same in a file of `folder` that has no name and is gone with its process, however that ends. InputError where the
    file system refuses."""

    def __init__(self, dtype: torch.dtype, shape: tuple[int, int], folder: Path):
        self.dtype, self.shape, self.folder, self.file = dtype, shape, folder, None

    def put(self, box: Box, inside: torch.Tensor) -> None:
        """As `MapsInMemory`'s."""
        rows = inside.to(self.dtype).movedim(1, -1).contiguous().cpu().numpy()
        try:
            if self.file is None:
                self.file = tempfile.TemporaryFile(dir=self.folder, prefix=UNFINISHED)  # noqa: SIM115 (read as long as it lives)
                self.count, self.channels, self.scale = *inside.shape[:2], box.scale_of(inside)
                self.device, self.type = inside.device, rows.dtype
            for row, offset in zip(rows.reshape(-1, *rows.shape[2:]), self._offsets(box)):
                self.file.seek(offset)
                self.file.write(row)
        except OSError as error:
            raise refusal(self.folder, error, "make room there, or allow more memory") from None

    def at(self, box: Box) -> torch.Tensor:
        """As `MapsInMemory`'s."""
        height, width = self.scale * (box.bottom - box.top), self.scale * (box.right - box.left)
        rows = np.empty((self.count, height, width, self.channels), self.type)
        for row, offset in zip(rows.reshape(-1, *rows.shape[2:]), self._offsets(box)):
            self.file.seek(offset)
            self.file.readinto(row)
        return torch.from_numpy(rows).movedim(-1, 1).to(self.device).float()

    def _offsets(self, box: Box):
        """Where in the file each row of a box begins, picture by picture."""
        rows, columns = (self.scale * side for side in self.shape)
        cell = self.channels * self.type.itemsize
        for picture in range(self.count):
            for row in range(self.scale * box.top, self.scale * box.bottom):
                yield ((picture * rows + row) * columns + self.scale * box.left) * cell
