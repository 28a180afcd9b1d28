"""The losses of the transform."""

import math

import numpy as np
import pytest
import torch

import stvae_lib as st
from stvae_lib import InputError
from stvae_lib.model.storage import half, read_tensors, write_tensors
from stvae_lib.training import experiment


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


def test_a_model_that_is_to_finish_says_so_in_its_file_and_trains_as_it_would_without(make_config, sources, tmp_path):
    options = {"matrix_size": 8, "latent": 8, "start": "random"}
    for name, share in (("plain", {}), ("finishing", {"photo_share": 0.25})):
        experiment.train(experiment.read_config(make_config(options=options | share, steps=2)), sources, tmp_path / name, "cpu")
    plain, model = (st.load(tmp_path / name / "tiny.safetensors", "cpu") for name in ("plain", "finishing"))
    assert (plain.photo_share, model.photo_share) == (None, 0.25)
    assert all(torch.equal(value, plain.state_dict()[key]) for key, value in model.state_dict().items())
    tensors, architecture = read_tensors(tmp_path / "finishing" / "tiny.safetensors")
    for bad in (1.0, -0.1, "much"):
        write_tensors(half(tensors), tmp_path / "bad.safetensors", architecture | {"photo_share": bad}, {})
        with pytest.raises(InputError, match="photo_share"):
            st.load(tmp_path / "bad.safetensors", "cpu")
