"""The losses of the transform."""

import json
import math

import numpy as np
import pytest
import torch

import stvae_lib as st
from stvae_lib import InputError
from stvae_lib.model.codes import StyleCode
from stvae_lib.model.storage import half, read_tensors, write_tensors
from stvae_lib.training import experiment
from stvae_lib.training.transform import latent_health


def test_robust_losses_hold_down_what_is_far_from_its_style(make_config, sources):
    options = {"matrix_size": 8, "latent": 8, "start": "random", "sampled": 0.0}
    found = {}
    for robust in (False, True):
        config = experiment.read_config(make_config(options=options | {"robust": robust}, batch=2))
        recipe = experiment.make_recipe(config, sources)
        with torch.no_grad():
            found[robust] = recipe(recipe.batch(np.random.default_rng(0), config.schedule))  # one style: pairs are alike
    plain, robust = found[False], found[True]
    assert plain["style"] == robust["style"] and plain["gram"] == robust["gram"], "what is logged stays the distance"
    assert plain["shallow"] < plain["style"]
    saved = sum(weight * (float(plain[name]) - math.log1p(plain[name])) for name, weight in (("style", 5.0), ("gram", 1.0)))
    assert float(plain["loss"] - robust["loss"]) == pytest.approx(saved, rel=1e-3) and saved > 0


def test_losses_see_pictures_at_a_scale_drawn_for_every_step(make_config, sources):
    options = {"matrix_size": 8, "latent": 8, "start": "random", "sampled": 0.0, "smallest_scale": 0.5}
    config = experiment.read_config(make_config(options=options, batch=2, crop=64))
    recipe = experiment.make_recipe(config, sources)
    batches = [recipe.batch(np.random.default_rng(seed), config.schedule) for seed in range(8)]
    sides = [batch["seen"] for batch in batches]
    assert min(sides) >= 32 and max(sides) <= 64 and len(set(sides)) > 4
    sizes = []
    features = recipe.distances.features
    recipe.distances.features = lambda image: sizes.append(image.shape[2]) or features(image)
    with torch.no_grad():
        recipe(batches[0])
    assert sizes == [sides[0]] * 3 + [64] * 2, "content, style and output as seen; the reconstruction at full size"


def test_a_share_of_the_steps_looks_at_drawings_alone(make_config, sources):
    options = {"matrix_size": 8, "latent": 8, "start": "random", "sampled": 0.0, "grey": 0.5}
    config = experiment.read_config(make_config(options=options, batch=2, crop=64))
    recipe = experiment.make_recipe(config, sources)
    batches = [recipe.batch(np.random.default_rng(seed), config.schedule) for seed in range(40)]
    assert 10 < sum(batch["grey"] for batch in batches) < 30
    images, features = [], recipe.distances.features
    recipe.distances.features = lambda image: images.append(image) or features(image)
    with torch.no_grad():
        recipe(next(batch for batch in batches if batch["grey"]))
    assert [bool((image[:, :1] == image).all()) for image in images] == [True, True, True, False, False], \
        "content, style and output are grey, the reconstruction keeps its colours"


def test_losses_see_finished_pictures(make_config, sources):
    options = {"start": "base", "sampled": 0.0, "reconstruction_weight": 0.0}
    found, off = {}, {}
    for share in (None, 0.0, 0.6):
        finish = {} if share is None else {"photo_share": share}
        file = make_config(options=options | finish, batch=2, crop=64)
        file.write_text(json.dumps(json.loads(file.read_text()) | {"base": "vgg19-slim"}))
        config = experiment.read_config(file)
        recipe = experiment.make_recipe(config, sources)
        batch, images, features = recipe.batch(np.random.default_rng(0), config.schedule), [], recipe.distances.features
        recipe.distances.features = lambda image, images=images, features=features: images.append(image) or features(image)
        found[share] = recipe(batch)
        found[share]["loss"].backward()
        assert all(p.grad is None or p.grad.isfinite().all() for p in recipe.model.parameters())
        ordered = [image[0].detach().flatten(1).sort(dim=1).values for image in (images[-1], batch["styles"])]
        off[share] = float((ordered[0] - ordered[1]).abs().mean())
    assert off[0.0] < 0.02 and off[0.6] < 0.02 and off[None] > 2 * off[0.0], "distributions of every channel"
    assert found[None]["palette"] == found[0.6]["palette"], "of what is drawn, before it is finished"
    assert found[0.6]["content"] < found[0.0]["content"]


def test_a_model_trained_on_finished_pictures_says_so_in_its_file(make_config, sources, tmp_path):
    options = {"matrix_size": 8, "latent": 8, "start": "random", "photo_share": 0.25}
    experiment.train(experiment.read_config(make_config(options=options, steps=2)), sources, tmp_path / "run", "cpu")
    assert st.load(tmp_path / "run" / "tiny.safetensors", "cpu").photo_share == 0.25
    tensors, architecture = read_tensors(tmp_path / "run" / "tiny.safetensors")
    for bad in (1.0, -0.1, "much"):
        write_tensors(half(tensors), tmp_path / "bad.safetensors", architecture | {"photo_share": bad}, {})
        with pytest.raises(InputError, match="photo_share"):
            st.load(tmp_path / "bad.safetensors", "cpu")


def test_the_codes_of_a_single_style_have_no_spread():
    code = StyleCode(torch.ones(1, 5), torch.zeros(1, 5))
    assert latent_health([code])["signal_to_noise"] == 0 and latent_health([code])["active"] == 0
    assert latent_health([code, StyleCode(-code.mu, code.log_sigma)])["active"] == 5
