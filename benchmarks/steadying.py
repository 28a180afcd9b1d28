"""What else was tried to steady a stylised film, beside what `stvae video` does, written to benchmarks/steadying.json
when run with the defaults of its options.

    python benchmarks/steadying.py CLIP … [--frames 20] [--size 320]

Every way carries something from frame to frame along the optical flow of the input. Measured as in benchmarks/video.py, in the
first two styles.
"""

import argparse
import json
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from video import measured, rounded, shown

import stvae_lib as st
from stvae_lib import weights
from stvae_lib.files import write_text
from stvae_lib.pictures import datasets
from stvae_lib.pictures.images import to_tensor
from stvae_lib.provenance import environment, sha256
from stvae_lib.video.coherence import Retrieval
from stvae_lib.video.contrast import restored
from stvae_lib.video.flow import flow_between, softly_visible, warp
from stvae_lib.video.keyframes import StyleTrack
from stvae_lib.video.styler import PER_FRAME, Stability, Styler

SHARE = Stability().blend
COARSE = 4.0  # pixels: what is broader counts as tone, what is finer as stroke
STYLES = 2


class Carried:
    """Draws frames; `joined` makes a frame's result from its features or its own output, and what was carried here.

    model, style: as `STVAE.render` takes them. flow: between two pictures, as `flow.flow_between`.
    """

    def __init__(self, model, style, flow=flow_between):
        self.model, self.style, self.flow, self.last = model, style, flow, None

    @torch.inference_mode()
    def __call__(self, frame) -> np.ndarray:
        picture, back, seen = frame.picture, None, None
        if self.last is not None:
            back, forth = self.flow(picture, self.last[0]), self.flow(self.last[0], picture)
            seen = softly_visible(back, forth)
        output = self.drawn(to_tensor(picture), back, seen)
        self.last = picture, output
        return np.rint(255 * output).astype(np.uint8)

    def drawn(self, image, back, seen) -> np.ndarray:
        """The result `(H, W, 3)` of a frame. back, seen: flow to the last one, and where it holds; None for the first."""
        output = self.alone(self.model.vlt.transform(self.model.encode(image), self.style, None), image)
        return output if back is None else self.joined(output, warp(self.last[1], back), seen).clip(0, 1)

    def alone(self, features, image) -> np.ndarray:
        drawn = self.model.decode(features, image.shape[2:], self.style.modulation).clamp(0, 1)
        return np.ascontiguousarray(drawn[0].permute(1, 2, 0).numpy())

    def joined(self, output, carried, seen) -> np.ndarray:
        return restored((output + SHARE * seen * (carried - output)).clip(0, 1), output)


class Octaves(Carried):
    """Tones and strokes carried in shares of their own, and no contrast given back."""

    def __init__(self, model, style, tones: float, strokes: float):
        super().__init__(model, style)
        self.tones, self.strokes = tones, strokes

    def joined(self, output, carried, seen):
        gap = carried - output
        broad = cv2.GaussianBlur(gap, (0, 0), COARSE)
        return output + seen * (self.tones * broad + self.strokes * (gap - broad))


class EncodedResult(Carried):
    """The last result, carried here and encoded, is mixed into the transformed features, so that the decoder draws it anew."""

    def drawn(self, image, back, seen):
        features = self.model.vlt.transform(self.model.encode(image), self.style, None)
        if back is not None:
            before = self.model.encode(torch.from_numpy(warp(self.last[1], back)).permute(2, 0, 1)[None])
            features = features + 0.5 * _coarse(seen, features) * (before - features)
        return self.alone(features, image)


class ContentFeatures(Carried):
    """Features of the content are averaged along the flow before they are transformed."""

    def drawn(self, image, back, seen):
        features = self.model.encode(image)
        if back is not None:
            height, width = features.shape[2:]
            flow = cv2.resize(back, (width, height), interpolation=cv2.INTER_AREA) * (width / back.shape[1])
            before = torch.from_numpy(np.stack([warp(one, flow) for one in self.before[0].numpy()]))[None]
            features = features + SHARE * _coarse(seen, features) * (before - features)
        self.before = features
        return self.alone(self.model.vlt.transform(features, self.style, None), image)


def _coarse(seen: np.ndarray, features: torch.Tensor) -> torch.Tensor:
    return F.interpolate(torch.from_numpy(seen).permute(2, 0, 1)[None], features.shape[2:], mode="area")


finer_flow = partial(flow_between, finest=0)
TRIED = {"strokes kept more than tones": partial(Octaves, tones=0.4, strokes=SHARE),
         "tones kept more than strokes": partial(Octaves, tones=0.9, strokes=0.6),
         "last result mixed in as features": EncodedResult, "features of the content averaged": ContentFeatures,
         "flow to single pixels": partial(Carried, flow=finer_flow), "as the command does it": Carried}


def main(clips: list[Path], frames: int, size: int) -> dict:
    model, styles, rows = st.load("vgg19-slim", "cpu"), datasets.style_images(), {}
    found = Retrieval(styles, weights.feature_distances().calibrate([*datasets.content_images().values(), *styles.values()]))
    for path in clips:
        clip, rows[path.stem] = shown(path, size, frames), {}
        for name, picture in list(styles.items())[:STYLES]:
            code = model.encode_style(picture)
            plain = Styler(model, StyleTrack([(0.0, code)]), PER_FRAME)
            drawing = {"per frame": lambda frame, plain=plain: np.rint(255 * plain(frame)).astype(np.uint8)}
            drawing |= {way: make(model, model.style_from(code)) for way, make in TRIED.items()}
            rows[path.stem][name] = rounded(measured(clip, drawing, name, styles, found))
            print(path.stem, name, *(f"{way}: {row}" for way, row in rows[path.stem][name].items()), sep="\n  ", flush=True)
    return {"command": "python benchmarks/steadying.py CLIP …", "size": size, "frames": frames, "clips": rows,
            "provenance": environment("cpu") | {"weights": {"vgg19-slim": sha256(weights.find("vgg19-slim"))[:16]}}}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", nargs="+", type=Path, metavar="CLIP", help="films")
    parser.add_argument("--frames", type=int, default=20, help="of every clip, at most")
    parser.add_argument("--size", type=int, default=320, help="longer side in pixels")
    given = parser.parse_args()
    results = main(given.clips, given.frames, given.size)
    if all(getattr(given, name) == parser.get_default(name) for name in ("frames", "size")):  # else only printed
        write_text(Path(__file__).with_suffix(".json"), json.dumps(results, indent=1) + "\n")
