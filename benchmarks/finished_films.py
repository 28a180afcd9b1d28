"""What finishing does to a film: the default model's frames as it draws them and finished, by themselves and held together.

    python benchmarks/finished_films.py CLIP … [--frames 24] [--size 320] [--styles 3]

Finished frame by frame, each has colour maps of its own (pictures/palette.py), and a small change in what was drawn may move
colours everywhere; held, a shot has those of its first frame. As benchmarks/video.py, on the same clips and a camera move over a
photograph, by the same measures; fewer frames and styles, since the default model is slower. Writes
benchmarks/finished_films.json, when run with the defaults of its options.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
import video

import stvae_lib as st
from stvae_lib import weights
from stvae_lib.arguments import MODEL
from stvae_lib.files import write_text
from stvae_lib.pictures import datasets
from stvae_lib.provenance import environment, sha256
from stvae_lib.video.coherence import Retrieval
from stvae_lib.video.keyframes import StyleTrack
from stvae_lib.video.styler import PER_FRAME, Stability, Styler

OUT = Path(__file__).resolve().parent / "finished_films.json"
# name: what holds frames together, and whether they are finished
WAYS = {"drawn, per frame": (PER_FRAME, False), "finished, per frame": (PER_FRAME, True),
        "finished, colours held": (replace(PER_FRAME, colours="first", cuts=True), True),
        "drawn, blended and restored": (Stability(), False),
        "finished, blended and restored": (replace(Stability(), colours="own"), True),
        "finished, colours held, blended and restored": (Stability(), True)}


def ways(model, style: torch.Tensor) -> dict:
    """How every way draws a frame, by name: a new callable from `Frame` to uint8 `(H, W, 3)`."""
    code = model.encode_style(style)
    tracks = {True: StyleTrack([(0.0, code)]), False: StyleTrack([(0.0, replace(code, palette=None))])}

    def by(styler):
        return lambda frame: np.rint(255 * styler(frame)).astype(np.uint8)

    return {name: by(Styler(model, tracks[finished], stability)) for name, (stability, finished) in WAYS.items()}


def main(given) -> dict:
    model, styles = st.load(MODEL, "cpu"), datasets.style_images()
    clips = {"camera move": lambda: video.camera_move(given.size, given.frames)}
    clips |= {path.stem: lambda path=path: video.shown(path, given.size, given.frames) for path in given.clips}
    found = Retrieval(styles, weights.feature_distances().calibrate([*datasets.content_images().values(), *styles.values()]))
    rows = {}
    for name, make in clips.items():
        clip = make()
        rows[name] = {style: video.told(name, style, video.measured(clip, ways(model, styles[style]), style, styles, found))
                      for style in list(styles)[:given.styles]}
    data = {path.name: sha256(path)[:16] for path in given.clips}
    origin = environment("cpu") | {"data": data, "weights": {MODEL: sha256(weights.find(MODEL))[:16]}}
    return {"command": "python benchmarks/finished_films.py CLIP …", "model": MODEL, "size": given.size, "frames": given.frames,
            "clips": rows, "provenance": origin}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", nargs="*", type=Path, metavar="CLIP", help="films")
    parser.add_argument("--frames", type=int, default=24, help="of every clip, at most")
    parser.add_argument("--size", type=int, default=320, help="longer side in pixels")
    parser.add_argument("--styles", type=int, default=3, help="how many generated styles")
    given = parser.parse_args()
    results = main(given)
    if all(getattr(given, name) == parser.get_default(name) for name in ("frames", "size", "styles")):
        write_text(OUT, json.dumps(results, indent=1) + "\n")
