"""The page `Try it`: a model that runs in the reader's browser, on the reader's pictures, which never leave it.

Every part is a script, because a browser lets a page that was opened from a file load scripts and nothing else.
"""

import base64
import gzip
import html
import json
import warnings
from pathlib import Path
from string import Template

import torch

from ..errors import InputError
from ..files import check_writable, make_folder, write_text
from ..model import weights
from ..model.export import check_exportable, describe_graphs, onnx_graphs
from ..model.mixing import bilinear_mix
from ..model.stvae import STVAE
from ..pictures.datasets import GENERATED_STYLES, sample_photo
from ..pictures.images import list_images, load_image, to_array
from .runtime import runtime_files
from .standalone import as_json, picture_address, standalone_page, template

PAGE, FOLDER = "try_it.html", "try_it"
PHOTO = "chelsea"
CORNERS = ("stained_glass", "marbling", "woodcut", "mosaic")  # upper left, upper right, lower left, lower right
POINT = (0.35, 0.3)
CHECK_SIDE = 48


def build_try_it(folder, model: str = "vgg19-slim", home: str = "") -> Path:
    """Write the page with a model (name or path) into a folder, its scripts into `try_it/` beside it; returns the page.

    home: what the page links back to, relative to the folder. Without a runtime the page says so and offers nothing else.
    Raises InputError on a model that cannot be exported; then nothing is written.
    """
    loaded = weights.load_stvae(model, "cpu")
    check_exportable(loaded, model)
    make_folder(folder)
    check_writable(Path(folder) / PAGE)
    loaded.photo_share = None  # the graphs draw and do not finish
    try:
        runtime = runtime_files()
    except InputError as error:
        warnings.warn(f"{error}: the page {PAGE} goes without its model", stacklevel=2)
        return _write(Path(folder), {PAGE: _page("missing.html", home)})
    graphs = onnx_graphs(loaded)
    note = describe_graphs(model, loaded, graphs)
    scripts = {"model.js": _script("stvaeModel", note=note, check=_check(loaded), graphs=_packed(graphs))}
    for device, (module, wasm) in runtime.items():
        files = _packed({"module": module.read_bytes(), "wasm": wasm.read_bytes()})
        scripts[f"runtime_{device}.js"] = _script("stvaeRuntime", **files)
    made = {"folder": FOLDER, "bytes": {name: len(text) for name, text in scripts.items()}, "point": POINT,
            "corners": CORNERS, "latent": note["latent"]} | _pictures(loaded)
    page = _page("page.html", home, model=html.escape(note["model"]), made=as_json(made),
                 worker=template("try_it/worker.js"), script=template("try_it/page.js"))
    return _write(Path(folder), {f"{FOLDER}/{name}": text for name, text in scripts.items()} | {PAGE: page})


def _pictures(model: STVAE) -> dict:
    """Pictures within the page: its photograph, one style of each kind, and what the page shows before the model is there."""
    files = [file for file in list_images(GENERATED_STYLES) if file.stem.endswith("_0")]
    styles = {file.stem.removesuffix("_0"): load_image(file) for file in files}
    photo = sample_photo(PHOTO)
    first = model.stylize(photo, [styles[name] for name in CORNERS], bilinear_mix(*POINT))
    return {"photo": picture_address(photo), "first": picture_address(first),
            "styles": [{"name": name, "title": name.replace("_", " "), "picture": picture_address(picture)}
                       for name, picture in styles.items()]}


def _check(model: STVAE) -> dict:
    """A small photograph and style, and the picture that must come of them: what a runtime is tried with before it is used,
    because drivers of graphics cards differ. Each is `CHECK_SIDE` pixels wide and high, as red, green, blue, alpha."""
    content = sample_photo(PHOTO)[..., 60:60 + CHECK_SIDE, 100:100 + CHECK_SIDE]
    style = load_image(GENERATED_STYLES / f"{CORNERS[0]}_0.png")[..., :CHECK_SIDE, :CHECK_SIDE]
    pictures = {"content": content, "style": style, "wanted": model.stylize(content, style)}
    return {"side": CHECK_SIDE} | _packed({name: _rgba(picture) for name, picture in pictures.items()})


def _rgba(image: torch.Tensor) -> bytes:
    return to_array(torch.cat([image, torch.ones_like(image[:, :1])], dim=1)).tobytes()


def _packed(files: dict[str, bytes]) -> dict[str, str]:
    """Files as text within a script: compressed, then base64."""
    return {name: base64.b64encode(gzip.compress(data, mtime=0)).decode() for name, data in files.items()}


def _script(name: str, **values) -> str:
    return f"globalThis.{name} = {json.dumps(values)};\n"


def _page(name: str, home: str, **values) -> str:
    link = f'<a href="{html.escape(home)}">ST-VAE Notebooks</a>' if home else "ST-VAE Notebooks"
    body = Template(template(f"try_it/{name}")).substitute(home=link, **values)
    return standalone_page("Try it", template("try_it/page.css"), body)


def _write(folder: Path, texts: dict[str, str]) -> Path:
    """Texts by name into a folder, the page last, so that one that is there is whole; returns the page."""
    make_folder(folder)
    for name, text in texts.items():
        make_folder((folder / name).parent)
        write_text(folder / name, text)
    return folder / PAGE
