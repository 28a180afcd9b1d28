import pytest
import torch

from stvae_lib import InputError, weights
from stvae_lib.baselines.refinement import mixed_statistics, refine
from stvae_lib.pictures import datasets, styles


@pytest.fixture(scope="module")
def distances():
    return weights.feature_distances()


@pytest.fixture(scope="module")
def pictures():
    """A photograph, a style, and the photograph as some network may have drawn it."""
    photo, style = datasets.sample_photo("astronaut", 96), styles.generate("woodcut", 96, 0)
    return photo, style, (0.5 * photo + 0.5 * photo.mean()).clamp(0, 1)


def test_steps_bring_a_picture_nearer_to_its_style_and_keep_the_photograph(distances, pictures):
    photo, style, drawn = pictures
    found = refine(drawn, photo, [style], distances, 12)
    assert found.shape == drawn.shape and found.min() >= 0 and found.max() <= 1
    before, after = (distances.between(image, photo, style) for image in (drawn, found))
    assert after["style"] < 0.8 * before["style"] and after["gram"] < 0.9 * before["gram"]
    kept, other = (distances.structure(distances.features(found), distances.features(image)) for image in (photo, style))
    assert kept < 0.3 < other
    assert torch.equal(found, refine(drawn, photo, [style], distances, 12))
    assert torch.equal(refine(drawn, photo, [style], distances, 0), drawn)


def test_styles_are_mixed_by_their_shares(distances, pictures):
    photo, style, drawn = pictures
    other = styles.generate("brush_strokes", 96, 0)
    rows = [distances.statistics(distances.features(image)) for image in (style, other)]
    mixed = mixed_statistics(rows, [0.25, 0.75])
    for layer, values in mixed.items():
        for value, first, second in zip(values, *(row[layer] for row in rows)):
            assert torch.allclose(value, 0.25 * first + 0.75 * second)
    found = [refine(drawn, photo, [style, other], distances, 6, mix) for mix in ([1, 0], [0, 1])]
    for image, elsewhere, near in ((*found, style), (*found[::-1], other)):
        assert distances.between(image, photo, near)["style"] < distances.between(elsewhere, photo, near)["style"]


def test_without_strength_the_photographs_own_statistics_are_the_aim(distances, pictures):
    photo, style, drawn = pictures
    assert (refine(photo, photo, [style], distances, 4, strength=0.0) - photo).abs().max() < 1e-3
    assert (refine(photo, photo, [style], distances, 4, strength=1.0) - photo).abs().max() > 1e-2


@pytest.mark.parametrize("change", [{"strength": 2.0}, {"mix": [1.0, 1.0]}])
def test_bad_input_is_refused(change, distances, pictures):
    photo, style, drawn = pictures
    with pytest.raises(InputError):
        refine(drawn, photo, [style], distances, 2, **change)
    with pytest.raises(InputError, match="content image"):
        refine(drawn, photo[0], [style], distances, 2)
