"""Small motions, and what does not move along."""

import json

import numpy as np
import pytest
import torch

from stvae_lib.losses import PIXEL_VARIANCE
from stvae_lib.pictures.datasets import sample_photo
from stvae_lib.training import experiment, motion

SIDE = 128


@pytest.fixture
def photo():
    return sample_photo("coffee", SIDE)[..., :SIDE, :SIDE]


def shift(pixels: float) -> torch.Tensor:
    """To the left, by so many pixels."""
    return torch.tensor([[[1.0, 0.0, 2 * pixels / SIDE], [0.0, 1.0, 0.0]]])


def test_a_motion_brings_what_was_elsewhere(photo):
    assert torch.allclose(motion.moved(photo, shift(3))[..., :-8], photo[..., 3:-5], atol=1e-4)


def test_motions_are_small_all_different_and_repeated_by_their_seed():
    found = motion.motions(np.random.default_rng(0), 200, SIDE)
    assert found.shape == (200, 2, 3) and found.equal(motion.motions(np.random.default_rng(0), 200, SIDE))
    shifts = found[:, :, 2] * SIDE / 2
    assert motion.SHIFT / 2 < shifts.abs().max() <= motion.SHIFT and shifts.min() < 0 < shifts.max()
    sizes = torch.linalg.det(found[:, :, :2])
    assert (1 - motion.ZOOM)**2 - 1e-6 <= sizes.min() < 1 < sizes.max() <= (1 + motion.ZOOM)**2 + 1e-6


def test_noise_has_its_own_strength_in_every_picture():
    strengths = motion.noise(np.random.default_rng(0), torch.zeros(50, 3, 32, 32)).std((1, 2, 3))
    assert strengths.max() < 1.1 * motion.NOISE and strengths.std() > 0.1 * motion.NOISE


def test_what_moves_along_is_steady_and_what_stays_is_not(photo):
    way = shift(5)
    assert float(motion.unsteadiness(photo, motion.moved(photo, way), way)) == pytest.approx(0, abs=1e-9)
    assert float(motion.unsteadiness(photo, photo, way)) > 0.02
    off = float(motion.unsteadiness(photo, motion.moved(photo, way) + 0.1, way))
    assert off == pytest.approx(0.01 / PIXEL_VARIANCE, rel=1e-4)


def test_borders_and_what_came_in_from_outside_are_not_compared(photo):
    way = shift(40)
    after = motion.moved(photo, way)
    after[..., -motion.BORDER - 40 + 1:] = 9
    after[..., :motion.BORDER - 1, :] = 9
    assert float(motion.unsteadiness(photo, after, way)) < 1e-9


def test_training_for_steadiness_is_an_option_that_changes_no_other_draw(make_config, sources):
    base, found = {"matrix_size": 8, "latent": 8, "start": "random"}, {}
    for weight in (0.0, 2.0):
        config = experiment.read_config(make_config(options=base | {"steadiness_weight": weight}, batch=2, crop=64))
        recipe = experiment.make_recipe(config, sources)
        batch = recipe.batch(np.random.default_rng(0), config.schedule)
        torch.manual_seed(0)
        found[weight] = batch, recipe(batch)
    (plain, without), (batch, steadied) = found[0.0], found[2.0]
    assert plain["contents"].equal(batch["contents"]) and plain["styles"].equal(batch["styles"])
    assert "next" not in plain and batch["next"].shape == batch["contents"].shape
    assert without["style"] == steadied["style"] and steadied["steadiness"] > 0
    assert float(steadied["loss"] - without["loss"]) == pytest.approx(2 * float(steadied["steadiness"]), rel=1e-3)
    steadied["loss"].backward()
    assert all(p.grad is None or p.grad.isfinite().all() for p in recipe.model.parameters())


def test_steadiness_needs_a_weight_of_zero_or_more(make_config):
    with pytest.raises(experiment.InputError, match="steadiness_weight"):
        experiment.read_config(make_config(options=json.loads('{"steadiness_weight": -1}')))
