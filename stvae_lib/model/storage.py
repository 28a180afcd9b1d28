"""Tensors in safetensors files that say what they hold, with a card beside each."""

import json
from pathlib import Path

import torch
from pydantic import ConfigDict, Field, ValidationError
from pydantic.dataclasses import dataclass
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save

from ..checks import complaint
from ..errors import InputError
from ..files import check_readable, write_bytes, write_text
from ..provenance import digest, sha256, tensors_digest

BOUNDS = (".low", ".high")  # of a modulation that nobody measured: infinite, and meant so
CHECKSUM = "checksum"  # entry of what a file says of itself


@dataclass(config=ConfigDict(strict=True, extra="ignore"))
class Architecture:
    """What a weights file may say of itself. Other keys are let through: they were of use to an earlier version."""

    backbone: str | None = None
    width: str | None = None
    variant: str | None = None
    options: dict | None = None
    backbone_options: dict | None = None
    encoder_weights: str | None = None
    decoder_parameters: int | None = None
    base: str | None = None
    features: str | None = None
    photo_share: float | None = Field(None, ge=0, lt=1)


def read_tensors(path) -> tuple[dict[str, torch.Tensor], dict]:
    """Float32 tensors and the architecture of a `.safetensors` file; InputError where it is broken or foreign, holds numbers
    that are not finite, or is not the one that the card beside it tells of."""
    check_readable(path)
    check_card(path)
    tensors, architecture = read_described(path, "stvae", "does not say what model it holds",
                                           "use a file that this project wrote")
    try:
        Architecture(**architecture)
    except ValidationError as error:
        raise InputError(path, "describes its model in a way that makes no sense ({}: {})".format(*complaint(error)),
                         "get the file again") from None
    return {key: value.float() if value.is_floating_point() else value for key, value in tensors.items()}, architecture


def check_card(path) -> None:
    """InputError where a file was damaged, or exchanged, since the card beside it was written: no number in it would tell. So
    also where something else is there in place of a card."""
    card = Path(path).with_suffix(".json")
    if not card.exists():
        return
    check_readable(card)
    try:
        known = json.loads(card.read_text(encoding="utf-8"))["sha256"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise InputError(card, f"is no card of {Path(path).name}", "get both again, or move it away") from None
    if known != sha256(path):
        raise InputError(path, f"is not the file that its card {card.name} tells of", "get both again, or delete the card")


def read_described(path, key: str, foreign: str, remedy: str) -> tuple[dict[str, torch.Tensor], dict]:
    """Tensors of a `.safetensors` file and the JSON object under `key` of its metadata. InputError where the file is broken,
    and, in the words `foreign` and `remedy`, where it has no such metadata."""
    tensors, described = _read(path)
    if key not in described:
        raise InputError(path, foreign, remedy)
    return tensors, described[key]


def load_tensors(path) -> dict[str, torch.Tensor]:
    """Tensors of any `.safetensors` file. InputError where it is broken, was damaged since this project wrote it, or holds
    numbers that are not finite."""
    return _read(path)[0]


def _read(path) -> tuple[dict[str, torch.Tensor], dict[str, dict]]:
    """Tensors of a file and the JSON objects in its metadata, by their keys and without checksum."""
    check_readable(path)
    try:
        tensors = load_file(path)
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
    except (SafetensorError, OSError, ValueError) as error:
        raise InputError(path, f"is no whole safetensors file ({error})", "get a whole copy") from None
    described = {key: found for key, text in metadata.items() if isinstance(found := _parsed(text), dict)}
    for found in described.values():
        known = found.pop(CHECKSUM, None)  # an earlier version wrote none
        if known is not None and known != checksum(tensors, found):
            raise InputError(path, "is damaged (its checksum differs)", "get a whole copy")
    check_finite(tensors, path)
    return tensors, described


def _parsed(text: str):
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def checksum(tensors: dict[str, torch.Tensor], described: dict) -> str:
    """Checksum over all that a file holds: its description, and names, types, shapes and values of its tensors."""
    layout = {name: [str(value.dtype), list(value.shape)] for name, value in tensors.items()}
    return digest(f"{json.dumps([described, layout], sort_keys=True)} {tensors_digest(tensors)}".encode())


def described_file(tensors: dict[str, torch.Tensor], key: str, described: dict) -> bytes:
    """A `.safetensors` file with JSON under `key` of its metadata, in it a checksum by which damage is found on reading. It is
    no entry of its own: safetensors writes several in any order, and equal files would differ."""
    return save(tensors, metadata={key: json.dumps(described | {CHECKSUM: checksum(tensors, described)})})


def check_finite(tensors: dict[str, torch.Tensor], path) -> None:
    """InputError where tensors of a file hold what is no number: all that they touch would turn black."""
    for key, value in tensors.items():
        if not is_finite(key, value):
            raise InputError(path, f"holds numbers that are not finite, in {key!r}", "get the file again, or train it again")


def is_finite(name: str, value: torch.Tensor) -> bool:
    """Whether a tensor holds nothing but numbers; the bounds of a modulation that nobody measured are infinite."""
    if not value.is_floating_point():
        return True
    return not value.isnan().any() if name.endswith(BOUNDS) else bool(value.float().isfinite().all())


def half(tensors: dict) -> dict:
    """Floating-point tensors as float16, others as they are."""
    return {key: value.half().contiguous() if value.is_floating_point() else value.contiguous()
            for key, value in tensors.items()}


def write_tensors(tensors: dict, path, architecture: dict, card: dict) -> dict:
    """Save tensors with their architecture and a card; both files whole or not at all."""
    path = Path(path)
    write_bytes(path, described_file(tensors, "stvae", architecture))
    card = {"name": path.stem, "file": path.name, "sha256": sha256(path), "bytes": path.stat().st_size,
            "parameters": sum(value.numel() for value in tensors.values()), "architecture": architecture} | card
    text = json.dumps(card, indent=1, ensure_ascii=False) + "\n"
    write_text(path.with_suffix(".json"), text)
    return card


def read_checkpoint(path: Path, expected: str) -> dict:
    """A local `.pth` state dict, loaded without running pickled code. InputError, with what was `expected` where there
    is no such file."""
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise InputError(path, "no such file", expected) from None
    except Exception as error:  # torch.load raises many kinds; each means the same to a user
        raise InputError(path, f"is no checkpoint that loads safely ({type(error).__name__})", "get the file again") from None
    if not isinstance(state, dict):
        raise InputError(path, "holds no state dict", expected)
    return state
