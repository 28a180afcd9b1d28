"""Score the shipped models on twenty held-out pairs of photographs and paintings, beside published methods.

    python benchmarks/yardstick.py EVAL_FOLDER [MODEL …]

EVAL_FOLDER holds pairs.json, inputs/, score.py and reference.json. Writes benchmarks/yardstick.json.
"""

import importlib.util
import json
import sys
import tempfile
from pathlib import Path

import torch

import stvae_lib as st
from stvae_lib.baselines.statistics import adain, wct
from stvae_lib.model.weights import SHIPPED
from stvae_lib.provenance import environment, sha256

HERE = Path(__file__).resolve().parent


def scorer(folder: Path):
    """The yardstick's own score.py as a module."""
    spec = importlib.util.spec_from_file_location("score", folder / "score.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@torch.no_grad()
def measure(folder: Path, method) -> list[float]:
    """Mean of the six columns for `method(content, style) -> image` over the pairs."""
    pairs = json.loads((folder / "pairs.json").read_text())
    with tempfile.TemporaryDirectory() as out:
        for index, names in enumerate(pairs):
            content, style = (st.load_image(folder / "inputs" / name) for name in names)
            st.save_image(method(content, style), Path(out) / f"{index:02d}.png")
        return [round(float(value), 4) for value in scorer(folder).score(out).mean(0)]


def method_of(name: str):
    """How a model is scored: stylised at z = mu, or, for an autoencoder, AdaIN and WCT in it and plain reconstruction."""
    model = st.load(name)
    if hasattr(model, "stylize"):
        return {f"{name}, z = mu": lambda content, style: model.stylize(content, style)}
    return {f"AdaIN in {name}": lambda content, style: adain(content, style, model)[0],
            f"WCT in {name}": lambda content, style: wct(content, style, model)[0],
            f"{name}: content reconstructed": lambda content, style: model.reconstruct(content)}


def main(folder: Path, names: list[str]) -> dict:
    reference = json.loads((folder / "reference.json").read_text())
    rows = {}
    for name in names:
        for label, method in method_of(name).items():
            rows[label] = measure(folder, method)
            print(f"{label:45s}", "  ".join(f"{value:6.3f}" for value in rows[label]), flush=True)
    return {"command": "python benchmarks/yardstick.py EVAL_FOLDER", "columns": reference["columns"], "ours": rows,
            "published": reference["rows"], "provenance": environment("cpu") | {
                "weights": {name: sha256(st.weights.find(name))[:16] for name in names}}}


if __name__ == "__main__":
    results = main(Path(sys.argv[1]), sys.argv[2:] or list(SHIPPED))
    if not sys.argv[2:]:
        (HERE / "yardstick.json").write_text(json.dumps(results, indent=1) + "\n")
