"""Colours that are carried over whole."""

import pytest
import torch

from stvae_lib.pictures import datasets, styles
from stvae_lib.pictures.images import resized, to_pixels
from stvae_lib.pictures.palette import (
    Finishing,
    colour_table,
    distribution,
    finished,
    finished_straight_through,
    mixed_palette,
    palette_of,
    without_recolouring,
)

KINDS = ("stained_glass", "woodcut", "brush_strokes", "mosaic")


@pytest.fixture(scope="module")
def photo():
    return datasets.sample_photo("astronaut", 160)


@pytest.fixture(scope="module", params=KINDS)
def style(request):
    return styles.generate(request.param, 128, 0)


def recoloured(image, palette):
    """`image` with all colours of a palette."""
    return colour_table(palette_of(image), distribution(palette))(image)


def sliced_distance(first, second, directions=64):
    """Mean distance of the sorted projections of two palettes: a sliced Wasserstein distance, along directions not used."""
    along = torch.randn(directions, 3, generator=torch.Generator().manual_seed(5))
    along = along / along.norm(dim=1, keepdim=True)
    return sum((along @ side[0]).sort(dim=1).values * sign for side, sign in ((first, 1), (second, -1))).abs().mean().item()


def test_a_picture_takes_all_colours_of_another(photo, style):
    wanted = palette_of(style)
    before, after = (sliced_distance(palette_of(image), wanted) for image in (photo, recoloured(photo, wanted)))
    assert after < 0.25 * before and after < 0.035


def test_its_own_colours_change_nothing(photo):
    error = (recoloured(photo, palette_of(photo)) - photo).abs()
    assert error.mean() < 0.004 and error.quantile(0.99) < 0.03


def test_grey_styles_leave_no_tint(photo):
    grey = styles.generate("woodcut", 128, 0).mean(1, keepdim=True).expand(-1, 3, -1, -1)
    output = recoloured(photo, palette_of(grey))
    tints = [(image - image.mean(1, keepdim=True)).abs().mean() for image in (photo, output)]
    assert tints[1] < 0.02 < 0.05 < tints[0]


def test_equal_colours_stay_equal_and_lightness_keeps_its_order(photo):
    grey = photo.mean(1, keepdim=True).expand(-1, 3, -1, -1)
    flat = torch.cat([grey, torch.full_like(grey, 0.5)], dim=3)
    output = recoloured(flat, palette_of(styles.generate("stained_glass", 128, 0).mean(1, keepdim=True).expand(-1, 3, -1, -1)))
    assert output[..., 160:].flatten(2).std(2).max() < 1e-6
    order = grey[0, 0].flatten().argsort()
    assert output[0, 0, :, :160].flatten()[order].diff().min() > -0.01


@pytest.mark.parametrize("image", [torch.zeros(1, 3, 32, 48), torch.full((1, 3, 16, 16), 0.7)])
def test_one_colour_is_a_picture_too(image, photo):
    for output in (recoloured(image, palette_of(photo)), recoloured(photo, palette_of(image))):
        assert output.isfinite().all() and output.min() >= 0 and output.max() <= 1
    torch.testing.assert_close(recoloured(photo, palette_of(image)), image[..., :1, :1].expand_as(photo), atol=1e-3, rtol=0)


def test_a_table_meets_every_picture_of_its_batch_by_itself(photo):
    images = torch.cat([photo, photo.flip(1)])
    wanted = torch.cat([palette_of(styles.generate(kind, 96, 0)) for kind in KINDS[:2]])
    together = colour_table(palette_of(images), distribution(wanted))(images)
    alone = [recoloured(image[None], palette[None]) for image, palette in zip(images, wanted)]
    torch.testing.assert_close(together, torch.cat(alone))


def test_a_palette_of_the_8_bit_picture_and_of_a_size_smaller_than_its_grid(photo):
    assert torch.equal(palette_of(to_pixels(photo)), palette_of(to_pixels(photo).float() / 255))
    assert palette_of(photo[..., :17, :20]).shape == (1, 3, 4096)


def test_a_mixed_palette_has_shares_of_each(photo):
    dark, light = torch.zeros(1, 3, 4096), torch.ones(1, 3, 4096)
    assert mixed_palette([dark, light], [0.25, 0.75]).mean() == 0.75
    whole = palette_of(photo)
    assert torch.equal(mixed_palette([whole, whole], [0.3, 0.7]).sort(dim=2).values, whole.sort(dim=2).values)
    four = [torch.full((1, 3, 4096), level) for level in (0.0, 0.1, 0.2, 0.3)]
    twice = mixed_palette([mixed_palette(four[:2], [0.5, 0.5]), mixed_palette(four[2:], [0.5, 0.5])], [0.5, 0.5])
    shares = [(twice[0, 0] == each[0, 0, 0]).float().mean().item() for each in four]
    assert shares == pytest.approx([0.25] * 4, abs=0.03)
    part = whole[..., :1024].repeat_interleave(4, dim=2)
    assert sliced_distance(part, whole) < 0.02  # any part of a palette stands for all of it


def test_finishing_in_parts_is_finishing_at_once(photo, style):
    drawn = resized(style, (160, 160))
    wanted = to_pixels(palette_of(style))
    whole = finished(drawn, photo, wanted, 0.2)
    finishing = Finishing.of(palette_of(drawn), palette_of(photo), wanted, 0.2)
    parts = [finishing(*part) for part in zip(drawn.split(50, dim=2), photo.split(50, dim=2))]
    torch.testing.assert_close(torch.cat(parts, dim=2), whole, atol=1e-5, rtol=0)


def test_a_share_of_the_photograph_brings_its_drawing_back_and_none_of_its_colours(photo):
    drawn, wanted = styles.generate("brush_strokes", 160, 0), palette_of(styles.generate("stained_glass", 160, 0))

    def likeness(picture):
        pair = torch.stack([image.mean(1).flatten() for image in (picture, recoloured(photo, wanted))])
        return torch.corrcoef(pair)[0, 1]

    none, some = (finished(drawn, photo, wanted, share) for share in (0.0, 0.4))
    assert likeness(some) > likeness(none) + 0.2
    assert sliced_distance(palette_of(some), wanted) < 0.02


def test_gradients_pass_straight_through_but_for_what_recolouring_would_undo(photo, style):
    drawn = (1.5 * photo - 0.2).clamp(0, 1).requires_grad_()
    output = finished_straight_through(drawn, photo, palette_of(style), 0.2)
    quarter = Finishing.of(*(palette_of(image.detach())[..., :1024] for image in (drawn, photo, style)), 0.2)
    assert torch.allclose(output, quarter(drawn.detach(), photo), atol=1e-6)
    assert (output - finished(drawn.detach(), photo, palette_of(style), 0.2)).abs().mean() < 0.03
    pattern = torch.randn(photo.shape, generator=torch.Generator().manual_seed(0))
    lighter, redder = torch.ones_like(photo), drawn.detach()[:, [0, 0, 0]]
    kept = torch.autograd.grad((output * pattern).sum(), drawn, retain_graph=True)[0]
    assert torch.nn.functional.cosine_similarity(kept.flatten(), pattern.flatten(), dim=0) > 0.99
    for useless in (lighter, redder):
        left = torch.autograd.grad((output * useless).sum(), drawn, retain_graph=True)[0]
        assert left.norm() < 0.02 * useless.norm()


@pytest.mark.parametrize("contrast", [1.0, 0.1, 0.02])
def test_nothing_is_left_of_a_gradient_that_asks_for_contrast(contrast, photo):
    colours = 0.5 + contrast * (photo - 0.5)
    assert without_recolouring(colours, colours).norm() < 0.01 * (colours - colours.mean((2, 3), keepdim=True)).norm()


def test_a_flat_part_gets_a_colour_that_the_style_has(photo):
    flat = torch.cat([torch.ones_like(photo), photo], dim=3)
    wanted = palette_of(styles.generate("stained_glass", 128, 0))
    output = recoloured(flat, wanted)
    nearest = (wanted[0] - output[0, :, :1, 0]).norm(dim=0).min()
    assert nearest < 0.05
    assert sliced_distance(palette_of(output), wanted) < 0.1


def test_rounding_does_not_decide_on_a_colour(photo, style):
    """Clipped colours are equal by the thousand, and those of the generated styles lie far apart: what was drawn, moved by what
    two orders of summation differ in, used to change single colours by up to half of their range."""
    drawn = (1.5 * photo - 0.2).clamp(0, 1)
    palettes = palette_of(drawn), palette_of(photo), palette_of(style)
    moved = palettes[0] + 1e-6 * torch.randn(palettes[0].shape, generator=torch.Generator().manual_seed(0))
    one, other = (Finishing.of(palette, *palettes[1:], 0.2)(drawn, photo) for palette in (palettes[0], moved))
    assert (one - other).abs().max() < 3 / 255 and (one - other).abs().mean() < 0.05 / 255


def test_tables_are_made_at_full_precision_under_autocast(photo, style):
    plain = finished(photo, photo, palette_of(style), 0.2)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(finished(photo, photo, palette_of(style), 0.2), plain)


def test_what_was_made_under_inference_mode_does_not_spoil_a_training(photo, style):
    with torch.inference_mode():
        finished(photo, photo, palette_of(style), 0.2)
    drawn = photo.clone().requires_grad_()
    finished_straight_through(drawn, photo, palette_of(style), 0.2).square().sum().backward()
    assert drawn.grad.isfinite().all() and drawn.grad.norm() > 0
