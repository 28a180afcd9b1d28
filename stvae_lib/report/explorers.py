"""Explorers of styles for notebook 05 and `make app`: a pure `render(settings)` under a thin shell of widgets.

Encodings are kept, so that a movement costs one transform and one decoding; the preview is small, and the picture comes
in full size when the hand rests. Errors appear in the explorer.
"""

import asyncio
import html
import io
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import anywidget
import ipywidgets as widgets
import torch
import torch.nn.functional as F
import traitlets

from ..analysis.latent import Axes, axis_effects, axis_name, principal_axes
from ..errors import InputError
from ..files import write_text
from ..model.codes import StyleCode, mix_codes
from ..model.mixing import bilinear_mix
from ..model.stvae import STVAE
from ..model.weights import load
from ..pictures.datasets import GENERATED_STYLES, content_images, style_images
from ..pictures.images import list_images, load_image, save_image, to_jpeg

PREVIEW = 256
MOST_PIXELS, MOST_BYTES = 20_000_000, 30_000_000  # of an upload
REST = 0.4  # seconds without a movement after which the full size is drawn


@dataclass(frozen=True)
class Settings:
    """What decides a picture: the content's name, the mix by style name, strength, and shifts along principal axes."""

    content: str
    mix: tuple[tuple[str, float], ...]
    strength: float = 1.0
    shifts: tuple[float, ...] = ()


class Studio:
    """Contents and styles by name with their encodings, and the pure function from settings to a picture.

    contents, styles: images `(1, 3, H, W)` by name. size: longer side of the full picture. axes: for `shifts`.
    """

    def __init__(self, model: STVAE, contents: dict, styles: dict, size: int = 512, axes: Axes | None = None):
        self.model, self.size, self.axes = model, size, axes
        self.contents, self.styles = dict(contents), dict(styles)
        self._features: dict[tuple[str, int], tuple] = {}
        self._codes: dict[str, StyleCode] = {}

    def code(self, name: str) -> StyleCode:
        """A style's code, encoded once."""
        if name not in self._codes:
            with torch.no_grad():
                self._codes[name] = self.model.encode_style(self.styles[name])
        return self._codes[name]

    def features(self, name: str, size: int):
        """A content at a longer side of `size`, and its features, encoded once."""
        if (name, size) not in self._features:
            image = self.contents[name]
            factor = min(1.0, size / max(image.shape[2:]))
            if factor < 1:
                smaller = [max(16, round(side * factor)) for side in image.shape[2:]]
                image = F.interpolate(image, smaller, mode="bilinear", antialias=True).clamp(0, 1)
            with torch.no_grad():
                self._features[name, size] = image, self.model.encode(image)
        return self._features[name, size]

    @torch.no_grad()
    def render(self, settings: Settings, size: int | None = None) -> torch.Tensor:
        """The picture of some settings `(1, 3, H, W)`, its longer side `size` (None: full). InputError where all
        shares are zero."""
        pairs = [(name, phi) for name, phi in settings.mix if phi > 0]
        if not pairs:
            raise InputError("mix", "is all zero", "raise one of them")
        total = sum(weight for _, weight in pairs)
        code = mix_codes([self.code(name) for name, _ in pairs], [weight / total for _, weight in pairs])
        if any(settings.shifts):
            code = self.axes.shifted(code, settings.shifts)
        image, features = self.features(settings.content, size or self.size)
        style = self.model.style_from(code)
        drawn = self.model.render(features, style, image.shape[2:], settings.strength).clamp(0, 1)
        return self.model.finish(drawn, image, style, settings.strength).cpu()

    def add(self, role: str, name: str, data: bytes) -> str:
        """Take an uploaded picture as "content" or "style"; returns the name it goes by. InputError on a bad file, and before
        it is decoded on a large one."""
        if len(data) > MOST_BYTES:
            raise InputError(name, f"has {len(data) / 1e6:.0f} MB", f"give a file of at most {MOST_BYTES // 10**6} MB")
        image = load_image(io.BytesIO(data), self.size, name=name, most=MOST_PIXELS)
        name = Path(name).stem
        if role == "style":
            self.styles[name] = image
            self._codes.pop(name, None)
        else:
            self.contents[name] = image
            self._features = {key: value for key, value in self._features.items() if key[0] != name}
        return name


class Pad(anywidget.AnyWidget):
    """A square to move in, by pointer or arrow keys: `point` is [x, y], from 0 (left, top) to 1."""

    _esm = Path(__file__).parent / "templates" / "pad.js"
    point = traitlets.List([0.5, 0.5]).tag(sync=True)  # one trait, so that a movement is one change
    corners = traitlets.List(traitlets.Unicode()).tag(sync=True)


class Upload(anywidget.AnyWidget):
    """A button that takes a picture's file from the browser, which refuses one of more than `most` bytes and sends any other in
    pieces. taken: called with its name and data."""

    _esm = Path(__file__).parent / "templates" / "upload.js"
    description = traitlets.Unicode().tag(sync=True)
    tooltip = traitlets.Unicode().tag(sync=True)
    most = traitlets.Int(MOST_BYTES).tag(sync=True)

    def __init__(self, taken, **traits):
        super().__init__(**traits)
        self.taken, self._pieces = taken, []
        self.on_msg(lambda _, content, buffers: self.receive(content, buffers))

    def receive(self, content: dict, buffers: list) -> None:
        """A piece of a file: {"name", "begins", "ends"}. Nothing of it is kept once it was taken."""
        self._pieces = [*([] if content["begins"] else self._pieces), *map(bytes, buffers)]
        if content["ends"]:
            data, self._pieces = b"".join(self._pieces), []
            self.taken(content["name"], data)


def renew(dropdown: widgets.Dropdown, options: list[str], value: str | None = None) -> None:
    """Give a dropdown other options and keep what was chosen (ipywidgets would go back to the first), or choose."""
    kept = dropdown.value if value is None else value
    dropdown.options = options
    dropdown.value = kept


class Explorer(widgets.VBox):
    """What all explorers share: content, strength, upload of a photograph and a style, saving, messages, the picture.

    A subclass gives its `controls` and says in `mix()` and `shifts()` what they mean.
    """

    def __init__(self, studio: Studio, controls: list, out_dir="."):
        self.studio, self.out_dir, self._later = studio, Path(out_dir), None
        self.content = widgets.Dropdown(options=list(studio.contents), description="Content")
        self.strength = widgets.FloatSlider(1.0, min=0.0, max=1.0, step=0.05, description="Strength")
        self.photo = Upload(lambda name, data: self._uploaded("content", name, data), description="Own photo",
                            tooltip="Take a photograph of yours, up to 30 MB")
        self.style_upload = Upload(lambda name, data: self._uploaded("style", name, data), description="Own style",
                                   tooltip="Take a painting of yours, up to 30 MB")
        self.save_button = widgets.Button(description="Save", icon="save", tooltip="Save picture and settings")
        self.message = widgets.HTML()
        self.picture = widgets.Image(format="jpeg", layout=widgets.Layout(flex="1 1 320px", max_width="512px"))
        for control in (self.content, self.strength):
            control.observe(self.moved, "value")
        self.save_button.on_click(lambda _: self.save())
        buttons = [self.photo, self.style_upload, self.save_button]
        for button in buttons:
            button.layout.width = "auto"
        hand = widgets.VBox([self.content, self.strength, *controls, widgets.HBox(buttons), self.message],
                            layout=widgets.Layout(width="330px"))
        # the picture beside the hand that changes it, or below where the page is narrow
        super().__init__([widgets.HBox([hand, self.picture], layout=widgets.Layout(flex_flow="row wrap"))])
        self.draw(studio.size)

    def mix(self) -> tuple[tuple[str, float], ...]:
        """Weights by style name."""
        raise NotImplementedError

    def shifts(self) -> tuple[float, ...]:
        """Shifts along the principal axes."""
        return ()

    def style_added(self, name: str) -> None:
        """A style was uploaded: show it."""
        raise NotImplementedError

    def settings(self) -> Settings:
        """What the widgets say now."""
        return Settings(self.content.value, self.mix(), self.strength.value, self.shifts())

    def moved(self, _=None) -> None:
        """Draw the preview at once and the full picture when nothing has moved for a while."""
        self.draw(PREVIEW)
        if self._later is not None:
            self._later.cancel()
        try:
            self._later = asyncio.get_running_loop().call_later(REST, self.draw, self.studio.size)
        except RuntimeError:  # no event loop outside a kernel
            self._later = None

    def draw(self, size: int) -> None:
        """Render into the picture widget; an error becomes the message."""
        try:
            self.picture.value = to_jpeg(self.studio.render(self.settings(), size))
            self.message.value = ""
        except InputError as error:
            self.show_error(error)

    def show_error(self, error: InputError) -> None:
        """A message where the hand is, not in a log."""
        self.message.value = f'<span role="alert" style="color:#c8443b">{html.escape(str(error))}</span>'

    def _uploaded(self, role: str, name: str, data: bytes) -> None:
        try:
            name = self.studio.add(role, name, data)
        except InputError as error:
            self.show_error(error)
            return
        if role == "content":
            renew(self.content, list(self.studio.contents), name)
        else:
            self.style_added(name)
        self.draw(self.studio.size)

    def save(self) -> Path | None:
        """Write the full picture as stvae-NUMBER.png with its settings as JSON beside it; says where, or why not."""
        number = 1
        while (self.out_dir / f"stvae-{number}.png").exists():
            number += 1
        path = self.out_dir / f"stvae-{number}.png"
        try:
            save_image(self.studio.render(self.settings()), path)
            text = json.dumps(asdict(self.settings()), indent=1) + "\n"
            write_text(path.with_suffix(".json"), text)
        except InputError as error:
            self.show_error(error)
            return None
        self.message.value = f'<span role="status">Saved {html.escape(path.name)} and its settings.</span>'
        return path


class MixingPad(Explorer):
    """Four styles at the corners of a square: every point is a mix of them (paper, figure 2)."""

    def __init__(self, studio: Studio, out_dir="."):
        names = list(studio.styles)
        places = ("upper left", "upper right", "lower left", "lower right")
        self.corners = [widgets.Dropdown(options=names, value=names[index % len(names)], description=place.capitalize())
                        for index, place in enumerate(places)]
        self.pad = Pad(corners=[corner.value for corner in self.corners])
        self.pad.observe(self.moved, "point")
        for corner in self.corners:
            corner.observe(self._corner_chosen, "value")
        super().__init__(studio, [*self.corners[:2], self.pad, *self.corners[2:]], out_dir)

    def _corner_chosen(self, _):
        self.pad.corners = [corner.value for corner in self.corners]
        self.moved()

    def mix(self):
        mix = bilinear_mix(*self.pad.point)
        return tuple((corner.value, phi) for corner, phi in zip(self.corners, mix))

    def style_added(self, name):
        for corner in self.corners:
            renew(corner, list(self.studio.styles), name if corner is self.corners[0] else None)


class MixingSliders(Explorer):
    """A slider per style: any number of them, in any proportion."""

    def __init__(self, studio: Studio, out_dir="."):
        self.sliders = {}
        self.box = widgets.VBox()
        for index, name in enumerate(studio.styles):
            self._add_slider(name, 1.0 if index == 0 else 0.0)
        super().__init__(studio, [self.box], out_dir)
        for slider in self.sliders.values():
            slider.observe(self.moved, "value")

    def _add_slider(self, name: str, value: float) -> widgets.FloatSlider:
        self.sliders[name] = widgets.FloatSlider(value, min=0.0, max=1.0, step=0.05, description=name,
                                                 style={"description_width": "9em"})
        self.box.children = tuple(self.sliders.values())
        return self.sliders[name]

    def mix(self):
        return tuple((name, slider.value) for name, slider in self.sliders.items())

    def style_added(self, name):
        if name not in self.sliders:
            self._add_slider(name, 0.0).observe(self.moved, "value")
        self.sliders[name].value = 1.0


class LatentAxes(Explorer):
    """From one style along the principal axes of the latent space; `labels` say what each was measured to do."""

    def __init__(self, studio: Studio, labels: list[str], out_dir="."):
        self.base = widgets.Dropdown(options=list(studio.styles), description="Start at")
        self.sliders = [widgets.FloatSlider(0.0, min=-3.0, max=3.0, step=0.1, description=label,
                                            style={"description_width": "11em"}) for label in labels]
        for control in (self.base, *self.sliders):
            control.observe(self.moved, "value")
        super().__init__(studio, [self.base, *self.sliders], out_dir)

    def mix(self):
        return ((self.base.value, 1.0),)

    def shifts(self):
        return tuple(slider.value for slider in self.sliders)

    def style_added(self, name):
        renew(self.base, list(self.studio.styles), name)


def app(model: str = "vgg19-slim", size: int = 512) -> widgets.Tab:
    """All explorers on the sample photographs and the generated styles, in tabs (`make app`)."""
    network = load(model)
    contents, styles = content_images("", size), style_images("", 256)
    codes = [network.encode_style(load_image(file, 256)) for file in list_images(GENERATED_STYLES)]
    axes = principal_axes(codes, 5)
    photos = [F.interpolate(image, (128, 128), mode="bilinear", antialias=True) for image in contents.values()]
    labels = [axis_name(effects) for effects in axis_effects(network, photos, codes, axes)]
    studio = Studio(network, contents, styles, size, axes)
    tabs = widgets.Tab([MixingPad(studio), MixingSliders(studio),
                        LatentAxes(studio, [f"{number} {label}" for number, label in enumerate(labels, start=1)])])
    tabs.titles = ("Mixing pad", "Mixing sliders", "Latent axes")
    return tabs


def write_app(path) -> None:
    """The notebook that `make app` serves: a line of text and `app()`."""
    import nbformat

    text = ("# ST-VAE explorers\n\nMove in the pad with the mouse or the arrow keys, weigh any number of styles, or walk along "
            "the principal axes of the latent space. *Save* writes the picture and its settings beside this page's notebook.")
    cells = [nbformat.v4.new_markdown_cell(text),
             nbformat.v4.new_code_cell("from stvae_lib.report import explorers\n\nexplorers.app()")]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), path)
