import warnings

import numpy as np
import pytest
import torch
from skimage import color

from stvae_lib import InputError
from stvae_lib.pictures import colour
from stvae_lib.pictures.datasets import sample_photo
from stvae_lib.pictures.styles import generate

PHOTO = sample_photo("coffee", 96)


def arrays(*images):
    return [image[0].permute(1, 2, 0).double().numpy() for image in images]


@pytest.fixture(scope="module")
def picture():
    return torch.nn.functional.interpolate(generate("stained_glass", 96, 0), PHOTO.shape[2:])


def test_lab_keeps_the_chroma_exactly_and_takes_the_luminance(picture):
    kept = colour.keep(PHOTO, picture, "lab")
    photo, wanted, found = (color.rgb2lab(image) for image in arrays(PHOTO, picture, kept))
    assert np.abs(found[..., 1:] - photo[..., 1:]).mean() < 1
    assert np.abs(found[..., 0] - wanted[..., 0]).mean() < 0.5 * np.abs(photo[..., 0] - wanted[..., 0]).mean()


@pytest.mark.parametrize("space", list(colour.SPACES))
def test_every_space_keeps_its_chroma_and_a_picture_of_its_own(space, picture):
    forward, _ = colour.SPACES[space]
    kept = colour.keep(PHOTO, picture, space)
    photo, found = (forward(image) for image in arrays(PHOTO, kept))
    spread = np.abs(photo[..., 1:]).max()
    assert np.abs(found[..., 1:] - photo[..., 1:]).mean() < 0.01 * spread
    torch.testing.assert_close(colour.keep(PHOTO, PHOTO, space), PHOTO, atol=5e-3, rtol=0)
    assert kept.shape == PHOTO.shape and kept.dtype == PHOTO.dtype


def test_histogram_takes_every_channels_distribution(picture):
    kept = colour.keep(PHOTO, picture, "histogram")
    for channel in range(3):
        ours, theirs = (image[0, channel].flatten().sort().values for image in (kept, PHOTO))
        assert (ours - theirs).abs().mean() < 0.01


def test_unknown_modes_are_refused(picture):
    with pytest.raises(InputError, match="hsv"):
        colour.keep(PHOTO, picture, "hsv")


def test_colours_that_are_tried_in_vain_are_not_remarked_upon():
    blue, white = (torch.tensor(colours).view(1, 3, 1, 1).expand(1, 3, 16, 16) for colours in ((1.0, 1.0, 0.0), (0.0, 0.0, 0.1)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        colour.keep(blue, white, "lab")
