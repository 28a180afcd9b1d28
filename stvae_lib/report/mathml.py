"""Sphinx extension: equations as MathML, which browsers draw without a script."""


def inline(translator, node) -> None:
    """Write `$…$`."""
    _write(translator, node, "<span>{}</span>")


def block(translator, node) -> None:
    """Write `$$…$$`, in a box that scrolls where the page is narrower than the equation."""
    _write(translator, node, '<div class="math-block" tabindex="0">{}</div>', display="block")


def _write(translator, node, frame: str, **options) -> None:
    from docutils.nodes import SkipNode
    from latex2mathml.converter import convert

    translator.body.append(frame.format(convert(node.astext().strip(), **options)))
    raise SkipNode


def setup(app) -> dict:
    """Offer the renderer that `docs/conf.py` asks for."""
    app.add_html_math_renderer("mathml", (inline, None), (block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
