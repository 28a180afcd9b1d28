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
    saved = sum(weight * (float(plain[name]) - math.log1p(plain[name])) for name, weight in (("style", 5.0), ("gram", 1.0)))
    assert float(plain["loss"] - robust["loss"]) == pytest.approx(saved, rel=1e-3) and saved > 0
