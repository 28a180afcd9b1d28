"""What a figure or a weight came from: device, versions, commit, checksums."""

import hashlib
import inspect
import platform
import subprocess
from pathlib import Path

import torch


def environment(device) -> dict:
    """Device, versions and git commit, for cards and results."""
    device = torch.device(device)
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else f"{torch.get_num_threads()} CPU threads"
    return {"device": f"{device.type}: {name}", "git": git_commit(),
            "versions": {"python": platform.python_version(), "torch": torch.__version__}}


def git_commit() -> str:
    """Commit of the checkout, "+" added where files differ from it; "unknown" outside one."""
    root = Path(__file__).resolve().parent.parent
    try:
        commit = subprocess.run(["git", "rev-parse", "--short=12", "HEAD"], cwd=root, capture_output=True, text=True,
                                check=True).stdout.strip()
        changed = subprocess.run(["git", "status", "--porcelain", "-uno"], cwd=root, capture_output=True, text=True,
                                 check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return commit + ("+" if changed else "")


def lines_of(code) -> str:
    """Where a function or class of this project stands: `stvae_lib/file.py#L10-L20`."""
    root = Path(__file__).resolve().parent.parent
    lines, first = inspect.getsourcelines(code)
    file = Path(inspect.getsourcefile(code)).resolve().relative_to(root)
    return f"{file.as_posix()}#L{first}-L{first + len(lines) - 1}"


def digest(data: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def tensor_bytes(value: torch.Tensor) -> bytes:
    """A tensor's values, for a checksum over them."""
    return value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()  # NumPy has no bfloat16


def tensors_digest(tensors: dict[str, torch.Tensor]) -> str:
    """Checksum, 16 digits, over tensors and their names, in whatever order they come."""
    return digest(b"".join(name.encode() + tensor_bytes(value) for name, value in sorted(tensors.items())))[:16]


def sha256(path) -> str:
    """Checksum of a file."""
    return digest(Path(path).read_bytes())


def record(files: list[Path]) -> dict:
    """Which files were used: their number, and a checksum over names and sizes. Where they lay is not told."""
    listing = "".join(f"{file.name} {file.stat().st_size}\n" for file in files)
    return {"pictures": len(files), "sha256": digest(listing.encode())}
