"""Twelve pairs by every method, with metrics and controls: the recorded run behind notebook 04.

    python benchmarks/comparison.py EVAL_FOLDER [METHOD …] [--limit N] [--out FOLDER]

Nine pairs are of pictures that come with the project: three photographs, each in a stained glass of its own and in two other
styles. Three are of photographs and real stained glass of EVAL_FOLDER (as for benchmarks/yardstick.py): their figures are
kept, their pictures are not. All are squares of 256 pixels. Methods 1 to 3 ask the published VGG-16 at full width (`stvae
fetch vgg16`) as often as published, or at most N times at every scale; two published networks judge (`stvae fetch
resnet50-half`), among all styles and contents of EVAL_FOLDER and of the pairs.

Every method works in a process of its own, so that its peak memory is its own. Writes into data/runs/comparison:
METHOD/card.json, a row for every pair as soon as it is drawn and judged; METHOD/PHOTO--STYLE.jpg; and of the first pair
METHOD/strip.jpg. Killed and started again, it goes on with the pairs that have no row yet, or whose optimisation diverged.
"""

import argparse
import functools
import json
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import torch
from PIL import Image, ImageOps

import stvae_lib as st
from stvae_lib import InputError, baselines, weights
from stvae_lib.baselines import refinement
from stvae_lib.baselines.gatys import METHOD_1, METHOD_2
from stvae_lib.baselines.optimisation import History
from stvae_lib.baselines.patches import METHOD_3
from stvae_lib.evaluation import drawing, metrics
from stvae_lib.evaluation.judges import NETWORKS, Judge
from stvae_lib.evaluation.timing import process_peak_mb
from stvae_lib.files import make_folder, write_text
from stvae_lib.pictures import datasets
from stvae_lib.pictures.images import list_images, open_picture, resized, to_array, to_tensor
from stvae_lib.provenance import environment

OUT = Path(__file__).resolve().parent.parent / "data" / "runs" / "comparison"
SIZE = 256  # side of the pictures
PHOTOS = {"portrait": "astronaut", "architecture": "rocket", "character": "chelsea"}
GLASS = {"portrait": "stained_glass_0", "architecture": "rose_window_0", "character": "stained_glass_1"}
OTHERS = ("brush_strokes_0", "cubist_0")
REAL = {"portrait": ("c10", "s46"), "architecture": ("c26", "s50"), "character": ("c16", "s48")}  # of EVAL_FOLDER
PUBLISHED = {"method-1": METHOD_1, "method-2": METHOD_2, "method-3": METHOD_3}


def pairs() -> list[dict]:
    """What every row begins with: the first three as the student report chose them, with glass that ships, the last three with
    real glass."""
    rows = [{"photo": role, "style_name": GLASS[role], "glass": True, "shown": True} for role in PHOTOS]
    rows += [{"photo": role, "style_name": style, "glass": False, "shown": True} for role in PHOTOS for style in OTHERS]
    return rows + [{"photo": photo, "style_name": style, "glass": True, "shown": False} for photo, style in REAL.values()]


def square(picture: Image.Image) -> torch.Tensor:
    """The middle of a picture as `(1, 3, SIZE, SIZE)`."""
    return to_tensor(ImageOps.fit(picture, (SIZE, SIZE), Image.Resampling.LANCZOS))


def known_pictures(folder: Path) -> tuple[dict, dict]:
    """All contents and all styles that a picture's own are to be found among, by name."""
    contents = {role: square(Image.fromarray(to_array(datasets.sample_photo(name)))) for role, name in PHOTOS.items()}
    styles = {name: square(open_picture(datasets.GENERATED_STYLES / f"{name}.png")) for name in (*GLASS.values(), *OTHERS)}
    for kind, found in (("content", contents), ("style", styles)):
        found |= {file.stem: square(open_picture(file)) for file in list_images(folder / "set" / kind)}
    return contents, styles


def unchanged(image):
    return image, History()


def optimising(name: str, limit: int, **options):
    """A method that optimises, with the full-width network and as often as published, or `limit` times at every scale."""
    network, published = weights.loss_network("vgg16", "relu5_3"), PUBLISHED[name]
    count = min(published.iterations, limit)
    options |= {"iterations": count, "snapshots": (1, 10, 50, count * len(published.scales) - 1)}
    return lambda content, style: baselines.OPTIMISING[name](content, style, network, **options)


def in_model(name: str, **how):
    model = st.load(name, "cpu")
    return lambda content, style: unchanged(model.stylize(content, style, **how))


def refined(name: str, steps: int = 20):
    """A model's picture, drawn on by some steps down the losses of the full-width network."""
    method, distances = in_model(name), weights.feature_distances(refinement.LOSS_NETWORK)
    return lambda content, style: unchanged(refinement.refine(method(content, style)[0], content, [style], distances, steps))


def moved(method, by: int = SIZE // 16):
    """A method's picture moved by some pixels to the right and down: its style stays, its structure does not lie where it was."""
    return lambda content, style: unchanged(method(content, style)[0].roll((by, by), (2, 3)))


def with_grain(image, deviation: float = 0.02):
    return (image + deviation * torch.randn(image.shape, generator=torch.Generator().manual_seed(0))).clamp(0, 1)


def in_autoencoder(name: str):
    model = st.load("vgg16-half-autoencoder", "cpu")
    return lambda content, style: baselines.STATISTICAL[name](content, style, model)


def reconstruction():
    model = st.load("vgg16-half-autoencoder", "cpu")
    return lambda content, style: unchanged(model.reconstruct(content))


# name -> a function of the limit that makes `method(content, style) -> (image, history)`; the dearest come last
METHODS = {
    "control-content": lambda _: lambda content, style: unchanged(content),
    "control-style": lambda _: lambda content, style: unchanged(style),
    "control-blend": lambda _: lambda content, style: unchanged((content + style) / 2),
    "control-reconstruction": lambda _: reconstruction(),
    "control-grain": lambda _: lambda content, style: unchanged(with_grain(content)),
    "control-weak": lambda _: in_model("vgg16-half", strength=0.5),
    "control-moved": lambda _: moved(in_model("vgg16-half")),
    "adain": lambda _: in_autoencoder("adain"),
    "wct": lambda _: in_autoencoder("wct"),
    "vgg16-half": lambda _: in_model("vgg16-half"),
    "vgg19-slim": lambda _: in_model("vgg19-slim"),
    "resnet50-slim": lambda _: in_model("resnet50-slim"),
    "vgg16-half-refined": lambda _: refined("vgg16-half"),
    "method-1": lambda limit: optimising("method-1", limit),
    "method-3": lambda limit: optimising("method-3", limit),
    "method-2": lambda limit: optimising("method-2", limit, colour="yuv"),
}
prepared = functools.cache(lambda name, limit: METHODS[name](limit))


def draw(name: str, limit: int, content, style) -> dict:
    """One picture by one method, in that method's process; pictures go in and out as arrays."""
    content, style = torch.from_numpy(content), torch.from_numpy(style)
    method = prepared(name, limit)
    with torch.set_grad_enabled(name in PUBLISHED):
        if name not in PUBLISHED:
            method(content, style)  # the first call is slower than all that follow
        began = time.process_time()
        image, history = method(content, style)
        seconds = time.process_time() - began
    return {"image": image.detach().numpy(), "losses": history.losses,
            "stages": {number: stage.numpy() for number, stage in history.snapshots.items()},
            "cost": {"cpu seconds": round(seconds, 3), "peak memory (MB)": round(process_peak_mb()),
                     "evaluations": len(history.losses), "stopped": history.stopped}}


class Panel:
    """All that measures a picture: metrics of the slim network, measures of drawing, and the judges."""

    def __init__(self, contents: dict, styles: dict):
        self.contents, self.styles = contents, styles
        self.distances = weights.feature_distances().calibrate([*contents.values(), *styles.values()])
        self.judges = {name: Judge(name, styles, contents) for name in NETWORKS}

    def __call__(self, image: torch.Tensor, photo: str, style: str) -> dict[str, float]:
        found = metrics.measure(image, self.contents[photo], self.styles[style], self.distances) | drawing.measures(image)
        for name, judge in self.judges.items():
            found |= {f"{name}: {measure}": value for measure, value in judge(image, photo, style).items()}
        return {measure: round(value, 5) for measure, value in found.items()}


def settings_of(name: str, limit: int) -> dict:
    """What a card's rows have in common."""
    if name not in PUBLISHED:
        return {"size": SIZE}
    count, scales = PUBLISHED[name].iterations, PUBLISHED[name].scales
    return {"size": SIZE, "network": "vgg16", "iterations": min(count, limit), "scales": list(scales), "published": count}


def begun(file: Path, name: str, limit: int) -> dict:
    """A method's card with the rows that it has; InputError where they were made with other settings."""
    settings = settings_of(name, limit)
    if not file.exists():
        return {"method": name, **settings, "rows": [], "provenance": environment("cpu")}
    card = json.loads(file.read_text(encoding="utf-8"))
    if {key: card.get(key) for key in settings} != settings:
        raise InputError(file, "was made with other settings", "delete it, or give the same --limit")
    return card


def side_by_side(stages) -> torch.Tensor:
    """Pictures of one optimisation at the size of the last: a method that goes from coarse to fine begins with small ones."""
    return torch.cat([resized(torch.from_numpy(stage), (SIZE, SIZE)) for stage in stages], dim=3)


def run(name: str, limit: int, out: Path, panel: Panel) -> None:
    """All pairs of one method that have no row yet."""
    make_folder(out / name, "choose a writable --out")
    file = out / name / "card.json"
    card = begun(file, name, limit) | {"known": {"styles": len(panel.styles), "contents": len(panel.contents)}}
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        for number, pair in enumerate(pairs()):
            if number < len(card["rows"]) and card["rows"][number]["stopped"] != "diverged":
                continue
            photo, style = pair["photo"], pair["style_name"]
            drawn = pool.submit(draw, name, limit, panel.contents[photo].numpy(), panel.styles[style].numpy()).result()
            image = torch.from_numpy(drawn["image"])
            if pair["shown"]:
                st.save_image(image.clamp(0, 1), out / name / f"{photo}--{style}.jpg")
            if drawn["losses"] and number == 0:
                card |= {"losses": drawn["losses"], "strip": list(drawn["stages"])}
                st.save_image(side_by_side(drawn["stages"].values()), out / name / "strip.jpg")
            card["rows"][number:number + 1] = [pair | drawn["cost"] | panel(image, photo, style)]
            write_text(file, json.dumps(card, indent=1) + "\n")
            print(f"{name:24s} {photo:12s} {style:16s} {drawn['cost']['cpu seconds']:8.1f} s of CPU", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="EVAL_FOLDER")
    parser.add_argument("methods", nargs="*", metavar="METHOD", help="all where none is named")
    parser.add_argument("--limit", type=int, default=10**6, help="evaluations at every scale, where fewer than published")
    parser.add_argument("--out", type=Path, default=OUT)
    given = parser.parse_args()
    for name in given.methods:
        if name not in METHODS:
            parser.error(f"unknown method {name!r}; use some of {', '.join(METHODS)}")
    if given.limit < 1:
        parser.error("--limit must be 1 or more")
    panel = Panel(*known_pictures(given.folder))
    for name in given.methods or METHODS:
        run(name, given.limit, given.out, panel)


if __name__ == "__main__":
    try:
        main()
    except InputError as error:
        print(f"comparison: {error}", file=sys.stderr)
        sys.exit(2)
