"""Files written whole or not at all."""

import os
import tempfile
from pathlib import Path

from .errors import InputError


def write_atomically(path, write) -> None:
    """Call `write(temporary_path)` beside `path`, then rename: a reader never sees half a file."""
    path = Path(path)
    if path.is_dir():
        raise InputError(path, "is a folder", "name a file in it")
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", suffix=path.suffix)
    except OSError as error:
        raise InputError(path, f"cannot be written ({error.strerror})", "choose a writable folder") from None
    os.close(handle)
    try:
        write(name)
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(name, 0o666 & ~mask)  # mkstemp makes private files; pictures are ordinary ones
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def make_folder(folder, remedy: str = "choose a writable folder") -> None:
    """A folder with its parents, where it is not there yet. InputError, with `remedy`, where it cannot be made."""
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(folder, f"cannot be made ({error.strerror})", remedy) from None


def refuse_overwriting(targets, inputs) -> None:
    """InputError where a file to be written is one of those that are read, also by another name or through a link."""
    known = {_identity(path): path for path in inputs}
    known.pop(None, None)
    for target in targets:
        if _identity(target) in known:
            raise InputError(target, f"would replace the input {known[_identity(target)]}", "choose another name by -o")


def _identity(path) -> tuple[int, int] | None:
    """What a path leads to, whatever it is called; None where there is nothing."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def write_text(path, text: str) -> None:
    """Write a text file, whole or not at all."""
    write_atomically(path, lambda name: Path(name).write_text(text, encoding="utf-8"))
