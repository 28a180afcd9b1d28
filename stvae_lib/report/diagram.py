"""The paper's figure 1 drawn anew, every box a link to the code that it stands for; README's table is made of the same parts."""

import io
from dataclasses import dataclass

import matplotlib.pyplot as plt
from matplotlib.patches import FancyBboxPatch

from .. import losses, statistics
from ..model import codes, linear, mixing, stvae, style_statistic, vlt, whitening
from ..model.backbones import vgg
from ..provenance import lines_of
from ..training import transform
from .figures import BLUE, INK, OCHRE

SIZE = 10.4, 4.7  # inches, and the units that boxes are placed in
NODE = 1.55, 0.86  # width and height of a box
WORD = 1.2  # width of a picture's name


@dataclass(frozen=True)
class Part:
    """A part of the method. paper: what the paper calls it. code: what it is here, to the letter of the paper. ours: what this
    project's own variant has in its place. box: how the drawing names it, and where its middle is; empty where it has none."""

    paper: str
    code: tuple
    ours: tuple = ()
    box: str = ""
    at: tuple[float, float] = (0.0, 0.0)


PARTS = {
    "whole": Part("the whole: IAE, VLT, several styles", (stvae.STVAE,)),
    "autoencoder": Part("IAE: image encoder and image decoder, pretrained together", (stvae.AutoEncoder,)),
    "encoder": Part("image encoder", (vgg.VGG,), box="image encoder", at=(2.6, 3.8)),
    "same encoder": Part("", (vgg.VGG,), box="image encoder\n(the same)", at=(2.6, 0.9)),
    "decoder": Part("image decoder", (vgg.VGGDecoder,), box="image decoder", at=(8.1, 3.8)),
    "content matrix": Part("conv → Gram → fc, for C", (vlt.MatrixBranch,), (whitening.WhiteningTransform.matrix_from,),
                           "matrix C\nof the content", (4.5, 2.6)),
    "style matrix": Part("conv → Gram → fc, for S", (vlt.MatrixBranch,), (whitening.WhiteningTransform.style_root,),
                         "statistics\nof the style", (4.5, 0.9)),
    "gram": Part("Gram matrix, covariance", (statistics.gram, statistics.covariance)),
    "vae": Part("style → μ, σ, and z → style", (vlt.PaperVLT, vlt.ReleasedVLT), (style_statistic.StatisticVAE,),
                "VAE: μ, σ", (6.3, 0.9)),
    "sample": Part("z = μ + σ·ε", (codes.StyleCode,)),
    "mix": Part("mixing, Σ φᵢ N(μᵢ, σᵢ); the grid of figure 2", (codes.mix_codes, mixing.mixing_grid), (),
                "z, mixed:\nΣ φᵢ zᵢ", (8.1, 0.9)),
    "decoded": Part("z → S", (vlt.PaperVLT.decode_style,), (vlt.JointVLT.decode_style,), "matrix S,\ndecoded", (8.1, 2.6)),
    "transform": Part("T = S·C", (vlt.VariationalLinearTransform,), (whitening.WhiteningTransform.coloured,), "T = S·C",
                      (6.3, 2.6)),
    "linear": Part("compress, T, decompress, + mean of the style", (linear.LinearTransform,), (),
                   "compress, T,\ndecompress", (6.3, 3.8)),
    "losses": Part("content, style and KL loss", (losses.FeatureDistances, losses.kl_divergence, transform.VLTTraining)),
}
PICTURES = {"photograph": (0.85, 3.8), "styles 1 … K": (0.85, 0.9), "stylised picture": (9.75, 3.8)}
ARROWS = [("photograph", "encoder"), ("encoder", "linear"), ("linear", "decoder"), ("decoder", "stylised picture"),
          ("styles 1 … K", "same encoder"), ("same encoder", "style matrix"), ("style matrix", "vae"), ("vae", "mix"),
          ("encoder", "content matrix"), ("content matrix", "transform"), ("mix", "decoded"), ("decoded", "transform"),
          ("transform", "linear")]
ALT = ("The method as a flow chart. A photograph is encoded; its features go through a linear transform to a decoder, which "
       "draws the picture. The transform's matrix T is the product of a matrix C of the content and a matrix S, which is decoded "
       "from a code z: styles are encoded, their statistics go through a variational autoencoder, and their codes are mixed.")
NOTE = "Blue: as in the paper. Ochre: where this project's own variant has something else as well."


def table() -> str:
    """Markdown: the parts in the paper's words, and their code as links."""
    def links(parts) -> str:
        return ", ".join(f"[`{lines_of(part).split('#')[0].split('/')[-1]}: {part.__qualname__}`]({lines_of(part).split('#')[0]})"
                         for part in parts)

    rows = [f"| {part.paper} | {links(part.code)}{f'; ours: {links(part.ours)}' * bool(part.ours)} |"
            for part in PARTS.values() if part.paper]
    return "\n".join(["| in the paper | in the code |", "| --- | --- |", *rows])


def svg() -> str:
    """The drawing, as an SVG element whose boxes link to lines of code, seen from the folder of the notebooks."""
    with plt.rc_context({"svg.fonttype": "none", "svg.hashsalt": "diagram", "font.family": "sans-serif", "font.size": 9}):
        figure = plt.figure(figsize=SIZE)
        axis = figure.add_axes((0, 0, 1, 1), xlim=(0, SIZE[0]), ylim=(0, SIZE[1]))
        axis.axis("off")
        places = PICTURES | {name: part.at for name, part in PARTS.items() if part.box}
        for name, place in PICTURES.items():
            axis.text(*place, name, ha="center", va="center", color=INK, style="italic")
        for part in PARTS.values():
            if part.box:
                _box(axis, part)
        for names in ARROWS:
            _arrow(axis, *(places[name] for name in names), *(WORD if name in PICTURES else NODE[0] for name in names))
        axis.text(0.2, 4.45, NOTE, color=INK)
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", transparent=False, metadata={"Date": None, "Creator": None})
        plt.close(figure)
    text = buffer.getvalue()
    return text[text.index("<svg"):].replace("<svg", f"<svg class=\"diagram\" aria-label=\"{ALT}\"", 1)


def _box(axis, part: Part) -> None:
    (x, y), (width, height) = part.at, NODE
    code = (part.ours or part.code)[0]
    link, colour = f"../{lines_of(code)}", OCHRE if part.ours else BLUE
    axis.add_patch(FancyBboxPatch((x - width / 2, y - height / 2), width, height, boxstyle="round,pad=0,rounding_size=0.1",
                                  facecolor="white", edgecolor=colour, linewidth=1.8, url=link))
    axis.text(x, y + 0.1, part.box, ha="center", va="center", color=INK, url=link)
    axis.text(x, y - height / 2 + 0.06, code.__name__, ha="center", va="bottom", color=colour, fontsize=7, url=link)


def _arrow(axis, start: tuple[float, float], end: tuple[float, float], *widths: float) -> None:
    """From the side of one place to the side of another, each with its width: along a row, else upwards or downwards."""
    ends = []
    for (x, y), (other_x, other_y), width in ((start, end, widths[0]), (end, start, widths[1])):
        if y == other_y:
            ends.append((x + (width / 2 + 0.06) * (1 if other_x > x else -1), y))
        else:
            ends.append((x, y + (NODE[1] / 2 + 0.06) * (1 if other_y > y else -1)))
    axis.annotate("", ends[1], ends[0], arrowprops={"arrowstyle": "-|>", "color": INK, "lw": 1.2, "shrinkA": 0, "shrinkB": 0})
