"""Small clips, made with PyAV."""

from fractions import Fraction

import av
import numpy as np
import pytest

import stvae_lib as st
from stvae_lib.pictures import datasets
from stvae_lib.video.camera import CameraMove
from stvae_lib.video.keyframes import StyleTrack


@pytest.fixture(scope="session")
def move():
    """Eight frames of a camera move, 64 pixels wide."""
    return CameraMove(datasets.sample_photo("coffee", 200), (48, 64), count=8)


@pytest.fixture(scope="session")
def model():
    return st.load("vgg19-slim", "cpu")


@pytest.fixture(scope="session")
def track(model):
    style = st.load_image(datasets.GENERATED_STYLES / "stained_glass_0.png", 96)
    return StyleTrack([(0.0, model.encode_style(style))])


@pytest.fixture(scope="session")
def pictures(move):
    return [frame.picture for frame in move.frames()]


@pytest.fixture
def make_clip(tmp_path, pictures):
    """Write a film of pictures `(H, W, 3)` (default: the camera move); returns its path. times: a pts for each, in units of
    a hundredth of a second. sound: seconds of it, 0 leaves it out. alone: without pictures."""

    def make(name="clip.mp4", shown=pictures, codec="libx264", pix_fmt="yuv420p", times=None, rotation=0, mirrored=False,
             sound=0.0, sound_codec="aac", alone=False, pixel_aspect=None):
        path = tmp_path / name
        with av.open(str(path), "w") as container:
            if not alone:
                stream = container.add_stream(codec, rate=25, options={"g": "4", "crf": "12"})
                stream.height, stream.width, stream.pix_fmt = *shown[0].shape[:2], pix_fmt
                stream.time_base = stream.codec_context.time_base = Fraction(1, 100)
                if pixel_aspect:
                    stream.codec_context.sample_aspect_ratio = pixel_aspect
                if rotation or mirrored:
                    stream.set_display_rotation(rotation, hflip=mirrored)
            if sound:
                heard = container.add_stream(sound_codec, rate=48000, layout="mono")
            for number, picture in enumerate(() if alone else shown):
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), "rgb24").reformat(format=pix_fmt)
                frame.pts, frame.time_base = times[number] if times else 4 * number, Fraction(1, 100)
                container.mux(stream.encode(frame))
            if not alone:
                container.mux(stream.encode())
            if sound:
                wave = np.sin(np.arange(int(48000 * sound)) * 2 * np.pi * 440 / 48000, dtype=np.float32) / 4
                for start in range(0, len(wave), 1024):
                    part = av.AudioFrame.from_ndarray(wave[None, start:start + 1024], "fltp", "mono")
                    part.sample_rate, part.pts, part.time_base = 48000, start, Fraction(1, 48000)
                    container.mux(heard.encode(part))
                container.mux(heard.encode())
        return path

    return make
