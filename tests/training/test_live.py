import numpy as np
import pytest
from PIL import Image

from stvae_lib import InputError, weights
from stvae_lib.pictures import datasets
from stvae_lib.training.autoencoder import AutoencoderOptions
from stvae_lib.training.live import live
from stvae_lib.training.transform import VLTOptions

ARCHITECTURE = {"backbone": "vgg19", "width": "slim", "options": {}}


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """Folders of two pictures each."""
    monkeypatch.setenv("STVAE_CACHE", str(tmp_path / "cache"))
    chosen = [name for name in (f"picture{i}.png" for i in range(9)) if not datasets.is_held_out(name)][:2]
    for kind in ("photos", "paintings"):
        (tmp_path / kind).mkdir()
        for name in chosen:
            Image.effect_noise((64, 64), 60).convert("RGB").save(tmp_path / kind / name)
    return {"content_dir": tmp_path / "photos", "style_dir": tmp_path / "paintings"}


@pytest.mark.parametrize("variant, options, stages", [
    (None, AutoencoderOptions(), ["untrained", "trained"]),
    ("joint", VLTOptions(latent=8, matrix_size=8), ["untrained", "started", "trained"])])
def test_a_live_training_shows_its_stages(variant, options, stages, folders, tmp_path):
    architecture = ARCHITECTURE | {"variant": variant}
    model = weights.build(architecture | ({"options": options.vlt_options()} if variant else {}))
    image = datasets.content_images(folders["content_dir"], 32)["picture0"]
    # squeezed, not clamped: what a decoder draws after so few steps may be black all over
    draw = (lambda m: m.stylize(image, image, clamp=False)) if variant else (lambda m: m.reconstruct(image, clamp=False))
    for _ in range(2):  # a second run in the same folder starts anew
        run = live(model, options, lambda m: draw(m).sigmoid(), tmp_path / "live", **folders, steps=2, batch=4,
                   crop=32, lr=1e-3, log_every=1, size=32)
        assert list(run.pictures) == stages and run.log["step"].tolist() == [1, 2]
    assert all(np.isfinite(run.log["loss"])) and run.pictures["trained"].shape == image.shape
    assert not np.array_equal(run.pictures["trained"].numpy(), run.pictures[stages[-2]].numpy())


@pytest.mark.parametrize("steps", [1, 3])
def test_a_live_training_may_be_shorter_than_a_row_of_its_log(steps, folders, tmp_path):
    model, image = weights.build(ARCHITECTURE | {"variant": None}), datasets.content_images("", 32)["coffee"]
    run = live(model, AutoencoderOptions(), lambda m: m.reconstruct(image), tmp_path / "live", **folders, steps=steps, batch=3,
               crop=32, lr=1e-3, size=32)
    assert run.log["step"].tolist() == [steps]


@pytest.mark.parametrize("wrong", [{"steps": 0}, {"batch": 0}, {"crop": 8}, {"lr": float("nan")}, {"seed": -1}])
def test_numbers_that_make_no_live_training_are_refused(wrong, tmp_path):
    numbers = {"steps": 1, "batch": 3, "crop": 32, "lr": 1e-3, "size": 32} | wrong
    with pytest.raises(InputError, match=f"live training: has {next(iter(wrong))} = "):
        live(None, AutoencoderOptions(), None, tmp_path / "live", **numbers)
    assert not (tmp_path / "live").exists()


@pytest.mark.parametrize("wrong", [{"batch": 2}, {"crop": 36}])
def test_crops_that_do_not_fit_a_live_training_are_refused(wrong, tmp_path):
    model = weights.build(ARCHITECTURE | {"variant": None})
    with pytest.raises(InputError, match=f"live training: has schedule.{next(iter(wrong))} = "):
        live(model, AutoencoderOptions(), None, tmp_path / "live", **{"steps": 1, "batch": 3, "crop": 32, "lr": 1e-3} | wrong)
    assert not (tmp_path / "live").exists()
