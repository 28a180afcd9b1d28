"""What holds a stylised film together, and what it costs: every way by itself, on films of known and of estimated flow.

    python benchmarks/video.py CLIP … [--frames 60] [--size 320] [--styles 6]

Also on a camera move over a photograph, whose flow is known exactly; that of clips is estimated by another method than the one
that outputs are carried along. For every clip, style and way: warping error at lags 1 and 10, also over the input's own, and at
lag 1 also along the flow that blending uses; style distance, lost structure, sharpness and how often frames are found in their
style among eight, of frames that begin no shot; and frames per second. Method 2, with warped initialisation as in its
repository, takes seconds a frame: it is followed over the first frames of every clip in the first style, beside other ways on
the same frames. Writes benchmarks/video.json, when run with the defaults of its options.
"""

import argparse
import itertools
import json
import time
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import cv2
import numpy as np

import stvae_lib as st
from stvae_lib import weights
from stvae_lib.baselines.films import FilmByMethod2
from stvae_lib.baselines.statistics import adain
from stvae_lib.files import write_text
from stvae_lib.pictures import datasets
from stvae_lib.pictures.images import to_array, to_tensor
from stvae_lib.provenance import environment, sha256
from stvae_lib.video.camera import CameraMove
from stvae_lib.video.clips import open_clip
from stvae_lib.video.coherence import Retrieval, estimated_motion, exact_motion, looks, shots, warping_errors
from stvae_lib.video.flow import flow_between
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
        "blended, half": (replace(FROZEN, blend=0.5, restore=False), False),
        "blended": (replace(FROZEN, blend=Stability().blend, restore=False), False),
        "blended and restored": (replace(FROZEN, blend=Stability().blend), False)}
BLUR = 3.0  # pixels: of the control that is steady by blur
COMPARED = ("per frame", "blended and restored")
SHORT, FIRST, OTHERS = 10, 100, (40, 100)  # of method 2: frames, iterations of the first one, and of every other


@dataclass
class Shown:
    """Frames of a clip, with the motion between them, that which blending supposes, and the shot of each."""

    frames: list
    motion: object
    supposed: object
    shot: list[int]

    @property
    def pictures(self) -> list[np.ndarray]:
        return [frame.picture for frame in self.frames]

    def beginning(self, count: int) -> "Shown":
        return Shown(self.frames[:count], self.motion, self.supposed, self.shot[:count])

    def looked_at(self) -> list[int]:
        """Some dozen frames, none of which begins a shot: those are never held together with others."""
        followers = [number for number in range(1, len(self.shot)) if self.shot[number] == self.shot[number - 1]]
        return followers[::max(1, len(self.shot) // 12)]


def camera_move(size: int, frames: int) -> Shown:
    photo = datasets.sample_photo("coffee")
    move = CameraMove(photo, (round(size * 9 / 16), size), frames)
    frames_made = list(move.frames())
    supposed = estimated_motion([frame.picture for frame in frames_made], flow_between)
    return Shown(frames_made, cache(exact_motion(move)), cache(supposed), [0] * frames)


def shown(path: Path, size: int, count: int) -> Shown:
    frames = list(itertools.islice(open_clip(path, size).frames(), count))
    pictures = [frame.picture for frame in frames]
    return Shown(frames, cache(estimated_motion(pictures)), cache(estimated_motion(pictures, flow_between)), shots(pictures))


def eight_bit(styler: Styler):
    """A callable from `Frame` to uint8 `(H, W, 3)`."""
    return lambda frame: np.rint(255 * styler(frame)).astype(np.uint8)


def blurred(draw, deviation: float):
    """What `draw` makes of a frame, blurred by so many pixels."""
    return lambda frame: cv2.GaussianBlur(draw(frame), (0, 0), deviation)


def ways(model, autoencoder, style) -> dict:
    """How every way draws a frame, by name: a new callable from `Frame` to uint8 `(H, W, 3)`."""
    track = StyleTrack([(0.0, model.encode_style(style))])
    made = {name: eight_bit(Styler(model, track, stability, sample=sample)) for name, (stability, sample) in WAYS.items()}
    return made | {"per frame, blurred": blurred(made["per frame"], BLUR),
                   "AdaIN": lambda frame: to_array(adain(to_tensor(frame.picture), style, autoencoder)[0])}


def optimised(style, network) -> dict:
    """The same for method 2, with few and with more iterations a frame."""
    films = {count: FilmByMethod2(style, network, FIRST, count) for count in OTHERS}
    return {f"method 2, {count} iterations": lambda frame, film=film: film(frame.picture) for count, film in films.items()}


def measured(clip: Shown, drawing: dict, style: str, styles: dict, found: Retrieval) -> dict:
    """Every measure of every way, and the input's own, on one clip in one of the styles."""
    films, speed = {"input": clip.pictures}, {}
    for name, draw in drawing.items():
        began = time.perf_counter()
        films[name] = [draw(frame) for frame in clip.frames]
        speed[name] = len(clip.frames) / (time.perf_counter() - began)
    errors = {lag: warping_errors(films, clip.motion, clip.shot, lag) for lag in LAGS}
    supposed, rows = warping_errors(films, clip.supposed, clip.shot, 1), {}
    for name, pictures in films.items():
        some, originals = ([film[number] for number in clip.looked_at()] for film in (pictures, clip.pictures))
        rows[name] = {f"warping error, lag {lag}": errors[lag][name] for lag in LAGS}
        rows[name] |= {f"over the input's, lag {lag}": errors[lag][name] / errors[lag]["input"] for lag in LAGS}
        rows[name] |= {"over the input's, lag 1, along the blended flow": supposed[name] / supposed["input"]}
        rows[name] |= looks(some, originals, styles[style], found.distances) | {"found": found(some, style)}
        if name in speed:
            rows[name]["frames per second"] = speed[name]
    return rows


def rounded(value):
    """Figures with four digits; NaN, of a clip too short for a lag, as None."""
    if isinstance(value, dict):
        return {key: rounded(entry) for key, entry in value.items()}
    return None if np.isnan(value) else float(f"{value:.4g}")


def told(clip: str, style: str, rows: dict) -> dict:
    """Rows, rounded, and printed."""
    print(clip, style, *(f"{way}: {row}" for way, row in rounded(rows).items()), sep="\n  ", flush=True)
    return rounded(rows)


def films(given) -> dict:
    """What makes every film that is followed, by name: the camera move, and the clips that are given."""
    clips = {"camera move": lambda: camera_move(given.size, given.frames)}
    return clips | {path.stem: lambda path=path: shown(path, given.size, given.frames) for path in given.clips}


def retrieval(styles: dict) -> Retrieval:
    """Finds frames among styles."""
    return Retrieval(styles, weights.feature_distances().calibrate([*datasets.content_images().values(), *styles.values()]))


def origin(given, models: tuple[str, ...]) -> dict:
    """Provenance of figures by some models."""
    return environment("cpu") | {"data": {path.name: sha256(path)[:16] for path in given.clips},
                                 "weights": {name: sha256(weights.find(name))[:16] for name in models}}


def record(main, out: Path, description: str, frames: int, styles: int) -> None:
    """Run a benchmark of films by the command line, and keep what it found in `out` where no option differs from its default."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", nargs="+", type=Path, metavar="CLIP", help="films")
    parser.add_argument("--frames", type=int, default=frames, help="of every clip, at most")
    parser.add_argument("--size", type=int, default=320, help="longer side in pixels")
    parser.add_argument("--styles", type=int, default=styles, help="how many generated styles")
    given = parser.parse_args()
    results = main(given)
    if all(getattr(given, name) == parser.get_default(name) for name in ("frames", "size", "styles")):
        write_text(out, json.dumps(results, indent=1) + "\n")


def main(given) -> dict:
    model, autoencoder, network = st.load(MODEL, "cpu"), st.load(AUTOENCODER, "cpu"), weights.loss_network()
    styles = datasets.style_images()
    found, whole, beginnings = retrieval(styles), {}, {}
    for name, make in films(given).items():
        clip, first = make(), next(iter(styles))
        whole[name] = {style: told(name, style, measured(clip, ways(model, autoencoder, styles[style]), style, styles, found))
                       for style in list(styles)[:given.styles]}
        compared = {way: draw for way, draw in ways(model, autoencoder, styles[first]).items() if way in COMPARED}
        rows = measured(clip.beginning(SHORT), compared | optimised(styles[first], network), first, styles, found)
        beginnings[name] = {first: told(f"{name}, the first {SHORT} frames", first, rows)}
    return {"command": "python benchmarks/video.py CLIP …", "size": given.size, "frames": given.frames, "clips": whole,
            "beginnings": {"frames": SHORT, "iterations of the first": FIRST, "clips": beginnings}, "blur": BLUR,
            "settings": {name: {"sample": sample, **vars(stability)} for name, (stability, sample) in WAYS.items()},
            "provenance": origin(given, (MODEL, AUTOENCODER, weights.LOSS_NETWORK))}


if __name__ == "__main__":
    record(main, HERE / "video.json", __doc__, frames=60, styles=6)
