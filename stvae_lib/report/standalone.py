"""Pages that stand by themselves: what they share, and what goes into them as text."""

import base64
import json
from pathlib import Path
from string import Template

import torch

from ..pictures.images import to_jpeg

TEMPLATES = Path(__file__).parent / "templates"


def template(name: str) -> str:
    """A file of the folder `templates`."""
    return (TEMPLATES / name).read_text(encoding="utf-8")


def standalone_page(title: str, style: str, body: str) -> str:
    """A whole HTML page of a body and its own style, after the colours and elements that all such pages share."""
    return Template(template("frame.html")).substitute(title=title, style=template("base.css") + style, body=body)


def as_json(value) -> str:
    """JSON that can stand in a script element, which nothing in it can end."""
    return json.dumps(value).replace("<", "\\u003c")


def picture_address(image: torch.Tensor) -> str:
    """`(1, 3, H, W)` in [0, 1] as an address that holds the picture itself."""
    return address(to_jpeg(image), "jpeg")


def address(data: bytes, kind: str) -> str:
    """An encoded picture ("jpeg" or "png") as an address that holds it."""
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
