"""What finishing does to a film: the default model's frames as it draws them and finished, by themselves and held together.

    python benchmarks/finished_films.py CLIP … [--frames 24] [--size 320] [--styles 3]

Finished frame by frame, each has colour maps of its own (pictures/palette.py), and a small change in what was drawn may move
colours everywhere; held, a shot has those of its first frame. As benchmarks/video.py, on the same clips and a camera move over a
photograph, by the same measures; fewer frames and styles, since the default model is slower. Writes
benchmarks/finished_films.json, when run with the defaults of its options.
"""

from dataclasses import replace
from pathlib import Path

import torch
import video

import stvae_lib as st
from stvae_lib.arguments import MODEL
from stvae_lib.pictures import datasets
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
    return {name: video.eight_bit(Styler(model, tracks[finished], stability)) for name, (stability, finished) in WAYS.items()}


def main(given) -> dict:
    model, styles = st.load(MODEL, "cpu"), datasets.style_images()
    found, rows = video.retrieval(styles), {}
    for name, make in video.films(given).items():
        clip = make()
        rows[name] = {style: video.told(name, style, video.measured(clip, ways(model, styles[style]), style, styles, found))
                      for style in list(styles)[:given.styles]}
    return {"command": "python benchmarks/finished_films.py CLIP …", "model": MODEL, "size": given.size, "frames": given.frames,
            "clips": rows, "provenance": video.origin(given, (MODEL,))}


if __name__ == "__main__":
    video.record(main, OUT, __doc__, frames=24, styles=3)
