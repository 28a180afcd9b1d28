"""What holds frames together, each by itself, and styles that move."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import stvae_lib as st
from stvae_lib import InputError
from stvae_lib.pictures import datasets
from stvae_lib.pictures.images import to_tensor
from stvae_lib.video.coherence import exact_motion, warping_errors
from stvae_lib.video.keyframes import StyleTrack, seconds_of
from stvae_lib.video.styler import PER_FRAME, Stability, Styler


@pytest.fixture(scope="module")
def frames(move):
    return list(move.frames())


def drawn(styler, frames):
    return [styler(frame) for frame in frames]


def uint8(outputs):
    return [np.rint(255 * output).astype(np.uint8) for output in outputs]


def test_per_frame_is_stylize_of_every_frame(model, track, frames):
    for frame, output in zip(frames[:3], drawn(Styler(model, track, PER_FRAME), frames)):
        alone = model.stylize(to_tensor(frame.picture), track.codes[0])[0].permute(1, 2, 0).numpy()
        assert np.array_equal(output, alone)


def test_a_frozen_style_is_drawn_once(model, track, frames):
    still = [replace(frames[0], number=number) for number in range(3)]
    anew = drawn(Styler(model, track, PER_FRAME, sample=True), still)
    once = drawn(Styler(model, track, replace(PER_FRAME, frozen=True), sample=True), still)
    assert not np.array_equal(anew[0], anew[1]) and np.array_equal(once[0], once[2])
    assert np.array_equal(once[0], anew[0])


@pytest.mark.parametrize("name", ["vgg19-slim", "vgg19-slim-paper", "resnet50-slim"])
def test_statistics_of_the_first_frame_make_one_transform_of_all(name, frames):
    model = st.load(name, "cpu")
    track = StyleTrack([(0.0, model.encode_style(st.load_image(datasets.GENERATED_STYLES / "woodcut_0.png", 64)))])
    styler = Styler(model, track, replace(PER_FRAME, content="first"))
    outputs, own = drawn(styler, frames[:3]), drawn(Styler(model, track, PER_FRAME), frames[:3])
    assert np.allclose(outputs[0], own[0], atol=1e-6) and not np.allclose(outputs[2], own[2], atol=1e-3)
    known = model.vlt.content_statistics(model.encode(to_tensor(frames[0].picture)))
    assert torch.equal(styler.known.matrix, known.matrix) and torch.equal(styler.known.mean, known.mean)


def test_an_average_forgets_over_seconds_whatever_the_frame_rate(model, track, frames):
    styler = Styler(model, track, replace(PER_FRAME, content="average", seconds=0.5))
    first, last = (model.vlt.content_statistics(model.encode(to_tensor(frames[index].picture))) for index in (0, 7))
    drawn(styler, [frames[0], replace(frames[7], time=0.25), replace(frames[7], time=0.5)])
    left = np.exp(-1)
    torch.testing.assert_close(styler.known.mean, left * first.mean + (1 - left) * last.mean, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("content", ["first", "average"])
def test_a_cut_begins_anew(content, model, track, frames):
    negative = [replace(frame, picture=255 - frame.picture, time=1 + frame.time) for frame in frames[:2]]
    steady = replace(Stability(), content=content)
    after = drawn(Styler(model, track, steady), [*frames[:3], *negative])[3:]
    alone = drawn(Styler(model, track, steady), negative)
    through = drawn(Styler(model, track, replace(steady, cuts=False)), [*frames[:3], *negative])[3:]
    assert np.allclose(after[0], alone[0], atol=1e-6) and not np.allclose(through[0], alone[0], atol=1e-2)


def test_steadiness_lowers_the_warping_error(model, track, frames, move):
    arms = {"own": PER_FRAME, "blended": replace(PER_FRAME, blend=0.7, restore=False), "all": Stability()}
    films = {name: uint8(drawn(Styler(model, track, stability), frames)) for name, stability in arms.items()}
    errors = warping_errors(films, exact_motion(move), [0] * len(frames), 1)
    assert errors["all"] < errors["own"] and errors["blended"] < errors["own"]
    plain = uint8(drawn(Styler(model, track, replace(Stability(), restore=False)), frames))
    contrast = [np.std(film[-1].astype(float)) for film in (films["own"], plain, films["all"])]
    assert contrast[1] < contrast[2] == pytest.approx(contrast[0], rel=0.02)


@pytest.fixture
def finishing(model, monkeypatch):
    """A track of a style by a model that finishes its pictures."""
    monkeypatch.setattr(model, "photo_share", 0.2)
    return StyleTrack([(0.0, model.encode_style(st.load_image(datasets.GENERATED_STYLES / "marbling_0.png", 64)))])


def test_colour_maps_of_the_first_frame_are_steadier_than_those_of_each(model, finishing, frames):
    """Where something white comes into the left half of a still scene: what it does to the colours of the right."""
    scene = [replace(frames[0], picture=frames[0].picture.copy(), number=number) for number in range(5)]
    width = frames[0].picture.shape[1]
    for number, frame in enumerate(scene):
        frame.picture[:, :width * number // 10] = 255
    ways = {"own": PER_FRAME, "held": replace(PER_FRAME, colours="first")}
    films = {name: np.stack(drawn(Styler(model, finishing, stability), scene)) for name, stability in ways.items()}
    assert np.array_equal(films["own"][0], films["held"][0])
    moved = {name: np.abs(np.diff(film[:, :, width * 3 // 4:].mean((1, 2)), axis=0)).mean() for name, film in films.items()}
    assert moved["held"] < 0.8 * moved["own"], moved


def test_a_cut_makes_colour_maps_anew_and_a_moving_style_takes_them_along(model, finishing, frames):
    held = replace(PER_FRAME, colours="first", cuts=True)
    negative = [replace(frame, picture=255 - frame.picture, time=1 + frame.time) for frame in frames[:2]]
    after = drawn(Styler(model, finishing, held), [*frames[:2], *negative])[2:]
    assert np.allclose(after, drawn(Styler(model, finishing, held), negative), atol=1e-6)
    other = model.encode_style(st.load_image(datasets.GENERATED_STYLES / "stained_glass_0.png", 64))
    moving = StyleTrack([(0.0, finishing.codes[0]), (frames[-1].time, other)])
    last = drawn(Styler(model, moving, held), frames)[-1]
    tables = [Styler(model, StyleTrack([(0.0, code)]), held) for code in (finishing.codes[0], other)]
    near, far = (np.abs(drawn(styler, frames)[-1].mean((0, 1)) - last.mean((0, 1))).mean() for styler in tables[::-1])
    assert near < far, "the last frame has the colours of the style that was reached"


def test_bad_settings_are_refused(model, track):
    bad = {"content": ("none", "unknown"), "colours": ("none", "unknown"), "blend": (1.0, "range"), "seconds": (0.0, "no time")}
    for name, (value, problem) in bad.items():
        with pytest.raises(InputError, match=problem):
            Stability(**{name: value})
    with pytest.raises(InputError, match="strength"):
        Styler(model, track, PER_FRAME, strength=2.0)


def test_styles_move_smoothly_between_key_frames(model, track):
    first, second = track.codes[0], model.encode_style(datasets.sample_photo("astronaut", 64))
    moving = StyleTrack([(4.0, second), (2.0, first)])
    assert moving.moves and torch.equal(moving.at(0.0).mu, first.mu) and torch.equal(moving.at(9.0).mu, second.mu)
    torch.testing.assert_close(moving.at(3.0).mu, (first.mu + second.mu) / 2)
    path = torch.cat([moving.at(2 + 2 * step / 50).mu for step in range(51)])
    steps = path.diff(dim=0).norm(dim=1)
    assert steps.max() < 1.6 * steps.mean() and steps[0] < 0.1 * steps.mean() and steps[-1] < 0.1 * steps.mean()
    with pytest.raises(InputError, match="twice"):
        StyleTrack([(1.0, first), (1.0, second)])


@pytest.mark.parametrize("text, seconds", [("0:00", 0), ("12.5", 12.5), ("1:05", 65), ("1:00:01.5", 3601.5)])
def test_times_are_read(text, seconds):
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "1:", "-3", "1:2:3:4", "nan"])
def test_what_is_no_time_is_refused(text):
    with pytest.raises(InputError, match="is none"):
        seconds_of(text)


def test_a_model_that_finishes_does_so_frame_by_frame(model, frames, monkeypatch):
    style = st.load_image(datasets.GENERATED_STYLES / "stained_glass_0.png", 64)
    plain = drawn(Styler(model, StyleTrack([(0.0, model.encode_style(style))]), PER_FRAME), frames)
    identity = Styler(model, StyleTrack([(0.0, model.encode_style(style))]), PER_FRAME).identity()
    monkeypatch.setattr(model, "photo_share", 0.2)
    code = model.encode_style(style)
    styler = Styler(model, StyleTrack([(0.0, code)]), PER_FRAME, strength=0.7)
    for frame, output, unfinished in zip(frames[:3], drawn(styler, frames), plain):
        alone = model.stylize(to_tensor(frame.picture), style, strength=0.7)[0].permute(1, 2, 0).numpy()
        assert np.array_equal(output, alone) and not np.allclose(output, unfinished, atol=1e-2)
    other = StyleTrack([(0.0, replace(code, palette=255 - code.palette))])
    assert len({str(each) for each in (identity, styler.identity(), Styler(model, other, PER_FRAME, 0.7).identity())}) == 3
