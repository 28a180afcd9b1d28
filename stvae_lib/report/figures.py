"""Figures of the notebooks: picture grids and curves, shown with caption and alt text, small enough to commit."""

import io
import textwrap

import matplotlib
import matplotlib.collections
import matplotlib.patches
import matplotlib.pyplot as plt
import numpy as np
import torch
import torch.nn.functional as F
from IPython.display import Image as Picture
from IPython.display import Markdown, display
from matplotlib.patheffects import withStroke

from ..evaluation.intervals import FAILS, HOLDS, Claim, mean_interval, places
from ..pictures.images import few_colours, to_array

INK, BLUE, RED, GREEN, GREY, OCHRE = "#222222", "#2a6fbb", "#c8443b", "#3c8c5a", "#8a8a8a", "#c79a2b"
TEXT_WIDTH, WIDE = 7.6, 10.8  # inches of a figure as wide as the book's text, and of one that goes beyond it
MOST_COLUMNS = 4  # pictures side by side: more are too small to see a stroke in
PHONE = 5.6  # inches of a plot whose letters a phone still shows large enough
LABEL = 62  # characters of a line above an interval
PREVIEW = 66_000  # pixels of a figure in a notebook, where a dozen have to lie; the pages show a larger one
PAGE = 1_200_000  # pixels of a figure on a page, which is to stay light
COLOURS = [BLUE, RED, GREEN, OCHRE, "#7a4fa3", GREY]
matplotlib.rcParams.update({"font.size": 10, "axes.spines.top": False, "axes.spines.right": False,
                            "axes.prop_cycle": matplotlib.cycler(color=COLOURS), "figure.dpi": 100,
                            "axes.titlesize": 11, "legend.frameon": False, "savefig.facecolor": "white"})


def wrapped(cells: list, columns: int = 3) -> list[list]:
    """Pictures in a row, as rows of a few."""
    return [cells[start:start + columns] for start in range(0, len(cells), columns)]


def grid(rows, column_titles=None, row_titles=None, width: float | None = None):
    """Matplotlib figure of pictures. rows: list of lists of `(1, 3, H, W)` images (None leaves a gap), no longer than
    `MOST_COLUMNS` where each is to be looked at.

    width: inches; None is the text's, or from four pictures in a row on beyond it. Titles label columns and rows; `panel
    titles` can be given as (image, title) pairs.
    """
    count = max(len(row) for row in rows)
    width = width or (TEXT_WIDTH if count < MOST_COLUMNS else WIDE)
    side = width / count
    heights = [side * _aspect(row) for row in rows]
    titles = [[cell[1] for cell in row if isinstance(cell, tuple)] for row in rows]
    titles[0] += column_titles or []
    lines = [max((1 + title.count("\n") for title in row), default=0) for row in titles]
    spaces = [0.04 + (0.13 + 0.22 * count if count else 0) for count in lines]
    figure, axes = plt.subplots(len(rows), count, figsize=(width, sum(heights) + sum(spaces)), squeeze=False,
                                layout="constrained", height_ratios=heights)
    figure.get_layout_engine().set(w_pad=0.02, h_pad=0.02, wspace=0.01, hspace=0.01)
    for r, row in enumerate(rows):
        for c in range(count):
            _cell(axes[r, c], row[c] if c < len(row) else None)
            if r == 0 and column_titles:
                axes[r, c].set_title(column_titles[c])
        if row_titles:
            axes[r, 0].set_ylabel(row_titles[r])
    return figure


def _aspect(row) -> float:
    """Height over width of a row's first picture."""
    first = next(cell for cell in row if cell is not None)
    first = first[0] if isinstance(first, tuple) else first
    return first.shape[2] / first.shape[3]


def _cell(axis, cell):
    axis.set_xticks([])
    axis.set_yticks([])
    for spine in axis.spines.values():
        spine.set_visible(False)
    image, title = cell if isinstance(cell, tuple) else (cell, None)
    if image is not None:
        axis.imshow(to_array(image), interpolation="lanczos")
    if title:
        axis.set_title(title)


def curves(panels, width: float = PHONE, height: float = 2.5):
    """Line plots one below the other; side by side a phone would make them too small. panels: list of (title, x label, y label,
    {label: (x, y)}); NaNs are skipped. height: of a row."""
    figure, axes = plt.subplots(len(panels), 1, figsize=(width, height * len(panels)), squeeze=False, layout="constrained")
    for axis, (title, x_label, y_label, lines) in zip(axes.flat, panels):
        for label, (x, y) in lines.items():
            x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
            known = ~np.isnan(y)
            axis.plot(x[known], y[known], label=label, lw=1.6, marker="o" if known.sum() < 30 else None, ms=3)
        axis.set(title=title, xlabel=x_label, ylabel=y_label)
        axis.grid(alpha=0.25)
    drawn = [list(lines) for *_, lines in panels]
    if len(panels) > 1 and len(drawn[0]) > 1 and all(labels == drawn[0] for labels in drawn):  # one for all, beside the curves
        fits = len(drawn[0]) if sum(len(label) + 8 for label in drawn[0]) < LABEL else 2
        figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=fits)
    else:
        for axis, labels in zip(axes.flat, drawn):
            if len(labels) > 1:
                axis.legend()
    return figure


def band(axis, x, curves, colour, **line) -> None:
    """Plot the mean of curves over x, and its 95 % interval as a band."""
    mean, half = np.transpose([mean_interval(values) for values in zip(*curves)]).astype(float)
    axis.plot(x, mean, color=colour, **line)
    axis.fill_between(x, mean - half, mean + half, color=colour, alpha=0.12, linewidth=0)


def points(places: dict, labels: dict, axes: tuple[str, str], grey=(), width: float = PHONE, height: float = PHONE):
    """Labelled points. places: {label: (x, y)}; labels: {label: (x offset, y offset, alignment)} in points, for those that
    would cover a neighbour's: a line leads from each of these to its point. grey: points that are controls. axes: titles."""
    figure, axis = plt.subplots(figsize=(width, height), layout="constrained")
    for label, (x, y) in places.items():
        colour = GREY if label in grey else BLUE
        axis.scatter(x, y, color=colour, s=28)
        *offset, side = labels.get(label, (5, 3, "left"))
        lead = {"arrowstyle": "-", "color": colour, "lw": 0.7, "shrinkA": 0, "shrinkB": 2.5} if label in labels else None
        axis.annotate(label, (x, y), offset, textcoords="offset points", fontsize=10, ha=side, arrowprops=lead)
    axis.set(xlabel=axes[0], ylabel=axes[1])
    axis.axhline(0, color=INK, lw=0.8)
    return figure


def intervals(claims: list[Claim], labels: list[str], margins: list[float], width: float = PHONE):
    """What was measured for each claim as a point with its 95 % interval, in units of the margin that the claim names, and in
    the colour of its verdict, below its label; a claim holds where all of it lies in the shaded part of its row."""
    labels = [textwrap.fill(label.replace("`", ""), LABEL) for label in labels]
    lines = np.cumsum([1 + label.count("\n") + 1.4 for label in labels])  # of text, down to each interval's own line
    figure, axis = plt.subplots(figsize=(width, 0.8 + 0.18 * lines[-1]), layout="constrained")
    for place, label, claim, margin in zip(lines, labels, claims, margins, strict=True):
        low, high = (value / margin for value in claim.interval or [claim.figure] * 2)
        colour = {HOLDS: GREEN, FAILS: RED}.get(claim.verdict, GREY)
        axis.plot([low, high], [place, place], color=colour, lw=2.4)
        axis.plot(claim.figure / margin, place, "o", color=colour, ms=6)
        axis.annotate(label, (0.0, place - 0.55), xycoords=("axes fraction", "data"), va="bottom", fontsize=10,
                      bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5})  # over the line at 0
        axis.annotate(claim.verdict, (1.0, place - 0.15), xycoords=("axes fraction", "data"), ha="right", va="bottom",
                      fontsize=10, color=colour)
    left, right = min(axis.get_xlim()[0], -1.3), max(axis.get_xlim()[1], 1.5)
    for above, place, claim in zip([0.0, *lines], lines, claims):
        between = claim.bounds and len(claim.bounds) > 1  # of no difference
        sides = (-1, 1) if between else (1, right)
        axis.fill_betweenx([above + 0.6, place + 0.4], *sides, color=GREEN, alpha=0.08, lw=0)
    axis.axvline(0, color=INK, lw=0.8)
    axis.spines["left"].set_visible(False)
    axis.set(xlabel="difference, in units of the claim's margin", xlim=(left, right), ylim=(lines[-1] + 0.8, 0), yticks=[])
    return figure


def arrows(axis, places: list[tuple[int, int]], length: float = 34.0) -> None:
    """Point at (row, column) of the picture on an axis, from the side of its middle, so that the arrow lies within it."""
    middle = np.mean(axis.get_xlim()), np.mean(axis.get_ylim())
    for row, column in places:
        tail = [place + length * (1 if place < half else -1) for place, half in zip((column, row), middle)]
        axis.annotate("", (column, row), tail, arrowprops={"arrowstyle": "-|>", "color": RED, "lw": 2, "mutation_scale": 14,
                                                           "path_effects": [withStroke(linewidth=4.5, foreground="white")]})


def plane(points: torch.Tensor, kinds: torch.Tensor, seen: dict, width: float = PHONE, height: float = 4.6):
    """VAEs of points `(n, 2)` in the plane (`training.toy.Seen`, by title). Above: codes with two of their deviations, in the
    colours of the points' `kinds` (0 or 1), and the prior's circle of two. Below: points, and what is drawn from the prior."""
    figure, axes = plt.subplots(2, len(seen), figsize=(width, height), layout="constrained", sharex="row", sharey="row")
    colours = np.array([BLUE, OCHRE])[kinds.numpy()]
    for (above, below), (title, vae) in zip(axes.T, seen.items()):
        clouds = [matplotlib.patches.Ellipse(*pair) for pair in zip(vae.mu.tolist(), *(4 * vae.sigma).T.tolist())]
        above.add_collection(matplotlib.collections.PatchCollection(clouds, facecolors=colours, alpha=0.08, linewidth=0))
        above.scatter(*vae.mu.T, s=3, color=colours)
        above.add_patch(matplotlib.patches.Circle((0, 0), 2, fill=False, color=INK, linewidth=0.8, linestyle=":"))
        above.set_title(title, fontsize=9)
        above.set(xlim=(-3, 3), ylim=(-3, 3), aspect="equal")
        below.scatter(*points.T, s=6, color=GREY, label="points")
        below.scatter(*vae.drawn.T, s=4, color=RED, alpha=0.6, label="drawn from the prior")
        below.set(xlim=(-2.6, 2.6), ylim=(-2, 2), aspect="equal")
    axes[0, 0].set_ylabel("codes")
    axes[1, 0].set_ylabel("points and draws")
    figure.legend(*axes[1, 0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


def matrix(values: np.ndarray, labels: list[str], width: float = 5.6, height: float = 4.4):
    """A square matrix `(n, n)` of numbers between -1 and 1, each written into its field."""
    figure, axis = plt.subplots(figsize=(width, height), layout="constrained")
    axis.imshow(values, cmap="RdBu", vmin=-1, vmax=1)
    axis.set_xticks(range(len(labels)), labels, rotation=40, ha="right")
    axis.set_yticks(range(len(labels)), labels)
    for (row, column), value in np.ndenumerate(values):
        axis.text(column, row, f"{round(value, 1) + 0.0:.1f}", ha="center", va="center", fontsize=9,
                  color="white" if abs(value) > 0.6 else "black")
    return figure


def crop_around(image: torch.Tensor, centre: tuple[float, float], side: int) -> torch.Tensor:
    """A square detail of `(1, 3, H, W)`, centre as fractions (y, x) of the picture."""
    height, width = image.shape[2:]
    top = int(np.clip(centre[0] * height - side / 2, 0, height - side))
    left = int(np.clip(centre[1] * width - side / 2, 0, width - side))
    return image[:, :, top:top + side, left:left + side]


def squeezed(images, size: int) -> torch.Tensor:
    """Pictures of any shape, each `(1, 3, H, W)`, as one batch of squares `(N, 3, size, size)`."""
    return torch.cat([F.interpolate(image.cpu(), (size, size), mode="bilinear", antialias=True) for image in images])


def layout(figure) -> dict:
    """How many pictures stand side by side in a figure made by `grid`, whether the pages show it wider than the text, and where
    its columns begin and the last one ends, as shares of its width. Of pictures in a row that goes on below (each has a title of
    its own, or none has) also where rows end, from the top, as shares of its height."""
    grid = figure.axes[0].get_subplotspec().get_gridspec()
    figure.draw_without_rendering()  # the layout is made when it is drawn
    columns = [[axis.get_position() for axis in figure.axes if axis.get_subplotspec().colspan.start == column]
               for column in range(grid.ncols)]
    lefts, rights = [min(box.x0 for box in boxes) for boxes in columns], [max(box.x1 for box in boxes) for boxes in columns]
    found = {"columns": grid.ncols, "wide": _is_wide(figure),
             "edges": _edges(lefts[0], rights, lefts, 1.0)}
    rows = [[axis for axis in figure.axes if axis.get_subplotspec().rowspan.start == row] for row in range(grid.nrows)]
    titled = [bool(axes[0].get_title() or axes[0].get_ylabel()) for axes in rows]
    if grid.nrows > 1 and (all(axes[0].get_title() for axes in rows) or not any(titled)):
        height = figure.bbox.height
        tops = [1 - max(axis.get_tightbbox().y1 for axis in axes) / height for axes in rows]
        found["rows"] = _edges(0.0, [1 - min(axis.get_position().y0 for axis in axes) for axes in rows], tops, 1.0)
    return found


def noted(figure, photographic: bool, together: bool = False, key: int = 0) -> dict:
    """What the book has to know of a figure. together: its columns stay side by side on a phone, too, however small. key: how
    many of its first columns tell what the others show, and stand beside each of them there."""
    if not photographic:
        return extent(figure)
    left_out = {"edges", "rows"} if together else {"rows"} if key else set()
    return {name: value for name, value in layout(figure).items() if name not in left_out} | {"key": key}


def extent(figure) -> dict:
    """Whether a plot's letters would be too small on a phone, so that it is shown larger there and scrolls."""
    return {"scrolls": bool(figure.get_figwidth() > PHONE)}


def _is_wide(figure) -> bool:
    """Whether the pages show a figure made by `grid` wider than the text."""
    columns = figure.axes[0].get_subplotspec().get_gridspec().ncols
    return bool(figure.get_figwidth() > TEXT_WIDTH) or columns >= MOST_COLUMNS


def _edges(first: float, ends: list[float], starts: list[float], last: float) -> list[float]:
    """Where parts begin, half way between the end of one and the start of the next, and where the last one ends."""
    between = [(end + start) / 2 for end, start in zip(ends, starts[1:])]
    return [round(float(edge), 4) for edge in (first, *between, last)]


def encode_larger(figure, photographic: bool) -> tuple[bytes, str]:
    """A figure as WebP (photographs) or PNG (plots) bytes, and its suffix, for the pages of the book: 1.3 times as large as they
    show it."""
    if photographic:
        dpi = 118 * (WIDE if _is_wide(figure) else TEXT_WIDTH) / figure.get_figwidth()
        dpi = min(dpi, (PAGE / figure.get_size_inches().prod()) ** 0.5)
        return _saved(figure, format="webp", dpi=dpi, pil_kwargs={"quality": 42, "method": 6}), "webp"
    return few_colours(_saved(figure, format="png", dpi=190)), "png"


def encode(figure, photographic: bool, most: int | None = None) -> tuple[bytes, str]:
    """A figure as JPEG (photographs) or PNG (plots) bytes, and its suffix. Closes the figure. most: pixels that photographs may
    have where every byte counts; plots are smaller there, too."""
    if photographic:
        dpi, quality = (min(85, (most / figure.get_size_inches().prod()) ** 0.5), 45) if most else (85, 62)
        data = _saved(figure, format="jpeg", dpi=dpi, pil_kwargs={"quality": quality, "optimize": True, "progressive": True})
    else:
        dpi, colours = (78, 32) if most else (95, 48)
        data = few_colours(_saved(figure, format="png", dpi=dpi), colours)
    plt.close(figure)
    return data, "jpg" if photographic else "png"


def png(figure) -> bytes:
    """A figure as PNG bytes, a hundred pixels an inch, with all its colours. Closes the figure."""
    data = _saved(figure, format="png", dpi=100)
    plt.close(figure)
    return data


def _saved(figure, **options) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, **options)
    return buffer.getvalue()


def show(data: bytes, suffix: str, number: int, caption: str, alt: str, known: dict | None = None) -> None:
    """Display an encoded figure with alt text, and its numbered caption beneath. known: what the book is to know (`noted`)."""
    kind = "image/jpeg" if suffix == "jpg" else "image/png"
    display(Picture(data=data, format="jpeg" if suffix == "jpg" else "png"), metadata={kind: {"alt": alt} | (known or {})})
    display(Markdown(f"**Figure {number}.** {caption}"))


def draw(figure, number: int, caption: str, alt: str, photographic: bool = True, name: str = "", together: bool = False,
         key: int = 0) -> None:
    """Display a matplotlib figure that no `Book` keeps, as those of the labs. Closes the figure. together, key: as in `noted`."""
    known = ({"name": name} if name else {}) | noted(figure, photographic, together, key)
    show(*encode(figure, photographic, PAGE // 2), number, caption, alt, known)


def table(rows: list[dict], decimals: int = 2) -> str:
    """Markdown table of rows that share their keys; floats rounded to `decimals`, small ones to one more (`places`)."""
    keys = list(rows[0])

    def text(value):
        return f"{value:.{places(value, decimals)}f}" if isinstance(value, float) else str(value)

    lines = ["| " + " | ".join(keys) + " |", "|" + "|".join(" --- " for _ in keys) + "|"]
    lines += ["| " + " | ".join(text(row[key]) for key in keys) + " |" for row in rows]
    return "\n".join(lines)
