import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from conftest import ROOT

from stvae_lib import InputError, runs, weights
from stvae_lib.training import Schedule, TrainingDiverged, fit, read_log

VARIANTS = ("paper", "released", "joint")


def command(recipe, config, pictures, out):
    return [sys.executable, "-m", "stvae_lib.training", recipe, "--config", str(config), "--content-dir", str(pictures[0]),
            "--style-dir", str(pictures[1]), "--out", str(out), "--device", "cpu"]


@pytest.mark.parametrize("variant", VARIANTS)
def test_vlt_trains_and_what_it_writes_loads(variant, make_config, sources, tmp_path, base):
    config = runs.read_config(make_config(options={"variant": variant, "matrix_size": 8, "latent": 8, "start": "random",
                                                   "train_decoder": variant == "joint"}))
    card = runs.train(config, sources, tmp_path / "run", "cpu")
    assert card["steps"] == 6 and card["images"] == 24 and card["validation"]["style"] > 0
    model = weights.load(tmp_path / "run" / "tiny.safetensors")
    photo = torch.rand(1, 3, 40, 56)
    assert model.vlt.variant == variant
    assert model.stylize(photo, torch.rand(1, 3, 48, 32)).shape == photo.shape
    assert weights.sha256(tmp_path / "run" / "tiny.safetensors") == card["sha256"]


def test_autoencoder_training_lowers_its_loss(make_config, sources, tmp_path):
    config = runs.read_config(make_config("autoencoder", steps=40, checkpoint_every=40))
    runs.train(config, sources, tmp_path / "run", "cpu")
    loss = read_log(tmp_path / "run" / "log.csv")["loss"]
    assert loss[-10:].mean() < 0.8 * loss[:5].mean()


def test_encoder_distillation_lowers_its_loss_from_random_weights(make_config, sources, tmp_path):
    config = runs.read_config(make_config("encoder", steps=30, checkpoint_every=30, lr=4e-3))
    runs.train(config, sources, tmp_path / "run", "cpu")
    loss = read_log(tmp_path / "run" / "log.csv")["loss"]
    assert loss[-5:].mean() < 0.9 * loss[:3].mean()


def test_a_student_that_goes_on_starts_with_the_heads_that_fit_best(make_config, sources, tmp_path):
    config = runs.read_config(make_config("encoder", steps=0))
    config.backbone, config.backbone_options = "resnet50", {"last": "layer1", "frozen_norm": True}
    config.base = None
    runs.train(config, sources, tmp_path / "first", "cpu")
    config.base = str(tmp_path / "first" / "tiny.safetensors")
    recipe = runs.make_recipe(config, sources)
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


def test_held_out_pictures_are_never_trained_on(sources):
    from stvae_lib.datasets import is_held_out

    photos, paintings = sources.pools()
    assert photos.names and paintings.names
    assert not any(is_held_out(name) for name in photos.names + paintings.names)


@pytest.mark.parametrize("recipe", ["vlt", "autoencoder"])
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


def test_two_processes_train_like_one_with_both_batches(make_config, pictures, tmp_path):
    config = make_config("autoencoder", steps=4)
    launched = subprocess.run([sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2",
                               "--master-port", "29513", "-m", "stvae_lib.training", *command("autoencoder", config, pictures,
                                                                                              tmp_path / "two")[3:]],
                              capture_output=True, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"}, cwd=ROOT)
    assert launched.returncode == 0, launched.stderr[-2000:]
    log = read_log(tmp_path / "two" / "log.csv")
    assert list(log["step"]) == [1, 2, 3, 4] and log["images"][-1] == 4 * 4 * 2
    assert (tmp_path / "two" / "tiny.safetensors").exists()


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


def test_nan_stops_with_step_files_and_last_checkpoint(tmp_path):
    with pytest.raises(TrainingDiverged) as caught:
        fit(Recipe(bad=5), Schedule(steps=10, log_every=1, checkpoint_every=2), tmp_path)
    message = str(caught.value)
    assert "step 5" in message and "first.jpg, second.jpg" in message and "checkpoint.pt" in message
    assert torch.load(tmp_path / "checkpoint.pt", weights_only=True)["step"] == 4


def test_a_checkpoint_of_another_training_is_refused(tmp_path):
    (tmp_path / "checkpoint.pt").write_bytes(b"not a checkpoint")
    with pytest.raises(InputError, match="checkpoint.pt"):
        fit(Recipe(), Schedule(steps=2, log_every=1, checkpoint_every=1), tmp_path)


def test_learning_rate_warms_up_stays_and_falls():
    schedule = Schedule(steps=1000, flat=0.5)
    rates = [schedule.rate(step) for step in range(1000)]
    assert rates[0] == pytest.approx(0.02) and rates[49] == rates[500] == 1
    assert rates[-1] < 0.03 and all(a >= b for a, b in zip(rates[500:], rates[501:]))


@pytest.mark.parametrize(("change", "word"), [({"stepps": 3}, "stepps"), ({"steps": "many"}, "steps"), ({"lr": None}, "lr")])
def test_configs_with_unknown_keys_or_wrong_types_are_refused(change, word, make_config):
    with pytest.raises(InputError, match=word):
        runs.read_config(make_config(**change))


def test_unknown_variant_is_refused(make_config):
    with pytest.raises(InputError, match="fancy"):
        runs.read_config(make_config(options={"variant": "fancy"}))


def test_a_closed_form_start_is_refused_where_there_is_none(make_config):
    with pytest.raises(InputError, match="closed-form.*'paper'"):
        runs.read_config(make_config(options={"variant": "paper", "start": "closed-form"}))


def test_a_second_stage_goes_on_from_the_first_ones_transform(make_config, sources, tmp_path):
    sizes = {"matrix_size": 8, "latent": 8}
    runs.train(runs.read_config(make_config(options=sizes)), sources, tmp_path / "first", "cpu")
    path = make_config(options=sizes | {"start": "base"})
    config = runs.read_config(path)
    config.base = str(tmp_path / "first" / "tiny.safetensors")
    started = runs.make_recipe(config, sources).model
    for key, value in weights.read_model(tmp_path / "first" / "tiny.safetensors").state_dict().items():
        assert torch.equal(started.state_dict()[key], value), key
    config.options.latent = 6
    with pytest.raises(InputError, match="tiny.safetensors.*no transform"):
        runs.make_recipe(config, sources)


def test_a_run_of_no_steps_with_a_fresh_decoder_is_the_base_with_an_untrained_decoder(make_config, sources, tmp_path, base):
    config = runs.read_config(make_config("autoencoder", steps=0))
    config.fresh_decoder = True
    card = runs.train(config, sources, tmp_path / "run", "cpu")
    assert card["steps"] == 0 and card["validation"]["psnr"] < 12
    made, start = (weights.read_model(path).state_dict() for path in (tmp_path / "run" / "tiny.safetensors", base))
    for key in start:
        assert torch.equal(made[key], start[key]) == key.startswith("encoder."), key


def test_recorded_stages_count_images_on(tmp_path, monkeypatch):
    from stvae_lib import record

    monkeypatch.setattr(record, "ROOT", tmp_path)
    for name, images in (("first", 10), ("second", 40)):
        folder = tmp_path / "data" / "runs" / name
        folder.mkdir(parents=True)
        (folder / "log.csv").write_text(f"step,seconds,images,loss\n1,2.0,{images // 2},3.0\n2,4.0,{images},1.0\n")
        (folder / "card.json").write_text(f'{{"images": {images}, "seconds": 4.0, "steps": 2}}')
    log, card = record.recorded_stages("first", "second")
    assert log["images"].tolist() == [5, 10, 30, 50] and log["seconds"].tolist() == [2, 4, 6, 8]
    assert card["images"] == 50 and card["steps"] == 2
    with pytest.raises(InputError, match="third"):
        record.recorded_run("third")
