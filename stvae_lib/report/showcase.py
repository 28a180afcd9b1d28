"""Pictures that stand for the whole: notebook 00 draws them, README and the landing page show them."""

import html
import re
import shutil
from pathlib import Path

import torch

from ..files import make_folder, write_bytes
from ..model.stvae import STVAE
from ..pictures import datasets
from ..pictures.images import resized, to_jpeg

STYLES = ("rose_window_0", "stained_glass_0", "brush_strokes_0", "marbling_0")  # chosen by eye
SHIPPED = ("The photographs come with scikit-image; the styles are drawn by generators, and these four of eight kinds were "
           "chosen by eye. No training saw a photograph or a style of these. The pictures are finished: a fifth of the "
           "photograph is in them, and the style's colours (notebook 02).")
GALLERY = "gallery"
HANDLE = "before.jpg", "after.jpg", "style.jpg"
PLACES = {"opening.webp": "opening.webp"} | {name: f"_static/{name}" for name in HANDLE}  # in docs/
SIDE, THUMB, QUALITY = 448, 96, 80


def styles_of(folder="", size: int = 256) -> dict[str, torch.Tensor]:
    """Four styles by name, `(1, 3, H, W)`, longer side `size`: the first of a folder, or of the shipped ones `STYLES`."""
    if folder:
        return datasets.style_images(folder, size, len(STYLES))
    shipped = datasets.style_images("", size)
    return {name: shipped[name] for name in STYLES}


@torch.no_grad()
def draw(model: STVAE, folder: Path, content_dir="", style_dir="") -> None:
    """Leave in a folder the two ends of the landing page's handle, `before.jpg` and `after.jpg`, their `style.jpg`, and its
    gallery: three photographs in four styles, each `PHOTO--STYLE.jpg`, and the styles, each `STYLE.jpg`."""
    make_folder(folder / GALLERY)
    photos = datasets.content_images(content_dir, SIDE, 3)
    large = next(iter(datasets.content_images(content_dir, 640, 1).values()))
    for number, (name, style) in enumerate(styles_of(style_dir, SIDE).items()):
        code = model.encode_style(style.to(model.device))
        if number == 0:
            _write(large, folder / "before.jpg")
            _write(model.stylize(large.to(model.device), code), folder / "after.jpg")
            _write(resized(style, (2 * THUMB, 2 * THUMB)), folder / "style.jpg")
        _write(resized(style, (THUMB, THUMB)), folder / GALLERY / f"{name}.jpg")
        for photo, image in photos.items():
            _write(model.stylize(image.to(model.device), code), folder / GALLERY / f"{photo}--{name}.jpg")


def _write(image: torch.Tensor, file: Path) -> None:
    write_bytes(file, to_jpeg(image.cpu(), QUALITY))


def take(run: Path, docs: Path) -> None:
    """Put the pictures that notebook 00 left in its folder `run` where Sphinx reads them, as far as there are any."""
    for name, place in PLACES.items():
        if (run / name).exists():
            shutil.copy(run / name, docs / place)
    if (run / GALLERY).is_dir():
        shutil.rmtree(docs / "_static" / GALLERY, ignore_errors=True)
        shutil.copytree(run / GALLERY, docs / "_static" / GALLERY)


def gallery(docs: Path) -> str:
    """HTML of the gallery in a folder of Sphinx's sources: a thumbnail for each picture, with its style in a corner; a click
    opens it at its full size. Empty where there are no pictures."""
    files = sorted((docs / "_static" / GALLERY).glob("*--*.jpg"))
    return "\n".join(_thumbnail(*file.stem.split("--", 1)) for file in files)


def origin(docs: Path) -> str:
    """Where the pictures of the gallery come from, in sentences; empty where they are a reader's own."""
    styles = {file.stem.split("--")[1] for file in (docs / "_static" / GALLERY).glob("*--*.jpg")}
    return SHIPPED if styles and styles <= set(STYLES) else ""


def _thumbnail(photo: str, style: str) -> str:
    shelf, file = f"_static/{GALLERY}", html.escape(f"{photo}--{style}.jpg")
    said = html.escape(f"{spoken(photo)} × {spoken(style)}")
    return (f'<figure class="enlarge"><a class="image-reference" href="{shelf}/{file}"><img src="{shelf}/{file}" loading="lazy" '
            f'alt="The photograph {html.escape(spoken(photo))}, painted in the style {html.escape(spoken(style))}"></a>'
            f'<figcaption><img src="{shelf}/{html.escape(style)}.jpg" alt="The style {html.escape(spoken(style))}"> {said}'
            "</figcaption></figure>")


def spoken(name: str) -> str:
    """A picture's name as it is said: `stained_glass_0` is "stained glass"; scikit-image's `chelsea` is a cat."""
    return "cat" if name == "chelsea" else re.sub(r"_\d$", "", name).replace("_", " ")
