"""What several tests need, wherever they lie."""

import base64
import importlib.util
import io
import itertools
import os
import resource
import subprocess
import sys
from contextlib import contextmanager, redirect_stderr
from pathlib import Path

import nbformat
import pytest
import torch
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"
needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="needs the training and evaluation material beside the checkout")


def bad_files(folder) -> list[str]:
    """Names of pictures in `folder` that cannot be used, each in its own way."""
    (folder / "empty.jpg").touch()
    (folder / "text.jpg").write_text("this is no picture")
    Image.effect_noise((200, 200), 90).save(folder / "whole.jpg")
    data = (folder / "whole.jpg").read_bytes()
    (folder / "cut.jpg").write_bytes(data[:len(data) // 3])
    Image.new("RGB", (1, 1)).save(folder / "dot.png")
    Image.new("RGB", (40000, 1)).save(folder / "line.png")
    return ["missing.jpg", "empty.jpg", "text.jpg", "cut.jpg", "dot.png", "line.png"]


def benchmark(name: str):
    """A script of `benchmarks/` as a module."""
    spec = importlib.util.spec_from_file_location(f"benchmark_{name}", ROOT / "benchmarks" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def opened(page, file: Path, viewport: dict, ready: str, patience: int):
    """A browser's page with a file in it, in a viewport of a width and height in pixels, once what matches `ready` is there;
    milliseconds of `patience` for this and all that follows."""
    page.set_viewport_size(viewport)
    page.set_default_timeout(patience)
    page.goto(file.as_uri())
    page.wait_for_selector(ready)
    return page


@contextmanager
def full_disk(size: int = 300):
    """Files end after `size` bytes, as they do on a disk that fills (but for the one that pytest keeps stderr in)."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        with redirect_stderr(io.StringIO()):
            yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def picture_output(data: bytes = b"jpeg", alt: str = "Tiles in rows."):
    """A picture as a notebook keeps it."""
    return nbformat.v4.new_output("display_data", {"image/jpeg": base64.b64encode(data).decode()},
                                  metadata={"image/jpeg": {"alt": alt}})


def markdown_output(text: str):
    """A text as a notebook keeps it."""
    return nbformat.v4.new_output("display_data", {"text/markdown": text})


class Recipe(torch.nn.Module):
    """One weight; the loss is NaN at step `bad`."""

    def __init__(self, bad=None):
        super().__init__()
        self.weight, self.bad, self.steps = torch.nn.Parameter(torch.ones(1)), bad, 0

    def batch(self, rng, schedule):
        return {"images": torch.tensor(rng.random()), "files": ["first.jpg", "second.jpg"]}

    def forward(self, batch):
        self.steps += 1
        loss = (self.weight * batch["images"]).sum()
        return {"loss": loss * float("nan") if self.steps - 1 == self.bad else loss}

    def parameter_groups(self, lr):
        return [{"params": [self.weight], "lr": lr}]

    def validate(self):
        return {}

    def trained_state(self):
        return self.state_dict()

    def load_trained_state(self, state):
        self.load_state_dict(state)


def study_material(folder):
    """Three photographs in two styles by three methods, as `stvae study make` wants them; returns the folder."""
    contents, styles = ("bay", "cat", "oak"), ("glass", "wood")
    names = {"content": contents, "style": styles}
    results = [f"{content}--{style}" for content, style in itertools.product(contents, styles)]
    for number, kind in enumerate(("content", "style", "adain", "vgg19-slim", "wct")):
        (folder / kind).mkdir(parents=True)
        for name in names.get(kind, results):
            picture = Image.effect_noise((96, 64), 20 + 30 * number)
            picture.convert("RGB").save(folder / kind / f"{name}.png")
    return folder


def study_server(page, votes, token: str, *options, **environment) -> tuple[subprocess.Popen, list[str]]:
    """`stvae study serve` in a process of its own, and what it says once it takes votes."""
    command = [sys.executable, "-m", "stvae_lib", "study", "serve", str(page), "-o", str(votes), "--token", token, *options]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env=os.environ | environment)
    lines = [process.stdout.readline()]
    while lines[-1] and not lines[-1].startswith("Votes go to"):
        lines.append(process.stdout.readline())
    return process, lines
