"""Whatever comes in, it is taken or refused: exit 0, or exit 2 with one line and no file. Examples are few, and always the
same ones; HYPOTHESIS_EXAMPLES asks for more."""

import io
import json
import os
from contextlib import redirect_stderr, redirect_stdout
from functools import cache

import pytest
import torch
from common import ROOT
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from stvae_lib import InputError, weights
from stvae_lib.cli import main
from stvae_lib.model import mixing
from stvae_lib.model.storage import read_tensors, write_tensors
from stvae_lib.model.stvae import STVAE, AutoEncoder
from stvae_lib.training import config

STYLE = str(ROOT / "data" / "styles" / "stained_glass_0.png")
RECORDED = ROOT / "data" / "runs" / "vgg19-slim" / "config.json"
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
JSON = st.recursive(SCALARS, lambda values: st.lists(values, max_size=3)
                    | st.dictionaries(st.text(max_size=8), values, max_size=3), max_leaves=6)
WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12).filter(lambda word: word != "-")
VALUES = WORDS | st.integers().map(str) | st.floats().map(str)
few = settings(max_examples=int(os.environ.get("HYPOTHESIS_EXAMPLES", 15)), deadline=None, derandomize=True, database=None,
               suppress_health_check=list(HealthCheck))


def taken_or_refused(call, *arguments):
    """What a call gives, or None where it refuses in one line."""
    try:
        return call(*arguments)
    except InputError as error:
        assert len(str(error).splitlines()) == 1
        return None


@few
@given(st.data())
def test_config_with_an_entry_of_any_kind(tmp_path_factory, data):
    raw = json.loads(RECORDED.read_text())
    entries = [(raw, key) for key in raw] + [(raw[part], key) for part in ("schedule", "options") for key in raw[part]]
    entry, key = data.draw(st.sampled_from(entries))
    entry[data.draw(st.sampled_from([key, key, "other"]))] = data.draw(JSON)
    path = tmp_path_factory.getbasetemp() / "any.json"
    path.write_text(json.dumps(raw))
    found = taken_or_refused(config.read_config, path)
    assert found is None or json.loads(json.dumps(found.to_json()))["recipe"] == found.recipe


@few
@given(st.binary(max_size=60) | JSON.map(json.dumps).map(str.encode))
def test_config_of_any_content(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "any.json"
    path.write_bytes(content)
    assert taken_or_refused(config.read_config, path) is None


@cache
def small_model():
    return weights.load("vgg19-slim-paper", "cpu")


def mutated(data, whole: bytes) -> bytes:
    """A file with a few bytes changed, most of them in its header, or with a part cut out."""
    header = 8 + int.from_bytes(whole[:8], "little")
    places = st.integers(0, header - 1) | st.integers(0, len(whole) - 1)
    changed = bytearray(whole)
    for place in data.draw(st.lists(places, min_size=1, max_size=4)):
        changed[place] = data.draw(st.integers(0, 255))
    begin = data.draw(places)
    end = data.draw(st.sampled_from([begin, begin, begin + 1, begin + 1000, len(whole)]))
    return bytes(changed[:begin] + changed[end:])


@few
@given(st.data())
def test_mutated_weights(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "mutated.safetensors"
    path.write_bytes(mutated(data, (weights.FOLDER / "vgg19-slim-paper.safetensors").read_bytes()))
    model = taken_or_refused(weights.load, path, "cpu")
    assert model is None or all(value.isfinite().all() for value in model.state_dict().values())


@cache
def small_file():
    return read_tensors(weights.FOLDER / "vgg19-slim-paper.safetensors")


@few
@given(st.data())
def test_weights_with_metadata_of_any_kind(tmp_path_factory, data):
    tensors, architecture = small_file()
    path = tmp_path_factory.getbasetemp() / "described.safetensors"
    names = ["backbone", "width", "variant", "options", "backbone_options", "base", "decoder_parameters", "photo_share"]
    key = data.draw(st.sampled_from(names))
    nested = st.dictionaries(st.sampled_from(["last", "skip", "components", "latent", "matrix_size"]), JSON, max_size=2)
    write_tensors(tensors, path, architecture | {key: data.draw(JSON | nested | st.text())}, {})
    model = taken_or_refused(weights.load, path, "cpu")
    assert model is None or isinstance(model, AutoEncoder)


@few
@given(st.data())
def test_mutated_style_codes(tmp_path_factory, data):
    path, model = tmp_path_factory.getbasetemp() / "mutated-code.safetensors", small_model()
    mixing.save_code(model.encode_style(torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))), path, model)
    path.write_bytes(mutated(data, path.read_bytes()))
    code = taken_or_refused(mixing.load_code, path, model)
    assert code is None or code.mu.shape == (1, model.vlt.latent) and code.mu.isfinite().all()


OPTIONS = st.lists(st.tuples(st.sampled_from(["--strength", "--mix", "--size", "--seed", "--oversample", "--device", "--model",
                                              "--max-memory", "--workers"]), VALUES)
                   | st.tuples(st.sampled_from(["--sample", "--json", "--preserve-colour", "--force", "--resume",
                                                "--allow-huge"]))
                   | st.tuples(WORDS), max_size=3).map(lambda parts: [word for part in parts for word in part])


@pytest.fixture
def quick(monkeypatch):
    """Models are read once."""
    load = weights.load_stvae

    def read_once(name, device):
        return small_model() if name == "vgg19-slim" and device == "cpu" else load(name, device)

    monkeypatch.setattr(weights, "load_stvae", read_once)


@few
@given(command=st.sampled_from([["stylize", "PHOTO", STYLE], ["encode", STYLE], ["sheet", "PHOTO", "--styles", "FOLDER"]]),
       out=st.sampled_from(["o.png", "o.safetensors"]) | WORDS.filter(lambda name: "/" not in name), extra=OPTIONS)
def test_command_lines_of_any_kind(tmp_path_factory, quick, command, out, extra):
    folder = tmp_path_factory.mktemp("any")
    Image.effect_mandelbrot((24, 20), (-2, -1, 1, 1), 20).convert("RGB").save(folder / "photo.png")
    (folder / "styles").mkdir()
    Image.effect_mandelbrot((24, 20), (-2, -1, 1, 1), 20).convert("RGB").save(folder / "styles" / "style.png")
    names = {"PHOTO": str(folder / "photo.png"), "FOLDER": str(folder / "styles")}
    arguments = [names.get(part, part) for part in command] + ["-o", str(folder / "out" / out), "--device", "cpu", *extra]
    (folder / "out").mkdir()
    said, told = io.StringIO(), io.StringIO()
    assert isinstance(small_model(), STVAE)
    with redirect_stderr(said), redirect_stdout(told):
        try:
            status = main(arguments)
        except SystemExit as end:
            status = end.code
    written = list((folder / "out").iterdir())
    if "-h" in extra or "--help" in extra:
        assert status == 0
    elif status == 0:
        assert len(written) == 1 and written[0].stat().st_size > 0
    else:
        lines = said.getvalue().splitlines()
        assert status == 2 and len(lines) == 1 and lines[0].startswith("stvae") and not written, (arguments, status, lines)
