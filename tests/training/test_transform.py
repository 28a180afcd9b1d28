"""The losses of the transform."""

import math

import numpy as np
import pytest
import torch

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
