"""The held-out pairs, scored again with the shipped weights."""

import json
import zlib

import pytest
from common import ROOT, SHARED, benchmark, needs_shared

from stvae_lib.model.weights import FOLDER
from stvae_lib.provenance import sha256

pytestmark = needs_shared


@pytest.fixture(scope="module")
def yardstick():
    return benchmark("yardstick")


@pytest.fixture(scope="module")
def recorded():
    return json.loads((ROOT / "benchmarks" / "yardstick.json").read_text())


def test_recorded_rows_are_of_the_shipped_weights(recorded):
    assert recorded["provenance"]["weights"] == {
        name: sha256(FOLDER / f"{name}.safetensors")[:16] for name in recorded["provenance"]["weights"]}


@pytest.mark.parametrize("name", ["vgg19-slim", "resnet50-slim"])
def test_the_best_models_score_what_is_recorded(name, yardstick, recorded):
    (label, method), = yardstick.methods_of(name).items()
    row = yardstick.twenty_row(SHARED / "eval", method)
    assert row == pytest.approx(recorded["ours"][f"{label}, z = mu"], abs=0.01)
    assert row[3] < recorded["ours"]["AdaIN in vgg19-slim-autoencoder"][3] / 3


@pytest.mark.parametrize("name", ["vgg19-slim", "resnet50-slim"])
def test_the_best_models_hold_their_bounds(name, recorded):
    row = recorded["ours"][f"{name}, z = mu"]
    assert row[3] <= 0.40 and row[5] <= 1.75


def test_rows_of_unchanged_weights_are_kept_and_no_others(yardstick, recorded):
    kept = yardstick.unchanged(recorded)
    assert set(kept) <= set(recorded["provenance"]["weights"]) and "vgg19-slim" in kept
    stale = recorded | {"provenance": {"weights": recorded["provenance"]["weights"] | {"vgg19-slim": "0000"}}}
    assert set(kept) - set(yardstick.unchanged(stale)) == {"vgg19-slim"}
    nothing = {"ours": {}, "sixty": {"ours": {}, "differences": {}, "finishing": {}, "pairs": 60}, "own_judge": {},
               "peers_finished": {},
               "provenance": {"weights": {}}}
    joined = yardstick.with_kept(nothing, recorded, ["vgg19-slim-autoencoder"])
    assert set(joined["sixty"]["ours"]) == {f"{what} in vgg19-slim-autoencoder{size}" for what in ("AdaIN", "WCT")
                                            for size in ("", "@384")}
    assert joined["ours"] and set(joined["own_judge"]) == {"vgg19-slim-autoencoder"}


def test_the_training_material_has_the_held_out_files_that_the_pairs_need():
    from stvae_lib.pictures.datasets import is_held_out

    names = [file.name for folder in ("content", "style") for file in (SHARED / "data" / folder).iterdir()]
    held_out = [name for name in names if is_held_out(name)]
    assert len(held_out) > 200 and all(zlib.crc32(name.encode()) % 10 == 0 for name in held_out)
