"""The explorers without a browser: render, widget state, uploads, saving, memory."""

import io
import json
import resource
from pathlib import Path

import pytest
import torch
from common import ROOT
from jupyter_server.services.kernels.kernelmanager import MappingKernelManager
from PIL import Image
from traitlets.config.loader import JSONFileConfigLoader

import stvae_lib as st
from stvae_lib import InputError
from stvae_lib.analysis import latent
from stvae_lib.pictures import datasets, styles
from stvae_lib.pictures.images import to_array
from stvae_lib.report import explorers
from stvae_lib.report.explorers import Settings

KINDS = ("stained_glass", "brush_strokes", "woodcut", "mosaic")


@pytest.fixture(scope="module")
def model():
    return st.load("vgg19-slim", "cpu")


@pytest.fixture
def studio(model):
    contents = {name: datasets.sample_photo(name, 160) for name in ("chelsea", "coffee")}
    codes = [model.encode_style(styles.generate(kind, 64, seed)) for kind in KINDS for seed in (0, 1)]
    return explorers.Studio(model, contents, {kind: styles.generate(kind, 64, 0) for kind in KINDS}, 128,
                            latent.principal_axes(codes, 3))


def shown(explorer):
    return Image.open(io.BytesIO(explorer.picture.value))


def upload(widget, name, data, piece=1000):
    """A file as the browser sends it."""
    for start in range(0, max(1, len(data)), piece):
        widget.receive({"name": name, "begins": start == 0, "ends": start + piece >= len(data)},
                       [memoryview(data)[start:start + piece]])


def png(size=(60, 40)):
    buffer = io.BytesIO()
    Image.effect_mandelbrot(size, (-2, -1, 1, 1), 40).convert("RGB").save(buffer, "png")
    return buffer.getvalue()


def test_render_is_plain_stylising_for_one_style_and_mixing_for_more(studio, model):
    photo = studio.contents["chelsea"]
    small = torch.nn.functional.interpolate(photo, [85, 128], mode="bilinear", antialias=True).clamp(0, 1)
    one = studio.render(Settings("chelsea", (("woodcut", 0.3), ("mosaic", 0.0))))
    assert torch.equal(one, model.stylize(small, studio.styles["woodcut"]))
    both = studio.render(Settings("chelsea", (("woodcut", 2.0), ("mosaic", 6.0)), 0.7))
    wanted = model.stylize(small, [studio.styles["woodcut"], studio.styles["mosaic"]], [0.25, 0.75], 0.7)
    assert torch.equal(both, wanted)
    with pytest.raises(InputError, match="all zero"):
        studio.render(Settings("chelsea", (("woodcut", 0.0),)))


def test_the_pad_draws_what_its_point_says(studio):
    pad = explorers.MixingPad(studio)
    pad.pad.point = [1.0, 0.0]
    assert pad.mix() == (("stained_glass", 0.0), ("brush_strokes", 1.0), ("woodcut", 0.0), ("mosaic", 0.0))
    expected = studio.render(Settings("chelsea", (("brush_strokes", 1.0),)), explorers.PREVIEW)
    difference = to_array(expected).astype(int) - torch.tensor(list(shown(pad).getdata())).view(*expected.shape[2:], 3).numpy()
    assert abs(difference).mean() < 6  # JPEG
    before = pad.picture.value
    pad.corners[1].value = "mosaic"
    assert pad.pad.corners[1] == "mosaic" and pad.picture.value != before


def test_sliders_strength_and_content_change_the_picture(studio):
    explorer = explorers.MixingSliders(studio)
    seen = {explorer.picture.value}
    explorer.sliders["mosaic"].value = 0.5
    seen.add(explorer.picture.value)
    explorer.strength.value = 0.5
    seen.add(explorer.picture.value)
    explorer.content.value = "coffee"
    seen.add(explorer.picture.value)
    assert len(seen) == 4
    for slider in explorer.sliders.values():
        slider.value = 0.0
    assert "all zero" in explorer.message.value
    explorer.sliders["mosaic"].value = 1.0
    assert explorer.message.value == ""


def test_latent_sliders_move_along_the_axes(studio):
    explorer = explorers.LatentAxes(studio, ["first", "second", "third"])
    still = explorer.picture.value
    explorer.sliders[0].value = 2.0
    assert explorer.picture.value != still and explorer.shifts() == (2.0, 0.0, 0.0)
    explorer.base.value = "mosaic"
    assert explorer.settings().mix == (("mosaic", 1.0),)


@pytest.mark.parametrize("make", [explorers.MixingPad, explorers.MixingSliders,
                                  lambda studio: explorers.LatentAxes(studio, ["a"])])
def test_uploads_and_bad_uploads(make, studio):
    explorer = make(studio)
    upload(explorer.photo, "mine.png", png())
    assert explorer.content.value == "mine" and shown(explorer).size == (60, 40) and not explorer.message.value
    upload(explorer.style_upload, "painting.png", png((50, 50)))
    assert dict(explorer.settings().mix)["painting"] > 0
    before = explorer.picture.value
    upload(explorer.photo, "notes<b>.txt", b"no picture")
    assert "notes&lt;b&gt;.txt" in explorer.message.value and "alert" in explorer.message.value
    assert explorer.picture.value == before and explorer.content.value == "mine"


def test_uploads_are_not_kept_and_large_ones_not_decoded(studio, monkeypatch):
    explorer = explorers.MixingSliders(studio)
    upload(explorer.photo, "mine.png", png())
    assert explorer.content.value == "mine"
    explorer.photo.receive({"name": "half.png", "begins": True, "ends": False}, [memoryview(png()[:50])])
    upload(explorer.photo, "whole.png", png())
    assert explorer.content.value == "whole" and not explorer.message.value, "what was broken off is no part of the next"
    before = explorer.picture.value
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", lambda picture: pytest.fail("it was decoded"))
    for data, said in ((bytes(explorers.MOST_BYTES + 1), "has 30 MB; give a file of at most 30 MB"),
                       (png((5000, 4001)), "has 5000x4001 pixels; scale it down to 20 megapixels first")):
        upload(explorer.photo, "large.png", data, 10**6)
        assert f"large.png: {said}" in explorer.message.value and explorer.picture.value == before


def test_the_apps_server_is_local_and_ends_idle_kernels():
    file = Path(explorers.__file__).parent / "templates" / "voila.json"
    settings = JSONFileConfigLoader(file.name, str(file.parent)).load_config()
    assert settings.Voila.ip == "127.0.0.1"
    assert 0 < settings.MappingKernelManager.cull_idle_timeout <= 600 and settings.MappingKernelManager.cull_interval <= 60
    assert {"cull_idle_timeout", "cull_interval"} <= set(MappingKernelManager.class_trait_names())
    assert file.name in (ROOT / "Makefile").read_text()


def test_saving_writes_the_full_picture_and_its_settings(studio, tmp_path):
    explorer = explorers.MixingSliders(studio, tmp_path)
    path = explorer.save()
    assert path.name == "stvae-1.png" and max(st.load_image(path).shape) == 128
    assert json.loads(path.with_suffix(".json").read_text())["content"] == "chelsea"
    assert explorer.save().name == "stvae-2.png" and "stvae-2.png" in explorer.message.value
    explorer.out_dir = tmp_path / "nowhere"
    assert explorer.save() is None and "alert" in explorer.message.value


def test_every_control_has_a_label(studio):
    for explorer in (explorers.MixingPad(studio), explorers.MixingSliders(studio), explorers.LatentAxes(studio, ["a"])):
        stack = list(explorer.children)
        while stack:
            widget = stack.pop()
            stack += list(getattr(widget, "children", ()))
            if hasattr(widget, "description") and not isinstance(widget, explorers.widgets.HTML):
                assert widget.description


def test_two_hundred_movements_leave_no_memory_behind(studio):
    explorer = explorers.MixingPad(studio)
    for step in range(20):
        explorer.pad.point = [step / 20, 0.5]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for step in range(200):
        explorer.pad.point = [(step % 40) / 40, (step % 7) / 7]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000
