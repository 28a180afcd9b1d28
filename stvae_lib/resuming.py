"""The record in a folder of results: with which settings they are made, and which photograph each is of."""

import json
import math
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

from .errors import InputError
from .files import check_readable, write_text
from .pictures.images import open_picture

RECORD = ".stylize.json"


@dataclass(frozen=True)
class Drawn:
    """result: the file's name without suffix. size, mtime_ns: of the photograph's file, by which another one under the same
    name is known."""

    result: str
    size: int
    mtime_ns: int

    @classmethod
    def of(cls, photo: Path, result: Path) -> "Drawn":
        found = photo.stat()
        return cls(result.stem, found.st_size, found.st_mtime_ns)


@dataclass
class Record:
    """settings: what decides the results besides the photographs; None where nothing was begun. photos: what was drawn, by
    the photographs' names. since: when that was begun, in nanoseconds; results that are older are of something else."""

    settings: dict | None = None
    photos: dict[str, Drawn] = field(default_factory=dict)
    since: int | None = None

    @classmethod
    def read(cls, folder: Path) -> "Record":
        """That of a folder, an empty one where there is none. InputError where it is damaged."""
        file = folder / RECORD
        if not file.exists():
            return cls()
        check_readable(file)
        try:
            known = json.loads(file.read_text(encoding="utf-8"))
            photos = {name: Drawn(**entry) for name, entry in known["photos"].items()}
            record = cls(dict(known["settings"]), photos, file.stat().st_mtime_ns)
            names = list(record.names().values())
            sound = len({*names}) == len(names) and all(Path(name).name == name for name in names)
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            sound = False
        if not sound:  # also where a name leads out of the folder
            raise InputError(file, "is damaged", "delete it to begin anew")
        return record

    def names(self) -> dict[str, str]:
        """Names without suffix that results have, by the photographs' names."""
        return {name: drawn.result for name, drawn in self.photos.items()}

    def begin(self, folder: Path, targets: dict[Path, Path], settings: dict) -> set[Path]:
        """Write down what is to be drawn in `folder`, result by photograph; returns photographs whose results are there: whole,
        and of the very file. InputError where the record tells of other settings."""
        before = settings if self.settings is None else self.settings
        differing = [name for name in settings if before.get(name) != settings[name]]
        if differing:
            raise InputError(folder, f"was begun with other settings ({', '.join(differing)})",
                             "give the same, leave --resume out, or choose another folder by -o")
        wanted = {photo: Drawn.of(photo, target) for photo, target in targets.items()}
        there = {photo for photo, target in targets.items() if self.photos.get(photo.name) == wanted[photo]
                 and target.exists() and target.stat().st_mtime_ns >= self.since and is_whole(target)}
        for photo in targets.keys() - there:
            if photo.name in self.photos:  # or, where this ends too early, it would be taken for that of the new photograph
                targets[photo].unlink(missing_ok=True)
        self.settings, self.photos = settings, self.photos | {photo.name: drawn for photo, drawn in wanted.items()}
        self._write(folder / RECORD)
        return there

    def _write(self, file: Path) -> None:
        photos = {name: asdict(drawn) for name, drawn in self.photos.items()}
        write_text(file, json.dumps({"settings": self.settings, "photos": photos}, indent=1) + "\n")
        if self.since is not None:
            os.utime(file, ns=(self.since, self.since))


def is_whole(file: Path) -> bool:
    """Whether a picture can be decoded to its end."""
    try:
        open_picture(file, most=math.inf)
    except InputError:
        return False
    return True
