import json

import pytest
from common import ROOT

from stvae_lib import InputError
from stvae_lib.training import config


def test_every_recorded_config_can_be_read():
    files = [file for file in (ROOT / "data" / "runs").rglob("config.json")]
    assert len(files) > 50
    for file in files:
        read, written = config.read_config(file).to_json(), json.loads(file.read_text())
        assert {key: read[key] for key in written if key not in ("schedule", "options")} == {
            key: value for key, value in written.items() if key not in ("schedule", "options")}
        assert all(read["schedule"][key] == value for key, value in written["schedule"].items())
        assert all(read["options"][key] == value for key, value in (written["options"] or {}).items())


def refusal(path, changes: dict) -> str:
    raw = json.loads(path.read_text())
    for name, value in changes.items():
        *parents, last = name.split(".")
        entry = raw
        for parent in parents:
            entry = entry.setdefault(parent, {})
        entry[last] = value
    path.write_text(json.dumps(raw))
    with pytest.raises(InputError) as refused:
        config.read_config(path)
    assert "\n" not in str(refused.value) and str(path) in str(refused.value)
    return str(refused.value)


@pytest.mark.parametrize(("name", "value"), [
    ("schedule.steps", -1), ("schedule.steps", 1.5), ("schedule.steps", True), ("schedule.steps", 10**30),
    ("schedule.batch", 0), ("schedule.batch", 1), ("schedule.batch", -4), ("schedule.crop", 0), ("schedule.crop", -64),
    ("schedule.short_side", 0),
    ("schedule.lr", 0), ("schedule.lr", -1e-3), ("schedule.lr", float("nan")), ("schedule.lr", float("inf")),
    ("schedule.lr", "fast"), ("schedule.flat", 2), ("schedule.clip", 0), ("schedule.seed", -1), ("schedule.seed", 2**70),
    ("schedule.precision", "fp8"), ("schedule.log_every", 0), ("schedule.checkpoint_every", 0),
    ("schedule.validate_every", -1), ("schedule", None), ("schedule", [1]), ("options", [1]), ("options.latent", -1),
    ("options.latent", 0), ("options.matrix_size", 10**9), ("options.styles_per_content", 0), ("options.sampled", 1.5),
    ("options.photo_styles", -0.1), ("options.smallest_scale", 0), ("options.photo_share", 1), ("options.beta", -1),
    ("options.train_decoder", "no"),
    ("options.content", "beauty"), ("backbone", "vgg20"), ("backbone", ["vgg19"]), ("width", "wide"), ("width", 3),
    ("backbone_options", {"lost": 1}), ("backbone_options", {"last": "relu9_9"}),
    ("backbone_options", {"skip": "relu9_9"}), ("backbone_options", {"skip": "relu4_1"}), ("options.matrix_size", 1000),
    ("options.latent", 60_000), ("backbone_options", [1]),
    ("decoder_parameters", -1), ("decoder_parameters", 12), ("recipe", "paint"), ("recipe", ["vlt"]), ("recipe", None),
    ("base", 3), ("loss_network", None), ("fresh_decoder", 1), ("sources", 3), ("options.start", "base\n")])
def test_an_entry_out_of_its_range_is_refused_by_name(name, value, make_config):
    said = refusal(make_config(), {name: value})
    assert name.split(".")[-1] in said or "describes no network" in said


@pytest.mark.parametrize("changes", [
    {"base": None, "options.train_decoder": False}, {"base": None, "options.start": "base"},
    {"fresh_decoder": True, "options.train_decoder": False}, {"schedule.batch": 2, "options.styles_per_content": 4}])
def test_entries_that_do_not_go_together_are_refused(changes, make_config):
    refusal(make_config(), changes)


def test_batches_that_no_memory_holds_are_refused(make_config):
    said = refusal(make_config(), {"schedule.batch": 10**6, "schedule.crop": 2**14})
    assert "has a schedule.batch of 1000000 crops of 16384x16384 pixels; give fewer or smaller ones, 67 million" in said


@pytest.mark.parametrize("recipe", ["autoencoder", "vlt"])
def test_crops_that_a_network_cannot_halve_are_refused(recipe, make_config):
    assert "schedule.crop = 36; give a multiple of 8, its stride" in refusal(make_config(recipe), {"schedule.crop": 36})


@pytest.mark.parametrize("text", ["", "[]", "3", "null", "{}", '{"recipe": "vlt"}', "[" * 100_000, '{"a":' * 100_000,
                                  '{"recipe": "vlt", "schedule": {"steps": NaN}}', "1" * 5000,
                                  '{"name": "x", "recipe": "vlt", "schedule": {"steps": 1, "lr": -Infinity}}'])
def test_what_is_no_config_is_refused(text, tmp_path):
    path = tmp_path / "config.json"
    path.write_text(text)
    with pytest.raises(InputError, match="config.json") as refused:
        config.read_config(path)
    assert "\n" not in str(refused.value) and len(str(refused.value)) < 1000
    path.write_bytes(b"\xff\xfe{")
    with pytest.raises(InputError, match="is no JSON"):
        config.read_config(path)
    with pytest.raises(InputError, match="is a folder"):
        config.read_config(tmp_path)


def test_differing_entries_are_told_short(make_config):
    one, other = (config.read_config(make_config()) for _ in range(2))
    other.sources, other.schedule.lr = "a long tale " * 100, 0.5
    said = config.differences(one, other)
    assert "schedule.lr 0.001 → 0.5" in said and "sources '' → 'a long" in said and len(said) < 170
