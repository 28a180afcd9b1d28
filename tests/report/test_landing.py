import pytest
from common import ROOT
from PIL import Image

from stvae_lib.pictures.images import load_image
from stvae_lib.report import landing, showcase


class Model:
    """Takes a mix of a photograph and a style's mean colour for a painting."""

    device = "cpu"

    def encode_style(self, style):
        return style.mean((2, 3), keepdim=True)

    def stylize(self, image, code):
        return 0.5 * image + 0.5 * code


@pytest.fixture
def drawn(tmp_path):
    showcase.draw(Model(), tmp_path / "run")
    return tmp_path / "run"


def test_notebook_00_draws_the_handle_and_a_gallery(drawn):
    before, after = (load_image(drawn / name) for name in ("before.jpg", "after.jpg"))
    assert before.shape == after.shape and (before - after).abs().mean() > 0.02
    assert len(set(load_image(drawn / "style.jpg").shape[2:])) == 1
    assert len(list((drawn / "gallery").glob("*--*.jpg"))) == 12
    assert {file.stem for file in (drawn / "gallery").glob("*.jpg") if "--" not in file.stem} == set(showcase.STYLES)
    assert max(Image.open(drawn / "gallery" / "coffee--marbling_0.jpg").size) == showcase.SIDE


def test_own_pictures_fill_the_gallery_and_its_origin_is_not_ours(tmp_path):
    for name in ("a & b", "c", "d", "e"):
        Image.effect_noise((40, 30), 60).convert("RGB").save(tmp_path / f"{name}.png")
    showcase.draw(Model(), tmp_path / "run", tmp_path, tmp_path)
    (tmp_path / "docs" / "_static").mkdir(parents=True)
    showcase.take(tmp_path / "run", tmp_path / "docs")
    shown = showcase.gallery(tmp_path / "docs")
    assert shown.count("<figure") == 12 and "a &amp; b × c" in shown and "a & b" not in shown
    assert showcase.origin(tmp_path / "docs") == ""


def test_what_a_run_left_takes_the_place_of_what_was_there(drawn, tmp_path):
    docs = tmp_path / "docs"
    (docs / "_static" / "gallery").mkdir(parents=True)
    (docs / "_static" / "gallery" / "old--one.jpg").touch()
    showcase.take(drawn, docs)
    shown = showcase.gallery(docs)
    assert shown.count("<figure") == 12 and "old" not in shown and (docs / "_static" / "after.jpg").exists()
    assert "scikit-image" in showcase.origin(docs)
    showcase.take(tmp_path / "nothing", docs)
    assert showcase.gallery(docs) == shown


def test_the_committed_gallery_is_whole():
    files = {file.name for file in (ROOT / "docs" / "_static" / "gallery").iterdir()}
    for name in [name for name in files if "--" in name]:
        assert name.split("--")[1] in files
    assert sum((ROOT / "docs" / "_static" / "gallery" / name).stat().st_size for name in files) < 700_000
    assert showcase.origin(ROOT / "docs") and showcase.gallery(ROOT / "docs").count("<figure") == 12


def test_readme_asks_a_question_for_every_notebook():
    assert set(landing.questions()) == {file.stem for file in (ROOT / "notebooks").glob("*.ipynb")}


def test_names_are_said_as_people_say_them():
    names = "stained_glass_0", "my_cat", "IMG_1234"
    assert [showcase.spoken(name) for name in names] == ["stained glass", "my cat", "IMG 1234"]


def test_styles_are_a_folders_first_or_the_ones_that_are_named(tmp_path):
    assert list(showcase.styles_of("", 64)) == list(showcase.STYLES)
    Image.new("RGB", (40, 40)).save(tmp_path / "mine.png")
    assert list(showcase.styles_of(tmp_path, 64)) == ["mine"]
