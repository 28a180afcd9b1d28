"""What holds a stylised film together, and what it costs: every way by itself, on films of known and of estimated flow.

    python benchmarks/video.py [CLIP …] [--frames 60] [--size 320] [--styles 3]

Without clips, on the camera move over a photograph alone, whose flow is known exactly. For every clip, style and way: warping
error at lags 1 and 10, also over the input's own, style distance, sharpness and frames per second. Writes
benchmarks/video.json, when run with the defaults of its options.
"""

import argparse
import itertools
import json
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

import stvae_lib as st
from stvae_lib import weights
from stvae_lib.baselines.statistics import adain
from stvae_lib.files import write_text
from stvae_lib.pictures import datasets
from stvae_lib.pictures.images import to_array, to_tensor
from stvae_lib.provenance import environment, sha256
from stvae_lib.video.camera import CameraMove
from stvae_lib.video.clips import open_clip
from stvae_lib.video.coherence import estimated_motion, exact_motion, looks, shots, warping_errors
from stvae_lib.video.keyframes import StyleTrack
from stvae_lib.video.styler import PER_FRAME, Stability, Styler

HERE = Path(__file__).resolve().parent
LAGS = (1, 10)
MODEL, AUTOENCODER = "vgg19-slim", "vgg19-slim-autoencoder"
FROZEN = replace(PER_FRAME, frozen=True, cuts=True)
# name: what holds frames together, and whether the style is drawn from its posterior
WAYS = {"per frame": (PER_FRAME, False), "per frame, drawn": (PER_FRAME, True), "drawn once": (FROZEN, True),
        "first frame's statistics": (replace(FROZEN, content="first"), False),
        "averaged statistics": (replace(FROZEN, content="average"), False),
        "blended": (replace(FROZEN, blend=Stability().blend), False),
        "blended, half": (replace(FROZEN, blend=0.5), False),
        "averaged and blended": (replace(Stability(), content="average"), False)}


@dataclass
class Shown:
    """Frames of a clip, with the motion between them and the shot of each."""

    frames: list
    motion: object
    shot: list[int]

    @property
    def pictures(self) -> list[np.ndarray]:
        return [frame.picture for frame in self.frames]


def camera_move(size: int, frames: int) -> Shown:
    photo = datasets.sample_photo("coffee")
    move = CameraMove(photo, (round(size * 9 / 16), size), frames)
    return Shown(list(move.frames()), exact_motion(move), [0] * frames)


def shown(path: Path, size: int, count: int) -> Shown:
    frames = list(itertools.islice(open_clip(path, size).frames(), count))
    pictures = [frame.picture for frame in frames]
    return Shown(frames, estimated_motion(pictures), shots(pictures))


def ways(model, autoencoder, style) -> dict:
    """How every way draws a frame, by name: a new callable from `Frame` to uint8 `(H, W, 3)`."""
    track = StyleTrack([(0.0, model.encode_style(style))])

    def by(styler):
        return lambda frame: np.rint(255 * styler(frame)).astype(np.uint8)

    made = {name: by(Styler(model, track, stability, sample=sample)) for name, (stability, sample) in WAYS.items()}
    return made | {"AdaIN": lambda frame: to_array(adain(to_tensor(frame.picture), style, autoencoder)[0])}


def measured(clip: Shown, drawing: dict, style, distances) -> dict:
    """Every measure of every way, and the input's own, on one clip in one style."""
    films, speed = {"input": clip.pictures}, {}
    for name, draw in drawing.items():
        began = time.perf_counter()
        films[name] = [draw(frame) for frame in clip.frames]
        speed[name] = len(clip.frames) / (time.perf_counter() - began)
    errors = {lag: warping_errors(films, clip.motion, clip.shot, lag) for lag in LAGS}
    rows = {}
    for name, pictures in films.items():
        rows[name] = {f"warping error, lag {lag}": errors[lag][name] for lag in LAGS}
        rows[name] |= {f"over the input's, lag {lag}": errors[lag][name] / errors[lag]["input"] for lag in LAGS}
        rows[name] |= looks(pictures[::5], style, distances)
        if name in speed:
            rows[name]["frames per second"] = speed[name]
    return rows


def rounded(value):
    """Figures with four digits; NaN, of a clip too short for a lag, as None."""
    if isinstance(value, dict):
        return {key: rounded(entry) for key, entry in value.items()}
    return None if np.isnan(value) else float(f"{value:.4g}")


def main(given) -> dict:
    model, autoencoder = st.load(MODEL, "cpu"), st.load(AUTOENCODER, "cpu")
    clips = {"camera move": lambda: camera_move(given.size, given.frames)}
    clips |= {path.stem: lambda path=path: shown(path, given.size, given.frames) for path in given.clips}
    styles = datasets.style_images(count=given.styles)
    distances = weights.feature_distances().calibrate([*datasets.content_images().values(), *styles.values()])
    found = {}
    for name, make in clips.items():
        clip = make()
        found[name] = {}
        for style, picture in styles.items():
            found[name][style] = rounded(measured(clip, ways(model, autoencoder, picture), picture, distances))
            print(name, style, *(f"{way}: {row}" for way, row in found[name][style].items()), sep="\n  ", flush=True)
    return {"command": "python benchmarks/video.py CLIP …", "size": given.size, "frames": given.frames, "clips": found,
            "settings": {name: {"sample": sample, **vars(stability)} for name, (stability, sample) in WAYS.items()},
            "provenance": environment("cpu") | {"weights": {name: sha256(weights.find(name))[:16]
                                                            for name in (MODEL, AUTOENCODER)}}}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", nargs="*", type=Path, metavar="CLIP", help="films")
    parser.add_argument("--frames", type=int, default=60, help="of every clip, at most")
    parser.add_argument("--size", type=int, default=320, help="longer side in pixels")
    parser.add_argument("--styles", type=int, default=3, help="how many generated styles")
    given = parser.parse_args()
    results = main(given)
    if all(getattr(given, name) == parser.get_default(name) for name in ("frames", "size", "styles")):
        write_text(HERE / "video.json", json.dumps(results, indent=1) + "\n")
