"""Figures for a narrow screen: the columns of one that would be too small there, two at a time, one pair below the other."""

import io
import re
from itertools import accumulate, pairwise
from pathlib import Path

from PIL import Image, ImageChops

SIDE_BY_SIDE = 2  # pictures on a phone
SCREEN = "(max-width: 600px)"
WIDTH = 560  # pixels of a rendering at most: a page stays light, and a touch opens the whole figure
NEAR_WHITE = 24  # grey levels below it that still count as white: compression leaves some beside a picture
FOLDER = "narrow"  # of the site, where the renderings are
WHOLE = re.compile(r'class="[^"]*(opening|sd-card-img)')
IMAGE = re.compile(r'<img [^>]*?src="_images/([^"/]+)"[^>]*>')


def rewrapped(data: bytes, edges: list[float], rows: list[float], key: int = 0) -> bytes:
    """An encoded figure with its columns in pairs, as WebP. edges: where its columns begin and where the last one ends, as shares
    of its width; what lies to the left of the first (titles of rows) comes again with every pair, and so do the first `key`
    columns, of which every pair has as many fewer of the others. rows: the same of the height, where pictures go on from row to
    row and keep their order; else empty."""
    with Image.open(io.BytesIO(data)) as file:
        picture = file.convert("RGB")
    across, down = ([round(edge * side) for edge in shares] for shares, side in ((edges, picture.width), (rows, picture.height)))
    lines = _in_order(picture, across, down) if rows else _in_pairs(picture, across, key)
    return _encoded(lines)


def _in_pairs(picture: Image.Image, edges: list[int], key: int) -> list[list[Image.Image]]:
    """Columns in pairs, behind what stands to their left."""
    step, last = max(1, SIDE_BY_SIDE - key), len(edges) - 1
    spans = [(0, edges[key]), *((edges[first], edges[min(first + step, last)]) for first in range(key, last, step))]
    left, *pairs = (picture.crop((start, 0, end, picture.height)) for start, end in spans)
    return [[left.crop((0, 0, left.width, height)), pair.crop((0, 0, pair.width, height))]
            for pair in pairs for height in [max(_drawn(pair), _drawn(left) if key else 0)]]


def _drawn(picture: Image.Image) -> int:
    """Height of a picture down to where only white is left, or what compression leaves of it."""
    ink = ImageChops.difference(picture, Image.new("RGB", picture.size, "white")).point(lambda value: 255 * (value > NEAR_WHITE))
    found = ink.getbbox()
    return min(found[3] + 4, picture.height) if found else 0


def _in_order(picture: Image.Image, across: list[int], down: list[int]) -> list[list[Image.Image]]:
    """Pictures row by row, two to a line; gaps at the end are left out."""
    cells = [picture.crop((left, top, right, bottom)) for top, bottom in pairwise(down) for left, right in pairwise(across)]
    shown = [cell for cell in cells if _drawn(cell)]
    return [shown[first:first + SIDE_BY_SIDE] for first in range(0, len(shown), SIDE_BY_SIDE)]


def _encoded(lines: list[list[Image.Image]]) -> bytes:
    """Lines of pictures below one another, as WebP."""
    heights = [max(part.height for part in line) for line in lines]
    sheet = Image.new("RGB", (max(sum(part.width for part in line) for line in lines), sum(heights)), "white")
    for line, top in zip(lines, accumulate([0, *heights])):
        for part, left in zip(line, accumulate([0, *(part.width for part in line)])):
            sheet.paste(part, (left, top))
    if sheet.width > WIDTH:
        sheet = sheet.resize((WIDTH, round(sheet.height * WIDTH / sheet.width)), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    sheet.save(buffer, format="webp", quality=44, method=4)
    return buffer.getvalue()


def with_narrow(body: str, folder: Path) -> str:
    """The HTML of a page in which figures give way to their narrow renderings, as far as `folder` has them, on narrow screens; a
    chapter's opening picture, and what a card shows of it, stay whole."""
    def found(image: re.Match) -> str:
        name = f"{Path(image[1]).stem}.webp"
        if WHOLE.search(image[0]) or not (folder / name).exists():
            return image[0]
        return f'<picture><source media="{SCREEN}" srcset="{FOLDER}/{name}">{image[0]}</picture>'

    return IMAGE.sub(found, body)


def setup(app) -> dict:
    """Put the renderings that chapters left into the pages that Sphinx writes."""
    def complete(app, page, template, context, document):
        if "body" in context:
            context["body"] = with_narrow(context["body"], Path(app.srcdir) / "extra" / FOLDER)

    app.connect("html-page-context", complete)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
