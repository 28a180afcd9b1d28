"""The paper's figure 1 drawn anew, every box with links to the code that it stands for; README's table has the same parts."""

import html
from dataclasses import dataclass

from .. import losses, statistics
from ..model import codes, linear, mixing, stvae, style_statistic, vlt, whitening
from ..model.backbones import vgg
from ..provenance import lines_of
from ..training import transform
from .figures import BLUE, INK

WIDTH, HEIGHT = 1040, 470  # units of the drawing
NODE = 150, 92  # width and height of a box
WORD = 120  # width of a picture's name
OURS = "#8a6510"  # this project's own: an ochre that can be read on white
MARKER = ('<defs><marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" orient="auto">'
          f'<path d="M0 0 10 5 0 10z" fill="{INK}"/></marker></defs>')


@dataclass(frozen=True)
class Part:
    """A part of the method. paper: what the paper calls it. code: what it is here, to the letter of the paper. ours: what this
    project's own variant has in its place. box: the lines of its name in the drawing, and where its middle is; empty where it has
    no box."""

    paper: str
    code: tuple
    ours: tuple = ()
    box: str = ""
    at: tuple[int, int] = (0, 0)


PARTS = {
    "whole": Part("the whole: IAE, VLT, several styles", (stvae.STVAE,)),
    "autoencoder": Part("IAE: image encoder and image decoder, pretrained together", (stvae.AutoEncoder,)),
    "encoder": Part("image encoder", (vgg.VGG,), box="image encoder", at=(260, 100)),
    "same encoder": Part("", (vgg.VGG,), box="image encoder\n(the same)", at=(260, 410)),
    "decoder": Part("image decoder", (vgg.VGGDecoder,), box="image decoder", at=(810, 100)),
    "content matrix": Part("conv → Gram → fc, for C", (vlt.MatrixBranch,), (whitening.WhiteningTransform.matrix_from,),
                           "matrix C\nof the content", (450, 235)),
    "style matrix": Part("conv → Gram → fc, for S", (vlt.MatrixBranch,), (vlt.JointVLT.raw_statistic,),
                         "statistics\nof the style", (450, 410)),
    "gram": Part("Gram matrix, covariance", (statistics.gram, statistics.covariance)),
    "vae": Part("style → μ, σ", (vlt.PaperVLT.encode_style, vlt.ReleasedVLT.encode_style), (style_statistic.StatisticVAE,),
                "VAE: μ, σ", (630, 410)),
    "mix": Part("mixing, Σ φᵢ N(μᵢ, σᵢ²); the grid of figure 2", (codes.mix_codes, mixing.mixing_grid), (),
                "mixed:\nΣ φᵢ N(μᵢ, σᵢ²)", (810, 410)),
    "sample": Part("z = μ + σ·ε", (codes.StyleCode.z,)),
    "decoded": Part("z → S, and the style's mean", (vlt.PaperVLT.decode_style,), (vlt.JointVLT.decode_style,),
                    "decoded from z:\nS, the mean", (810, 235)),
    "transform": Part("T = S·C", (vlt.VariationalLinearTransform,), (whitening.WhiteningTransform.coloured,), "T = S·C",
                      (630, 235)),
    "linear": Part("compress, T, decompress, + mean of the style", (linear.LinearTransform,), (),
                   "compress, T,\ndecompress, + mean", (630, 100)),
    "losses": Part("content, style and KL loss", (losses.FeatureDistances, losses.kl_divergence, transform.VLTTraining)),
}
PICTURES = {"photograph": (80, 100), "styles 1 … K": (80, 410), "stylised picture": (975, 100)}
ARROWS = [("photograph", "encoder"), ("encoder", "linear"), ("linear", "decoder"), ("decoder", "stylised picture"),
          ("styles 1 … K", "same encoder"), ("same encoder", "style matrix"), ("style matrix", "vae"), ("vae", "mix"),
          ("encoder", "content matrix"), ("content matrix", "transform"), ("mix", "decoded"), ("decoded", "transform"),
          ("transform", "linear"), ("decoded", "linear")]
OUR_ARROWS = [("decoded", "decoder")]  # the style also modulates the decoder
ALT = ("The method as a flow chart. A photograph is encoded; its features go through a linear transform, to which the style's "
       "mean is added, to a decoder, which draws the picture. The transform's matrix T is the product of a matrix C of the "
       "content and a matrix S of the style. Styles are encoded, their statistics go through a variational autoencoder, their "
       "codes are mixed, and S and the mean are decoded from what is drawn of the mix. In this project the style also modulates "
       "the decoder.")
NOTE = "Blue and solid: the paper's. Ochre, dashed: what this project's own variant has besides. Names lead to the code."


def table() -> str:
    """Markdown: the parts in the paper's words, and their code as links."""
    def links(parts) -> str:
        return ", ".join(f"[`{_file(part).split('/')[-1]}: {part.__qualname__}`]({_file(part)})" for part in parts)

    rows = [f"| {part.paper} | {links(part.code)}{f'; ours: {links(part.ours)}' * bool(part.ours)} |"
            for part in PARTS.values() if part.paper]
    return "\n".join(["| in the paper | in the code |", "| --- | --- |", *rows])


def _file(code) -> str:
    return lines_of(code).split("#")[0]


def svg() -> str:
    """The drawing, as an SVG element whose links lead to lines of code, seen from the folder of the notebooks."""
    drawn = [_text(x, y, name, style="font-style:italic") for name, (x, y) in PICTURES.items()]
    drawn += [_box(part) for part in PARTS.values() if part.box]
    drawn += [_arrow(*names) for names in ARROWS] + [_arrow(*names, ours=True) for names in OUR_ARROWS]
    return (f'<svg xmlns="http://www.w3.org/2000/svg" class="diagram" role="group" viewBox="0 0 {WIDTH} {HEIGHT}" '
            f'font-family="sans-serif" font-size="13" aria-label="{html.escape(ALT)}">{MARKER}'
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>{"".join(drawn)}</svg>')


def _text(x: float, y: float, text: str, colour: str = INK, size: int = 13, style: str = "") -> str:
    return (f'<text x="{x:g}" y="{y:g}" text-anchor="middle" dominant-baseline="middle" fill="{colour}" font-size="{size}" '
            f'style="{style}">{html.escape(text)}</text>')


def _box(part: Part) -> str:
    """A part's name, and below it what it is in code, the paper's and ours, each a link."""
    (x, y), (width, height) = part.at, NODE
    colour, dash = (OURS, ' stroke-dasharray="7 4"') if part.ours else (BLUE, "")
    lines, links = part.box.splitlines(), [(part.code[0], BLUE), *((code, OURS) for code in part.ours[:1])]
    parts = [f'<rect x="{x - width / 2:g}" y="{y - height / 2:g}" width="{width}" height="{height}" rx="10" fill="white" '
             f'stroke="{colour}" stroke-width="2"{dash}/>']
    parts += [_text(x, y - 30 + 17 * row + 8 * (len(lines) == 1), line) for row, line in enumerate(lines)]
    for row, (code, own) in enumerate(links):
        name = _text(x, y + 35 - 15 * (len(links) - 1 - row), code.__name__, own, 11)
        parts.append(f'<a href="../{lines_of(code)}">{name}</a>')
    return f"<g>{''.join(parts)}</g>"


def _arrow(start: str, end: str, ours: bool = False) -> str:
    """From the side of one place to the side of another: along a row, else upwards or downwards."""
    places = PICTURES | {name: part.at for name, part in PARTS.items()}
    (x, y), (to_x, to_y) = places[start], places[end]
    if y == to_y:
        way = 1 if to_x > x else -1
        ends = (x + way * _half(start), y), (to_x - way * _half(end), y)
    else:
        way, aside = (1 if to_y > y else -1), 40 * ((x > to_x) - (x < to_x))  # beside an arrow that comes straight up
        ends = (x - aside, y + way * (NODE[1] / 2 + 4)), (to_x + aside, to_y - way * (NODE[1] / 2 + 4))
    path = " ".join(f"{value:g}" for point in ends for value in point)
    dash = ' stroke-dasharray="6 4"' if ours else ""
    return f'<path d="M{path}" stroke="{OURS if ours else INK}" stroke-width="1.5"{dash} marker-end="url(#tip)"/>'


def _half(name: str) -> float:
    """Half of a place's width, and a little."""
    return (WORD if name in PICTURES else NODE[0]) / 2 + 5
