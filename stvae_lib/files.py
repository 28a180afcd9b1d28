"""Files written whole or not at all, and folders for one process at a time."""

import errno
import os
import stat
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from .errors import InputError, NoRoom

UNFINISHED = ".stvae-"  # what the name of a file that is being written begins with
ABANDONED = 3600  # seconds after which such a file belongs to nobody any more
LOCK = ".stvae.lock"
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)  # what is wrong with a disk, not with a file


def write_atomically(path, write) -> None:
    """Call `write(temporary_path)` beside `path`, then rename: a reader never sees half a file. A symbolic link stays one, and
    the file that it leads to is written. InputError where the file system refuses (a full disk, a folder that is not
    writable)."""
    path = Path(path)
    name = _temporary(path)
    try:
        write(name)
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(name, 0o666 & ~mask)  # mkstemp makes private files; pictures are ordinary ones
        os.replace(name, os.path.realpath(path))
    except BaseException as error:
        Path(name).unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno:
            raise refusal(path, error, "make room, or choose another place") from None
        raise


def check_readable(path) -> None:
    """InputError unless `path` is a file that can be read. A named pipe would be waited for, perhaps for ever."""
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        raise InputError(path, "no such file", "check the path") from None
    except OSError as error:
        raise InputError(shortened(path), f"cannot be read ({error.strerror})", "check the path") from None
    if not stat.S_ISREG(mode):
        kind = "is a folder" if stat.S_ISDIR(mode) else "is no regular file"
        raise InputError(path, kind, "name one file")
    if not os.access(path, os.R_OK):
        raise InputError(path, "cannot be read (Permission denied)", "check who may read it")


def check_writable(path) -> None:
    """InputError where `write_atomically` could not begin: to be called before the work whose result goes there."""
    Path(_temporary(Path(path))).unlink()


def _temporary(path: Path) -> str:
    """An empty file of the same suffix beside `path`, or beside the file that it leads to."""
    try:
        with suppress(FileNotFoundError):
            _check_replaceable(path, os.stat(path).st_mode)
        handle, name = tempfile.mkstemp(dir=os.path.dirname(os.path.realpath(path)), prefix=UNFINISHED, suffix=path.suffix)
    except OSError as error:
        raise refusal(shortened(path), error, "choose a writable folder") from None
    os.close(handle)
    return name


def refusal(path, error: OSError, remedy: str) -> InputError:
    """What to raise where a file system refuses to write at `path`."""
    kind = NoRoom if error.errno in FULL else InputError
    return kind(path, f"cannot be written ({error.strerror})", remedy)


def _check_replaceable(path: Path, mode: int) -> None:
    """InputError unless what is at `path` is a file; renaming one onto a device or a pipe would do away with it."""
    if stat.S_ISDIR(mode):
        raise InputError(path, "is a folder", "name a file in it")
    if not stat.S_ISREG(mode):
        raise InputError(path, "is no regular file", "choose another name")


def shortened(path, length: int = 120) -> str:
    """A path for a message, its middle left out where it is long."""
    text = str(path)
    return text if len(text) <= length else f"{text[:length // 2]}…{text[-length // 2:]}"


def write_bytes(path, data: bytes) -> None:
    """Write a file, whole or not at all."""
    write_atomically(path, lambda name: Path(name).write_bytes(data))


def write_text(path, text: str) -> None:
    """Write a text file, whole or not at all."""
    write_bytes(path, text.encode("utf-8"))


def make_folder(folder, remedy: str = "choose a writable folder") -> None:
    """A folder with its parents, where it is not there yet. InputError, with `remedy`, where it cannot be made."""
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(shortened(folder), f"cannot be made ({error.strerror})", remedy) from None


def sweep(folder, age: float = ABANDONED) -> None:
    """Remove what killed processes left half written in a folder, at least `age` seconds ago."""
    for file in Path(folder).glob(f"{UNFINISHED}*"):
        with suppress(OSError):
            if file.name != LOCK and time.time() - file.stat().st_mtime >= age:
                file.unlink()


@contextmanager
def alone_in(folder, age: float = 0):
    """A folder, made where it is not there yet, for this process alone. InputError where another one works in it. Where
    nothing was written into a folder that was made for it, it goes again. age: as of `sweep`, for what others left."""
    folder = Path(folder)
    made = not folder.exists()
    make_folder(folder)
    lock = FileLock(folder / LOCK, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise InputError(folder, "is being worked in by another process", "wait for it, or choose another folder") from None
    except OSError as error:
        raise InputError(folder, f"cannot be written ({error.strerror})", "choose a writable folder") from None
    try:
        sweep(folder, age)
        yield
    finally:
        with suppress(OSError):
            (folder / LOCK).unlink()  # while it is held: whoever comes next makes a lock of his own
        lock.release()
        if made:
            with suppress(OSError):
                folder.rmdir()


def refuse_overwriting(targets, inputs, remedy: str = "choose another name by -o") -> None:
    """InputError, with `remedy`, where a file to be written is one of those that are read, also by another name or through a
    link."""
    known = {_identity(path): path for path in inputs}
    known.pop(None, None)
    for target in targets:
        if _identity(target) in known:
            raise InputError(target, f"would replace the input {known[_identity(target)]}", remedy)


def is_same_file(path, other) -> bool:
    """Whether two paths (the second may be None) lead to one thing that is there."""
    return other is not None and _identity(path) is not None and _identity(path) == _identity(other)


def _identity(path) -> tuple[int, int] | None:
    """What a path leads to, whatever it is called; None where there is nothing."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino
