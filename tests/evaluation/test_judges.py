import json

import pytest
import torch
from common import SHARED, benchmark, needs_shared

from stvae_lib import weights
from stvae_lib.evaluation import judges
from stvae_lib.pictures.datasets import sample_photo
from stvae_lib.pictures.images import resized
from stvae_lib.pictures.styles import generate

KINDS = ("stained_glass", "woodcut", "marbling", "brush_strokes")


@pytest.fixture(scope="module")
def known():
    """Four styles and three contents, squares of 96 pixels."""
    styles = {kind: generate(kind, 96, 0) for kind in KINDS}
    contents = {name: resized(sample_photo(name, 96), (96, 96)) for name in ("astronaut", "coffee", "chelsea")}
    return styles, contents


@pytest.fixture(scope="module")
def judge(known):
    """The slim VGG-19 in the place of a published network, which would have to be fetched."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(judges, "features_network", lambda name: weights.loss_network())
        return judges.Judge("VGG-16", *known)


def test_a_copy_of_either_side_pleases_in_one_measure_alone(judge, known):
    styles, contents = known
    photo, painting = judge(contents["coffee"], "coffee", "woodcut"), judge(styles["woodcut"], "coffee", "woodcut")
    assert photo["kept"] == pytest.approx(1, abs=1e-4) and photo["kept margin"] > 0.1
    assert min(photo["style margin"], photo["strokes margin"]) < 0
    assert painting["style"] == pytest.approx(0, abs=1e-6) and min(painting["style margin"], painting["strokes margin"]) > 1
    assert painting["kept"] < 0.3 and painting["kept margin"] < 0.1 and painting["pasted"] == pytest.approx(1, abs=1e-4)


def test_a_cross_fade_is_told_by_the_styles_layout(judge, known):
    faded = judge((known[1]["coffee"] + known[0]["woodcut"]) / 2, "coffee", "woodcut")
    moved = judge((known[1]["coffee"] + known[0]["woodcut"].roll((40, 40), (2, 3))) / 2, "coffee", "woodcut")
    assert faded["kept margin"] > 0 and faded["pasted margin"] > 0.1 > moved["pasted margin"]


def test_another_style_than_asked_for_has_a_negative_margin(judge, known):
    assert judge(known[0]["woodcut"], "coffee", "marbling")["style margin"] < 0


def test_a_stylised_picture_is_found_by_style_and_by_content(judge, known):
    model = weights.load("vgg19-slim", "cpu")
    with torch.no_grad():
        picture = model.stylize(known[1]["coffee"], known[0]["woodcut"])
    said = judge(picture, "coffee", "woodcut")
    assert said["style margin"] > 0 and said["kept margin"] > 0 and said["pasted"] < 0.2
    assert said["strokes margin"] > judge(known[1]["coffee"], "coffee", "woodcut")["strokes margin"]


def test_grey_drawings_differ_by_strokes_alone():
    picture = generate("mosaic", 96, 0)
    tinted = (0.3 + 0.5 * picture) * torch.tensor([1.0, 0.9, 0.8])[:, None, None]
    assert (judges.drawn(tinted) - judges.drawn(picture)).abs().mean() < 0.05
    assert judges.drawn(picture).mean() == pytest.approx(0.5, abs=0.02)


@needs_shared
@pytest.mark.parametrize(("name", "script_name"), [("ResNet-50", "resnet50"),
                                                   pytest.param("VGG-16", "vgg16", marks=pytest.mark.slow)])
def test_they_say_what_the_yardsticks_judges_say(name, script_name, tmp_path):
    """Six styles and contents of the yardstick, one picture."""
    script = benchmark("yardstick").module(SHARED / "eval" / "judges.py")
    root, pairs = SHARED / "eval" / "set", [["c00.jpg", "s36.jpg"], ["c02.jpg", "s48.jpg"], ["c04.jpg", "s12.jpg"]]
    contents = {content: script.load(root / "content" / content) for content, _ in pairs}
    styles = {style: script.load(root / "style" / style) for _, style in pairs}
    judge = judges.Judge(name, styles, contents)
    picture = (contents["c00.jpg"] + styles["s36.jpg"]) / 2
    looks = {key: script.look(network, value) for network in [script.JUDGES[script_name]()] for key, value in
             (contents | styles | {"picture": picture}).items()}
    norms = [torch.stack([looks[key][3][i] for key in (*contents, *styles)]).mean(0) for i in (0, 1)]
    said = judge(picture, "c00.jpg", "s36.jpg")
    for index, measure in enumerate(("style", "strokes")):
        wanted = script.distance(looks["picture"][index], looks["s36.jpg"][index], norms[index])
        assert said[measure] == pytest.approx(wanted, rel=0.02)
    assert said["kept"] == pytest.approx(script.correlation(looks["picture"][2], looks["c00.jpg"][2]), abs=0.01)
    assert json.dumps(said)
