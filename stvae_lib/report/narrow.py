"""Figures for a narrow screen: the columns of one that would be too small there, two at a time, one pair below the other."""

import io
import re
from pathlib import Path

from PIL import Image

SIDE_BY_SIDE = 2  # pictures on a phone
SCREEN = "(max-width: 600px)"
FOLDER = "narrow"  # of the site, where the renderings are
IMAGE = re.compile(r'<img [^>]*?src="_images/([^"/]+)"[^>]*>')


def rewrapped(data: bytes, edges: list[float]) -> bytes:
    """An encoded figure with its columns in pairs, as WebP. edges: where its columns begin and where the last one ends, as shares
    of its width; what lies to the left of the first (titles of rows) comes again with every pair."""
    with Image.open(io.BytesIO(data)) as file:
        picture = file.convert("RGB")
    edges = [round(edge * picture.width) for edge in edges]
    pairs = [(edges[first], edges[min(first + SIDE_BY_SIDE, len(edges) - 1)]) for first in range(0, len(edges) - 1, SIDE_BY_SIDE)]
    titles = edges[0]
    sheet = Image.new("RGB", (titles + max(right - left for left, right in pairs), picture.height * len(pairs)), "white")
    for row, (left, right) in enumerate(pairs):
        for box, place in (((0, titles), 0), ((left, right), titles)):
            sheet.paste(picture.crop((box[0], 0, box[1], picture.height)), (place, row * picture.height))
    buffer = io.BytesIO()
    sheet.save(buffer, format="webp", quality=54, method=4)
    return buffer.getvalue()


def with_narrow(body: str, folder: Path) -> str:
    """The HTML of a page in which figures give way to their narrow renderings, as far as `folder` has them, on narrow screens."""
    def found(image: re.Match) -> str:
        name = f"{Path(image[1]).stem}.webp"
        if not (folder / name).exists():
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
