import json
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from common import ROOT

from stvae_lib import InputError, weights
from stvae_lib.files import alone_in
from stvae_lib.model.backbones import BACKBONES
from stvae_lib.model.storage import half, write_tensors
from stvae_lib.pictures.datasets import is_held_out
from stvae_lib.provenance import sha256
from stvae_lib.training import experiment
from stvae_lib.training.log import read_log

VARIANTS = ("paper", "released", "joint")


def command(recipe, config, pictures, out):
    return [sys.executable, "-m", "stvae_lib", "train", recipe, "--config", str(config), "--content-dir", str(pictures[0]),
            "--style-dir", str(pictures[1]), "--out", str(out), "--device", "cpu"]


@pytest.mark.parametrize("variant", VARIANTS)
def test_vlt_trains_and_what_it_writes_loads(variant, make_config, sources, tmp_path, base):
    config = experiment.read_config(make_config(options={"variant": variant, "matrix_size": 8, "latent": 8, "start": "random",
                                                   "train_decoder": variant == "joint"}))
    card = experiment.train(config, sources, tmp_path / "run", "cpu")
    assert card["steps"] == 6 and card["images"] == 24 and card["validation"]["style"] > 0
    model = weights.load(tmp_path / "run" / "tiny.safetensors")
    photo = torch.rand(1, 3, 40, 56)
    assert model.vlt.variant == variant
    assert model.stylize(photo, torch.rand(1, 3, 48, 32)).shape == photo.shape
    assert sha256(tmp_path / "run" / "tiny.safetensors") == card["sha256"]


def test_autoencoder_training_lowers_its_loss(make_config, sources, tmp_path):
    config = experiment.read_config(make_config("autoencoder", steps=40, checkpoint_every=40))
    experiment.train(config, sources, tmp_path / "run", "cpu")
    loss = read_log(tmp_path / "run" / "log.csv")["loss"]
    assert loss[-10:].mean() < 0.8 * loss[:5].mean()


@pytest.mark.parametrize("asked, used", [("fp32", "float32"), ("bf16", "bfloat16")])
def test_the_card_says_at_which_precision_was_multiplied(asked, used, make_config, sources, tmp_path):
    config = experiment.read_config(make_config("autoencoder", steps=1, precision=asked))
    assert experiment.train(config, sources, tmp_path / "run", "cpu")["precision"] == used


def test_encoder_distillation_lowers_its_loss_from_random_weights(make_config, sources, tmp_path):
    config = experiment.read_config(make_config("encoder", steps=30, checkpoint_every=30, lr=4e-3))
    experiment.train(config, sources, tmp_path / "run", "cpu")
    loss = read_log(tmp_path / "run" / "log.csv")["loss"]
    assert loss[-5:].mean() < 0.9 * loss[:3].mean()


def test_a_student_that_goes_on_starts_with_the_heads_that_fit_best(make_config, sources, tmp_path):
    config = experiment.read_config(make_config("encoder", steps=0))
    config.backbone, config.backbone_options = "resnet50", {"last": "layer1", "frozen_norm": True}
    config.base = None
    experiment.train(config, sources, tmp_path / "first", "cpu")
    config.base = str(tmp_path / "first" / "tiny.safetensors")
    recipe = experiment.make_recipe(config, sources)
    assert list(recipe.teacher_layers) == ["conv1", "layer1"]
    images = recipe.batch(np.random.default_rng(3), config.schedule)["images"]
    recipe.fit_heads(images)
    with torch.no_grad():
        best = recipe.unexplained(images, ["conv1", "layer1"])
        for name, head in recipe.heads.items():
            for change in (torch.zeros_like(head.weight), 1.05 * head.weight, 0.95 * head.weight):
                kept = head.weight.clone()
                head.weight.copy_(change)
                assert recipe.unexplained(images, [name])[name] > best[name] and best[name] < 1
                head.weight.copy_(kept)


@pytest.mark.parametrize("recipe", ["encoder", "autoencoder", "vlt"])
def test_held_out_pictures_come_to_where_the_recipe_is(recipe, make_config, sources):
    """As to a GPU, whose tensors do not mix with others: here another type stands for another device."""
    made = experiment.make_recipe(experiment.read_config(make_config(recipe)), sources)
    double = [[image.double() for image in side] for side in made.validation] if recipe == "vlt" else [
        image.double() for image in made.validation]
    with torch.no_grad():
        expected, made.validation = made.validate(), double
        found = made.validate()
    assert found and {name: float(value) for name, value in found.items()} == pytest.approx(
        {name: float(value) for name, value in expected.items()}, rel=1e-3)


def test_held_out_pictures_are_never_trained_on(sources):
    photos, paintings = sources.pools(64)
    assert photos.names and paintings.names
    assert {min(picture.shape[1:]) for picture in photos.pictures + paintings.pictures} == {64}
    assert not any(is_held_out(name) for name in photos.names + paintings.names)


@pytest.mark.parametrize("recipe", [pytest.param("vlt", marks=pytest.mark.slow), "autoencoder"])
def test_resume_after_sigkill_gives_the_uninterrupted_losses(recipe, make_config, pictures, tmp_path):
    config = make_config(recipe, steps=24)
    assert subprocess.run(command(recipe, config, pictures, tmp_path / "whole"), capture_output=True).returncode == 0
    killed = subprocess.Popen(command(recipe, config, pictures, tmp_path / "cut"), stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)
    log = tmp_path / "cut" / "log.csv"
    target = int(np.random.default_rng().integers(3, 16))
    while killed.poll() is None and (not log.exists() or log.read_text().count("\n") <= target):
        time.sleep(0.01)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert (tmp_path / "cut" / "checkpoint.pt").exists()
    assert not (tmp_path / "cut" / "tiny.safetensors").exists(), "it finished before it was killed"
    assert subprocess.run(command(recipe, config, pictures, tmp_path / "cut"), capture_output=True).returncode == 0
    whole, resumed = read_log(tmp_path / "whole" / "log.csv"), read_log(log)
    assert list(resumed["step"]) == list(range(1, 25))
    np.testing.assert_allclose(resumed["loss"], whole["loss"], rtol=1e-5)


def in_two_processes(command):
    launched = subprocess.run([sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2",
                               "--master-port", "29513", "-m", "stvae_lib", *command[3:]],
                              capture_output=True, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"}, cwd=ROOT)
    assert launched.returncode == 0, launched.stderr[-2000:]
    return launched


def test_two_processes_train_like_one_with_both_batches(make_config, pictures, tmp_path):
    config = make_config("autoencoder", steps=4)
    in_two_processes(command("autoencoder", config, pictures, tmp_path / "two"))
    log = read_log(tmp_path / "two" / "log.csv")
    assert list(log["step"]) == [1, 2, 3, 4] and log["images"][-1] == 4 * 4 * 2
    assert (tmp_path / "two" / "tiny.safetensors").exists()
    assert json.loads((tmp_path / "two" / "config.json").read_text())["processes"] == 2


def test_one_process_goes_on_where_two_stopped(make_config, sources, pictures, tmp_path):
    config = make_config("autoencoder", steps=4)
    stopped = in_two_processes([*command("autoencoder", config, pictures, tmp_path / "run"), "--minutes", "1e-6"])
    assert "resumes from" in stopped.stdout
    with pytest.warns(UserWarning, match="trained by 2 processes up to step 1, by 1 from here on"):
        card = experiment.train(experiment.read_config(config), sources, tmp_path / "run", "cpu")
    assert card["processes"] == [[0, 2], [1, 1]] and card["images"] == 4 * (2 + 3) and card["recipe"]["processes"] == 1
    assert list(read_log(tmp_path / "run" / "log.csv")["images"]) == [8, 12, 16, 20]


@pytest.mark.parametrize(("change", "word"), [({"stepps": 3}, "stepps"), ({"steps": "many"}, "steps"), ({"lr": None}, "lr")])
def test_configs_with_unknown_keys_or_wrong_types_are_refused(change, word, make_config):
    with pytest.raises(InputError, match=word):
        experiment.read_config(make_config(**change))


@pytest.mark.parametrize("name", ["../../x", "/a/x", "a/b", "a\\b", "", ".hidden", " x", "x\n", "config", 3, "x" * 300,
                                  "é" * 101])
def test_a_name_that_leads_elsewhere_is_refused(name, make_config):
    path = make_config()
    path.write_text(json.dumps(json.loads(path.read_text()) | {"name": name}))
    with pytest.raises(InputError, match="config.json: has name = .*(plain file name|valid string)"):
        experiment.read_config(path)


def test_another_training_in_the_folder_is_refused_and_changes_nothing(make_config, sources, tmp_path):
    run = tmp_path / "run"
    experiment.train(experiment.read_config(make_config("autoencoder", steps=0)), sources, run, "cpu")
    (run / "checkpoint.pt").touch()
    old = json.loads((run / "config.json").read_text())
    del old["fresh_decoder"]  # a config of an earlier version
    (run / "config.json").write_text(json.dumps(old))
    before = {path: path.read_bytes() for path in run.iterdir()}
    other = experiment.read_config(make_config("autoencoder", steps=4, lr=0.002, options={"pixel_weight": 3.0}))
    for finished in (False, True):
        if finished:
            (run / "checkpoint.pt").unlink()
            del before[run / "checkpoint.pt"]
        with pytest.raises(InputError) as refused:
            experiment.train(other, sources, run, "cpu")
        assert "run/config.json: is of another training" in str(refused.value)
        assert "schedule.steps 0 → 4, schedule.lr 0.001 → 0.002, options.pixel_weight" in str(refused.value)
        assert "fresh_decoder" not in str(refused.value)
        assert {path: path.read_bytes() for path in run.iterdir()} == before
    experiment.train(experiment.read_config(make_config("autoencoder", steps=0)), sources, run, "cpu")


def test_unknown_variant_is_refused(make_config):
    with pytest.raises(InputError, match="fancy"):
        experiment.read_config(make_config(options={"variant": "fancy"}))


def test_a_closed_form_start_is_refused_where_there_is_none(make_config):
    with pytest.raises(InputError, match="closed-form.*'paper'"):
        experiment.read_config(make_config(options={"variant": "paper", "start": "closed-form"}))


def test_a_normalised_modulation_without_modulation_is_refused(make_config):
    with pytest.raises(InputError, match="normalised true.*modulated is false"):
        experiment.read_config(make_config(options={"normalised": True, "modulated": False}))


def test_a_second_stage_goes_on_from_the_first_ones_transform(make_config, sources, tmp_path):
    sizes = {"matrix_size": 8, "latent": 8}
    experiment.train(experiment.read_config(make_config(options=sizes)), sources, tmp_path / "first", "cpu")
    path = make_config(options=sizes | {"start": "base"})
    config = experiment.read_config(path)
    config.base = str(tmp_path / "first" / "tiny.safetensors")
    started = experiment.make_recipe(config, sources).model
    for key, value in weights.read_model(tmp_path / "first" / "tiny.safetensors").state_dict().items():
        assert torch.equal(started.state_dict()[key], value), key
    config.options.latent = 6
    with pytest.raises(InputError, match="tiny.safetensors.*no transform"):
        experiment.make_recipe(config, sources)


def test_a_normalised_modulation_starts_anew_on_a_base_without_one(make_config, sources, tmp_path):
    sizes = {"matrix_size": 8, "latent": 8}
    experiment.train(experiment.read_config(make_config(options=sizes)), sources, tmp_path / "first", "cpu")
    config = experiment.read_config(make_config(options=sizes | {"start": "remodulated", "normalised": True}))
    config.base = str(tmp_path / "first" / "tiny.safetensors")
    recipe = experiment.make_recipe(config, sources)
    base, started = weights.read_model(tmp_path / "first" / "tiny.safetensors"), recipe.model
    own = started.state_dict()
    for key, value in base.state_dict().items():
        assert key.startswith("vlt.modulator.") or torch.equal(own[key], value), key
    assert own["vlt.modulator.linear.weight"].abs().max() > 0 and torch.isfinite(own["vlt.modulator.low"]).all()
    photo, style = torch.rand(1, 3, 64, 64), torch.rand(1, 3, 64, 64)
    own_style, plain_style = (network.style_from(network.encode_style(style)) for network in (started, base))
    assert own_style.modulation.normalised and not plain_style.modulation.normalised
    assert started.stylize(photo, style).shape == photo.shape


def test_a_run_of_no_steps_with_a_fresh_decoder_is_the_base_with_an_untrained_decoder(make_config, sources, tmp_path, base):
    config = experiment.read_config(make_config("autoencoder", steps=0))
    config.fresh_decoder = True
    card = experiment.train(config, sources, tmp_path / "run", "cpu")
    assert card["steps"] == 0 and card["validation"]["psnr"] < 12
    made, start = (weights.read_model(path).state_dict() for path in (tmp_path / "run" / "tiny.safetensors", base))
    for key in start:
        assert torch.equal(made[key], start[key]) == key.startswith("encoder."), key


@pytest.fixture(scope="module")
def wide_features(tmp_path_factory):
    """Features of a full-width ResNet-50 with random weights, in a file that says so."""
    network, path = BACKBONES["resnet50"].student("full"), tmp_path_factory.mktemp("wide") / "wide.safetensors"
    architecture = {"backbone": "resnet50", "width": "full", "variant": None, "options": {}, "backbone_options": {}}
    write_tensors(half(network.state_dict()), path, architecture | {"features": "layer4"}, {})
    return str(path)


@pytest.mark.parametrize("width", ["slim", "full"])
def test_untrained_decoder_and_twin_are_as_wide_as_the_file(width, wide_features):
    features = wide_features if width == "full" else "resnet50-slim-features"
    known, twin = weights.features_network(features), experiment.untrained_twin(features)
    encoder, decoder = experiment.untrained_decoder(features, last="layer4")
    assert encoder.channels == {"slim": 128, "full": 512}[width]
    photo = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(*(network.features(photo, ["layer3"])["layer3"] for network in (encoder, known)))
        assert decoder(encoder(photo)).shape == photo.shape
    assert twin.widths == known.widths and not torch.equal(twin.conv1.weight, known.conv1.weight)


def test_a_base_of_another_architecture_is_refused(make_config, sources, tmp_path):
    for changes in ({"backbone": "vgg16"}, {"width": "half"}, {"backbone_options": {"skip": "relu3_1"}},
                    {"decoder_parameters": 300_000}):
        path = make_config()
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))
        with pytest.raises(InputError, match="base.safetensors: has .*, and the config"):
            experiment.train(experiment.read_config(path), sources, tmp_path / "run", "cpu")
        assert not (tmp_path / "run").exists()


def test_what_is_trained_on_a_base_that_has_a_base_loads(make_config, sources, tmp_path, base):
    options = {"variant": "paper", "matrix_size": 8, "latent": 8, "start": "random", "train_decoder": False}
    first = experiment.read_config(make_config(options=options, steps=1, checkpoint_every=1, validate_every=1))
    experiment.train(first, sources, tmp_path / "first", "cpu")
    second = experiment.read_config(make_config(options=options | {"start": "base"}, steps=1, validate_every=1))
    second.base, second.name = str(tmp_path / "first" / "tiny.safetensors"), "second"
    experiment.train(second, sources, tmp_path / "second", "cpu")
    made = weights.load(tmp_path / "second" / "second.safetensors", "cpu")
    assert torch.equal(made.decoder.conv1_1.weight, weights.load(base, "cpu").decoder.conv1_1.weight)
    for name, word in (("tiny", None), ("base", "has the name of its base")):
        second.name = name
        if word:
            with pytest.raises(InputError, match=word):
                experiment.train(second, sources, tmp_path / "third", "cpu")
    (tmp_path / "third").mkdir()
    (tmp_path / "third" / "base.safetensors").write_bytes(b"something else")
    second.name = "third"
    with pytest.raises(InputError, match="is another file than the base"):
        experiment.train(second, sources, tmp_path / "third", "cpu")
    assert (tmp_path / "third" / "base.safetensors").read_bytes() == b"something else"


def test_a_base_in_the_runs_own_folder_serves(make_config, sources, tmp_path, base):
    run = tmp_path / "run"
    run.mkdir()
    (run / "base.safetensors").write_bytes(base.read_bytes())
    config = experiment.read_config(make_config(options={"variant": "paper", "matrix_size": 8, "latent": 8, "start": "random",
                                                         "train_decoder": False}, steps=0))
    config.base = str(run / "base.safetensors")
    experiment.train(config, sources, run, "cpu")
    assert weights.load(run / "tiny.safetensors", "cpu").vlt.variant == "paper"


def test_weights_are_written_though_the_photographs_have_gone(make_config, pictures, tmp_path, monkeypatch):
    content = tmp_path / "content"
    shutil.copytree(pictures[0], content)

    def fit_and_lose_them(*arguments):
        reached = fit(*arguments)
        shutil.rmtree(content)
        return reached

    fit = experiment.fit
    monkeypatch.setattr(experiment, "fit", fit_and_lose_them)
    config = experiment.read_config(make_config("autoencoder", steps=1, validate_every=1))
    with pytest.warns(UserWarning, match="content: no such folder.*read at the start"):
        card = experiment.train(config, experiment.Sources(content, [pictures[1]]), tmp_path / "run", "cpu")
    assert card["validation"]["psnr"] > 0 and card["data"]["content"]["pictures"] > 5
    assert type(weights.load(tmp_path / "run" / "tiny.safetensors", "cpu")).__name__ == "AutoEncoder"


def test_two_trainings_in_one_folder_are_refused(make_config, sources, tmp_path):
    with alone_in(tmp_path / "run"), pytest.raises(InputError, match="run: is being worked in by another process"):
        experiment.train(experiment.read_config(make_config()), sources, tmp_path / "run", "cpu")


def refusal(config, sources, folder, given=None) -> str:
    """What is said where a training may not begin; nothing in its folder changes."""
    before = {path: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    with pytest.raises(InputError) as refused:
        experiment.train(config, sources, folder, "cpu", given=given)
    assert "\n" not in str(refused.value)
    assert {path: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before
    return str(refused.value)


def test_a_folder_of_pictures_is_no_place_to_train_in(make_config, sources, tmp_path):
    config = experiment.read_config(make_config())
    (tmp_path / "link").symlink_to(sources.content_dir)
    for folder in (sources.content_dir, tmp_path / "link", sources.style_dirs[0]):
        assert "is the folder of pictures" in refusal(config, sources, folder)


@pytest.mark.parametrize("name", ["tiny.json", "tiny.safetensors", "sheet.jpg", "log.csv"])
def test_the_given_config_and_the_base_are_not_written_over(name, make_config, sources, tmp_path, base):
    run, given = tmp_path / "run", make_config("autoencoder", steps=0)
    run.mkdir()
    config = experiment.read_config(given)
    given.rename(run / name)
    assert f"{name}: would replace the input" in refusal(config, sources, run, run / name)
    shutil.copy(base, run / name)
    config.base = str(run / "tiny.safetensors")
    if name == "tiny.safetensors":
        assert "tiny.safetensors: would replace the input" in refusal(config, sources, run, given)


def test_a_config_that_is_given_as_the_folders_own_stays_as_it_is(make_config, sources, tmp_path):
    given = make_config("autoencoder", steps=0)
    before, folder = given.read_bytes(), given.parent
    assert experiment.train(experiment.read_config(given), sources, folder, "cpu", given=given)["steps"] == 0
    assert given.read_bytes() == before and (folder / "tiny.safetensors").exists()


@pytest.mark.parametrize(("name", "text", "said"), [
    ("config.json", '{"port": 8080}', "config.json: is no training's"),
    ("config.json", "no JSON", "config.json: is no training's"),
    ("log.csv", "a,b\n", "log.csv: is of no training"), ("tiny.json", "{}", "tiny.json: is of no training"),
    ("sheet.jpg", "mine", "sheet.jpg: is of no training"), ("tiny.safetensors", "mine", "tiny.safetensors: is of no training")])
def test_what_no_training_wrote_is_not_written_over(name, text, said, make_config, sources, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    (run / name).write_text(text)
    config = experiment.read_config(given := make_config("autoencoder", steps=0))
    assert said in refusal(config, sources, run)
    if name != "config.json":
        own = given.rename(run / "config.json")
        assert said in refusal(config, sources, run, own), "a config that is given tells of no training"


def test_a_config_of_another_training_is_not_written_over(make_config, sources, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    shutil.copy(make_config("autoencoder", steps=3), run / "config.json")
    said = refusal(experiment.read_config(make_config("autoencoder", steps=0)), sources, run)
    assert "config.json: is of another training (schedule.steps 3 → 0)" in said


def test_a_result_that_could_not_be_written_is_found_before_the_training(make_config, sources, tmp_path):
    run = tmp_path / "run"
    (run / "log.csv").mkdir(parents=True)
    shutil.copy(make_config("autoencoder", steps=0), run / "config.json")
    config = experiment.read_config(run / "config.json")
    assert "log.csv: is a folder" in refusal(config, sources, run)
    (run / "log.csv").rename(run / "tiny.json")
    assert "tiny.json: is a folder" in refusal(config, sources, run)


@pytest.fixture
def stopped(make_config, sources, tmp_path):
    """A training of two steps, stopped after the first: its config and its folder."""
    config = experiment.read_config(make_config("autoencoder", steps=2))
    assert experiment.train(config, sources, tmp_path / "run", "cpu", stop_after=1e-6) is None
    return config, tmp_path / "run"


def of_an_earlier_version(run):
    """Take from a checkpoint what it says of its training."""
    state = torch.load(run / "checkpoint.pt", weights_only=True)
    del state["about"]
    torch.save(state, run / "checkpoint.pt")


def test_a_checkpoint_knows_its_config(stopped, sources):
    config, run = stopped
    (run / "config.json").unlink()
    config.options.pixel_weight = 3.0
    assert "checkpoint.pt: is of another training (options.pixel_weight" in refusal(config, sources, run)
    config.options.pixel_weight = type(config.options)().pixel_weight
    assert experiment.train(config, sources, run, "cpu")["steps"] == 2 and (run / "config.json").exists()


def test_a_checkpoint_of_an_earlier_version_goes_on_by_the_config_beside_it(stopped, sources):
    config, run = stopped
    of_an_earlier_version(run)
    kept = (run / "config.json").read_text()
    (run / "config.json").unlink()
    assert "checkpoint.pt: does not say which config" in refusal(config, sources, run)
    (run / "config.json").write_text(kept)
    assert experiment.train(config, sources, run, "cpu")["steps"] == 2


def test_a_training_does_not_go_on_with_other_pictures(stopped, pictures, sources, tmp_path):
    config, run = stopped
    shutil.copytree(pictures[0], tmp_path / "fewer")
    next(file for file in sorted((tmp_path / "fewer").iterdir()) if not is_held_out(file.name)).unlink()
    others = experiment.Sources(tmp_path / "fewer", sources.style_dirs)
    said = "checkpoint.pt: was trained on pictures of other names or sizes (content: "
    assert said in refusal(config, others, run)
    card = experiment.train(config, sources, run, "cpu")
    assert said in refusal(config, others, run), "nor is a finished one written anew"
    of_an_earlier_version(run)
    assert said in refusal(config, others, run), "its card tells"
    assert experiment.train(config, sources, run, "cpu")["data"] == card["data"]
    state = torch.load(run / "checkpoint.pt", weights_only=True)
    torch.save(state | {"about": {"config": config.to_json(), "data": 3}}, run / "checkpoint.pt")
    assert "is no checkpoint" in refusal(config, sources, run)
