import pytest
import torch
from common import ROOT

from stvae_lib import InputError
from stvae_lib.pictures import styles


@pytest.mark.parametrize("name", styles.GENERATORS)
def test_same_seed_same_bytes_at_any_size(name, tmp_path):
    for size in ((16, 16), (37, 90), (128, 64)):
        picture = styles.generate(name, size, 3)
        assert picture.shape == (1, 3, *size) and picture.min() >= 0 and picture.max() <= 1
        assert torch.equal(picture, styles.generate(name, size, 3))
        assert not torch.equal(picture, styles.generate(name, size, 4))


@pytest.mark.parametrize("name", styles.GENERATORS)
def test_pictures_have_colour_and_texture(name):
    picture = styles.generate(name, 128, 0)
    assert picture.std((2, 3)).min() > 0.05, "flat"
    assert (picture.amax(1) - picture.amin(1)).mean() > 0.05, "grey"
    assert (picture[..., 1:] - picture[..., :-1]).abs().mean() > 0.01, "no texture"


def test_a_seed_is_one_composition_at_every_size():
    small, large = styles.generate("stained_glass", 64, 5), styles.generate("stained_glass", 256, 5)
    reduced = torch.nn.functional.interpolate(large, (64, 64), mode="area")
    assert (small - reduced).abs().mean() < 0.1
    assert (styles.generate("stained_glass", 64, 6) - reduced).abs().mean() > 0.15


def test_shipped_styles_are_what_the_command_writes(tmp_path):
    written = styles.write_styles(tmp_path, 256, 2)
    shipped = sorted((ROOT / "data" / "styles").glob("*.png"))
    assert sorted(file.name for file in written) == [file.name for file in shipped]
    for file in shipped:
        assert (tmp_path / file.name).read_bytes() == file.read_bytes()


def test_unknown_kind_and_tiny_size_are_refused():
    with pytest.raises(InputError, match="frescoes"):
        styles.generate("frescoes")
    with pytest.raises(InputError, match="small"):
        styles.generate("mosaic", 8)
