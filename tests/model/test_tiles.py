import math
import re
import shutil
import signal
import tempfile
from dataclasses import replace
from itertools import product
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

import stvae_lib as st
from stvae_lib import InputError, bench, weights
from stvae_lib.model.maps import Box, MapsInMemory, MapsOnDisk, split
from stvae_lib.model.tiles import Plan, Tiler, reach
from stvae_lib.pictures import datasets, styles
from stvae_lib.pictures.images import to_float, to_pixels
from stvae_lib.training.experiment import keep_scale

LEVEL = 1 / 255


def tiny_with_skip(photo_share=None, **options):
    """A small model of random weights whose decoder is given a skip, and which may finish what it draws."""
    torch.manual_seed(0)
    model = weights.build({"backbone": "vgg16", "width": "slim", "variant": "joint", "backbone_options": {"skip": "relu3_1"},
                           "photo_share": photo_share, "options": {"matrix_size": 8, "latent": 8} | options})
    keep_scale(model.encoder)
    keep_scale(model.decoder)
    return model.eval().requires_grad_(False)


@pytest.fixture(scope="module", params=["vgg16-half", "vgg19-slim", "resnet50-slim", "vgg19-slim-paper", "vgg19-slim-released",
                                        "skip", "normalised", "finished"])
def tiler(request):
    """Of a shipped model, or of a tiny one with a skip."""
    tiny = {"skip": {}, "normalised": {"normalised": True}, "finished": {"photo_share": 0.2}}
    return Tiler(tiny_with_skip(**tiny[request.param]) if request.param in tiny else st.load(request.param, "cpu"))


@pytest.fixture(scope="module")
def vgg():
    return Tiler(st.load("vgg19-slim", "cpu"))


@pytest.fixture(scope="module")
def photo():
    """Of odd sides, which neither the stride nor any tile divides."""
    return datasets.sample_photo("astronaut", 233)[..., :171]


@pytest.fixture(scope="module")
def glass():
    return styles.generate("stained_glass", 96, 0)


@pytest.mark.parametrize("plan", [Plan(8, torch.float32), Plan(13, None), Plan(9, torch.float32, 3), Plan(8, torch.float32, 99),
                                  Plan(8, torch.float32, 99, Path(tempfile.gettempdir()))])
def test_tiles_make_the_picture_that_is_made_at_once(plan, tiler, photo, glass):
    codes = tiler.model.codes_of([glass, styles.generate("woodcut", 64, 0)])
    given = {"mix": [0.7, 0.3], "strength": 0.8, "sample": True}
    whole = tiler.model.stylize(photo, codes, **given, generator=torch.Generator().manual_seed(3))
    tiled = tiler.stylize(photo, codes, plan, **given, generator=torch.Generator().manual_seed(3))
    assert whole.std() > 5 * LEVEL and tiled.shape == photo.shape
    bound = 0.1 if tiler.model.photo_share is None else 1.0  # colours are moved, somewhere, ten times as far apart
    assert (tiled - whole).abs().max() < bound * LEVEL


@pytest.mark.parametrize("size", [(16, 300), (17, 18), (129, 64)])
def test_any_size_comes_back_with_its_own(size, vgg, glass):
    content = torch.rand(1, 3, *size)
    whole, code = vgg.model.stylize(content, glass), vgg.model.encode_style(glass)
    assert (vgg.stylize(content, code, Plan(5, torch.float32)) - whole).abs().max() < 0.1 * LEVEL


def test_strength_zero_reconstructs(vgg, photo, glass):
    tiled = vgg.stylize(photo, glass, Plan(9, None), strength=0.0)
    assert (tiled - vgg.model.reconstruct(photo)).abs().max() < 0.1 * LEVEL


@pytest.mark.parametrize("share", [None, 0.2])
def test_8_bit_pictures_stay_so(share, photo, glass):
    tiler, pixels = Tiler(st.load("vgg19-slim", "cpu")), to_pixels(photo)
    tiler.model.photo_share = share
    tiled = tiler.stylize(pixels, glass, Plan(10, torch.float32))
    assert tiled.dtype == torch.uint8 and tiled.shape == pixels.shape
    bound = 0.6 if share is None else 2.0  # where colours are moved far apart, 16 bits hardly show
    error = (to_float(tiled) - tiler.model.stylize(to_float(pixels), glass)).abs()
    assert error.max() < bound * LEVEL and error.mean() < 0.5 * LEVEL


@pytest.mark.parametrize("name", ["vgg16-half", "vgg19-slim"])
def test_features_kept_at_half_precision_cost_no_grey_level(name, photo, glass):
    tiler = Tiler(st.load(name, "cpu"))
    tiled = tiler.stylize(photo, glass, Plan(13, torch.float16))
    bound = 1 if tiler.model.photo_share is None else 3
    assert (tiled - tiler.model.stylize(photo, glass)).abs().max() < bound * LEVEL


def test_a_files_maps_are_those_of_memory(tmp_path):
    whole, shape = torch.randn(2, 5, 26, 34), (13, 17)
    kept = MapsInMemory(torch.float16, shape), MapsOnDisk(torch.float16, shape, tmp_path)
    for maps, box in product(kept, split(shape, 5)):
        maps.put(box, box.cut(whole, 2))
    for box in (Box(0, 13, 0, 17), Box(3, 4, 16, 17), Box(2, 9, 1, 15)):
        memory, disk = (maps.at(box) for maps in kept)
        assert torch.equal(memory, disk) and torch.equal(disk, box.cut(whole, 2).half().float())
    assert not list(tmp_path.iterdir()), "the file has no name"


def test_a_disk_that_refuses_is_named(tmp_path):
    resource = pytest.importorskip("resource")
    limits, box = resource.getrlimit(resource.RLIMIT_FSIZE), Box(0, 64, 0, 64)
    maps = MapsOnDisk(torch.float32, (64, 64), tmp_path)
    former = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
        with pytest.raises(InputError, match=f"{re.escape(str(tmp_path))}: cannot be written .*; make room there"):
            maps.put(box, torch.zeros(1, 64, 64, 64))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, former)
    with pytest.raises(InputError, match="nowhere: cannot be written"):
        MapsOnDisk(torch.float32, (64, 64), tmp_path / "nowhere").put(box, torch.zeros(1, 1, 64, 64))


@pytest.mark.parametrize("part", ["encoder_reach", "decoder_reach"])
def test_narrower_borders_would_leave_seams(part, photo, glass):
    tiler = Tiler(st.load("vgg19-slim", "cpu"))
    whole = tiler.model.stylize(photo, glass)
    setattr(tiler, part, 0)
    difference = (tiler.stylize(photo, glass, Plan(8, torch.float32)) - whole).abs()
    assert difference.max() > 2 * LEVEL
    setattr(tiler, part, getattr(Tiler(tiler.model), part))
    assert (tiler.stylize(photo, glass, Plan(8, torch.float32)) - whole).abs().max() < 0.1 * LEVEL


def test_a_network_reaches_as_far_as_its_kernels():
    wide = torch.nn.Sequential(*(torch.nn.Conv2d(1, 1, 5, padding=2) for _ in range(9)))
    assert reach(wide, 1, 1, 1, "cpu") == 18
    assert reach(torch.nn.Conv2d(2, 3, 1), 2, 1, 1, "cpu") == 0
    assert reach(torch.nn.Conv2d(1, 1, 3, stride=2, padding=1), 1, 2, 1, "cpu") == 1


def test_boxes_cover_every_place_once():
    seen = torch.zeros(1, 1, 23, 40)
    for box in split((23, 40), 9):
        part = box.cut(seen)
        part += 1
        assert 7 <= part.shape[2] <= 9 and 7 <= part.shape[3] <= 9
    assert (seen == 1).all()
    box = Box(3, 5, 0, 4)
    assert box.grown(2, (6, 5)) == Box(1, 6, 0, 5)
    maps = torch.arange(30.0).view(1, 1, 6, 5)
    assert torch.equal(box.cut(box.grown(2, (6, 5)).cut(maps), 1, box.grown(2, (6, 5))), box.cut(maps))


def test_a_plan_keeps_to_the_memory(vgg):
    assert vgg.plan((512, 512), 4e9) is None
    plan = vgg.plan((8192, 8192), 4e9)
    assert plan.keep == torch.float32 and 8 * plan.side == 512
    assert vgg.plan((8192, 8192), 2.5e9).keep == torch.float16
    assert vgg.plan((8192, 8192), 2.2e9).keep is None
    with pytest.raises(InputError, match="0.7 GB: are too little for 8192x8192 pixels; allow 2.* GB or more"):
        vgg.plan((8192, 8192), 0.7e9)
    assert vgg.plan((2048, 2048), 0.76e9).side < plan.side
    assert vgg.plan((1024, 1024), math.inf) is None and vgg.plan((1024, 1032), math.inf).side == plan.side, "caches are small"


def test_what_finds_no_room_in_memory_is_kept_on_disk_where_there_is_some(tmp_path, monkeypatch):
    tiler, size = Tiler(st.load("vgg16-half", "cpu")), (8192, 8192)
    plan = tiler.plan(size, 4e9, tmp_path)
    assert plan.folder == tmp_path and plan.layers == len(tiler.hidden_values) and plan.keep == torch.float16
    assert tiler.plan(size, 24e9, tmp_path).folder is None and tiler.plan(size, 4e9).folder is None
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=5e9))
    assert tiler.plan(size, 4e9, tmp_path) == tiler.plan(size, 4e9)


def test_narrower_borders_behind_a_kept_layer_would_leave_seams(photo, glass):
    tiler = Tiler(tiny_with_skip(normalised=True))
    whole, plan = tiler.model.stylize(photo, glass), Plan(8, torch.float32, 99)
    assert all(tiler.step_reaches) and max(tiler.step_reaches) < tiler.decoder_reach
    assert (tiler.stylize(photo, glass, plan) - whole).abs().max() < 0.1 * LEVEL
    tiler.step_reaches = [0 for _ in tiler.step_reaches]
    assert (tiler.stylize(photo, glass, plan) - whole).abs().max() > 2 * LEVEL


@pytest.mark.slow
def test_memory_is_estimated_by_its_order(vgg):
    small, large = (bench.peak_memory_mb("vgg19-slim", size, "cpu") * 1e6 for size in (128, 1024))
    measured = (large - small) / (1024**2 - 128**2)
    assert 0.5 < measured / vgg.bytes_per_pixel < 2


def test_a_layers_moments_are_those_of_the_whole_picture_and_not_of_a_tile(photo, glass, monkeypatch):
    tiler, part = Tiler(tiny_with_skip(normalised=True)), photo[..., :96, :96]
    whole, plan = tiler.model.stylize(photo, glass), Plan(8, torch.float32)
    assert (tiler.stylize(photo, glass, plan) - whole).abs().max() < 0.1 * LEVEL
    own = tiler.model.stylize(part, glass)
    assert (own - whole[..., :96, :96]).abs().max() > 10 * LEVEL, "a part by itself is drawn otherwise"
    monkeypatch.setattr(Tiler, "measured", lambda self, features, style: (style, None))
    assert (tiler.stylize(photo, glass, plan) - whole).abs().max() > 2 * LEVEL


def test_layers_are_kept_one_after_the_other_and_no_pass_begins_anew(photo, glass, monkeypatch):
    tiler = Tiler(tiny_with_skip(normalised=True))
    decoder, count, taken = type(tiler.model.decoder), len(tiler.model.decoder.hidden_widths), []
    step = decoder.step
    monkeypatch.setattr(decoder, "step", lambda self, index, *given: taken.append(index) or step(self, index, *given))
    assert tiler.decoder_reach and tiler.hidden_values and tiler.step_reaches, "found once, before steps are counted"
    for layers, wanted in ((0, [*range(1, count + 1), count + 1]), (count, [1] * (count + 1))):
        taken.clear()
        tiler.stylize(photo, glass, Plan(99, torch.float32, layers))
        assert len(taken) == sum(wanted)


def test_a_plan_keeps_as_many_layers_as_there_is_room_for(vgg):
    tiler, size = Tiler(st.load("vgg16-half", "cpu")), (8192, 8192)
    kept = [tiler.plan(size, memory * 1e9) for memory in (3.5, 6, 12, 24)]
    assert [plan.layers for plan in kept] == sorted(plan.layers for plan in kept) and kept[0].layers < kept[-1].layers
    assert kept[-1].layers == len(tiler.hidden_values) and kept[-1].keep == torch.float32
    assert vgg.plan(size, 4e9).layers == 0 and vgg.hidden_values == [], "nothing is measured there"


def test_bad_input_is_refused(vgg, photo, glass):
    for bad in (photo[0], photo[:, :1], photo[..., :8]):
        with pytest.raises(InputError, match="content image"):
            vgg.stylize(bad, glass, Plan(8, torch.float32))
    with pytest.raises(InputError, match="strength"):
        vgg.stylize(photo, glass, Plan(8, torch.float32), strength=2.0)
    code = vgg.model.encode_style(glass)
    with pytest.raises(InputError, match="no numbers"):
        vgg.stylize(photo, replace(code, mu=code.mu * torch.nan), Plan(8, torch.float32))
