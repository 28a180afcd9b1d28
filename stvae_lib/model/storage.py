"""Tensors in safetensors files that say what they hold, with a card beside each."""

import json
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file

from ..errors import InputError
from ..files import write_atomically, write_text
from ..provenance import sha256


def read_tensors(path) -> tuple[dict[str, torch.Tensor], dict]:
    """Float32 tensors and the architecture of a `.safetensors` file; InputError where it is broken or foreign."""
    tensors, architecture = read_described(path, "stvae", "does not say what model it holds",
                                           "use a file that this project wrote")
    return {key: value.float() if value.is_floating_point() else value for key, value in tensors.items()}, architecture


def read_described(path, key: str, foreign: str, remedy: str) -> tuple[dict[str, torch.Tensor], dict]:
    """Tensors of a `.safetensors` file and the JSON under `key` of its metadata. InputError where the file is broken, and,
    in the words `foreign` and `remedy`, where it has no such metadata."""
    try:
        tensors = load_file(path)
        with safe_open(path, framework="pt") as file:
            return tensors, json.loads((file.metadata() or {})[key])
    except FileNotFoundError:
        raise InputError(path, "no such file", "check the path") from None
    except KeyError:
        raise InputError(path, foreign, remedy) from None
    except (SafetensorError, OSError, ValueError) as error:
        raise InputError(path, f"is no whole safetensors file ({error})", "get a whole copy") from None


def half(tensors: dict) -> dict:
    """Floating-point tensors as float16, others as they are."""
    return {key: value.half().contiguous() if value.is_floating_point() else value.contiguous()
            for key, value in tensors.items()}


def write_tensors(tensors: dict, path, architecture: dict, card: dict) -> dict:
    """Save tensors with their architecture and a card; both files whole or not at all."""
    path = Path(path)
    write_atomically(path, lambda name: save_file(tensors, name, metadata={"stvae": json.dumps(architecture)}))
    card = {"name": path.stem, "file": path.name, "sha256": sha256(path), "bytes": path.stat().st_size,
            "parameters": sum(value.numel() for value in tensors.values()), "architecture": architecture} | card
    text = json.dumps(card, indent=1, ensure_ascii=False) + "\n"
    write_text(path.with_suffix(".json"), text)
    return card


def read_checkpoint(path: Path, expected: str) -> dict:
    """A local `.pth` state dict, loaded without running pickled code. InputError, with what was `expected` where there
    is no such file."""
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise InputError(path, "no such file", expected) from None
    except Exception as error:  # torch.load raises many kinds; each means the same to a user
        raise InputError(path, f"is no checkpoint that loads safely ({type(error).__name__})", "get the file again") from None
