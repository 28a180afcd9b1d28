"""Pages of executed notebooks: self-contained HTML, no network."""

import ast
import base64
import html
import json
import re
from pathlib import Path, PurePath
from string import Template

import nbformat

from ..pictures.images import load_image
from .parameters import OWN

FRAMES_MARK = re.compile(r'<div data-frames="([^"/]+)"></div>')


def write_site(folder: Path) -> Path:
    """One page per executed notebook and an index; self-contained, no network. Returns the index."""
    from nbconvert import HTMLExporter

    exporter = HTMLExporter(template_name="stvae", extra_template_basedirs=[str(Path(__file__).parent / "templates")],
                            exclude_input_prompt=True, exclude_output_prompt=True)
    entries = []
    for file in sorted(folder.glob("*.ipynb")):
        if not (folder / file.stem / "results.json").exists():  # it failed, and is not among the notebooks of this call
            continue
        notebook = without_places(nbformat.read(file, as_version=4))
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.outputs = [output for output in cell.outputs if not is_progress(output)]
            else:
                cell.source = equations_to_mathml(cell.source)
        notebook.metadata.pop("widgets", None)
        title = next(line[2:] for cell in notebook.cells for line in cell.source.splitlines() if line.startswith("# "))
        body, _ = exporter.from_notebook_node(notebook, {"metadata": {"name": title}})
        page = body.replace('.ipynb"', '.html"')  # links between notebooks become links between pages
        page = with_sliders(page, folder / file.stem)
        (folder / f"{file.stem}.html").write_text(page, encoding="utf-8")
        entries.append((file.stem, title))
    return _write_index(folder, entries)


def without_places(notebook):
    """A notebook that shows no paths of this machine, of a reader's folders and files only the names: neither in the cell
    that papermill injected, where what the report sets by itself is left out, nor where a cell or an output repeats one."""
    places = []
    for cell in [cell for cell in notebook.cells if "injected-parameters" in cell.metadata.get("tags", [])]:
        given = ast.parse(cell.source).body
        texts = [line.value.value for line in given if isinstance(line.value, ast.Constant) and isinstance(line.value.value, str)]
        places += [text for text in texts if PurePath(text).is_absolute() and PurePath(text).name]
        cell.source = "\n".join(ast.unparse(line) for line in given if line.targets[0].id not in OWN)
        if not cell.source:
            notebook.cells.remove(cell)
    if not places:
        return notebook
    spellings = sorted({spelling for place in places for spelling in (place, html.escape(place))}, key=len, reverse=True)
    pattern = re.compile(rf"(?<![\w+/.-])({'|'.join(map(re.escape, spellings))})(?![\w-])")
    return nbformat.from_dict(_with_names(notebook, pattern))


def _with_names(value, pattern: re.Pattern):
    """Every text of a nested value with the paths that a pattern finds cut to their last part; pictures as they are."""
    if isinstance(value, str):
        return pattern.sub(lambda found: PurePath(found[0]).name, value)
    if isinstance(value, list):
        return [_with_names(entry, pattern) for entry in value]
    if isinstance(value, dict):
        return {key: entry if key.startswith("image/") and isinstance(entry, str) else _with_names(entry, pattern)
                for key, entry in value.items()}
    return value


def is_progress(output) -> bool:
    """Progress bars: of use while a notebook runs, noise in one that is read."""
    return output.output_type == "stream" and output.name == "stderr" or \
        "application/vnd.jupyter.widget-view+json" in output.get("data", {})


def with_sliders(page: str, folder: Path) -> str:
    """A page with a slider, its pictures and a script of its own, wherever `Book.frames` left its mark."""
    template = Template((Path(__file__).parent / "templates" / "frames.html").read_text(encoding="utf-8"))

    def slider(found):
        file, columns, rows, *labels = found[1].split("|")
        columns, rows, data = int(columns), int(rows), (folder / file).read_bytes()
        height, width = (side / count for side, count in zip(load_image(folder / file).shape[2:], (rows, columns)))
        inputs = [f'<label style="display:flex;gap:8px;margin-top:6px;font:13px system-ui">{label} <input type="range" min="0" '
                  f'max="{count - 1}" value="0" aria-label="{label}" style="flex:1"></label>\n'
                  for label, count in zip(labels, (columns, rows))]
        return template.substitute(label=", ".join(labels), side=round(max(320, width)), ratio=f"{width:g}/{height:g}",
                                   columns=columns, rows=rows, sliders="".join(inputs), sprite=base64.b64encode(data).decode())

    return FRAMES_MARK.sub(slider, page)


def equations_to_mathml(markdown: str) -> str:
    """`$…$` and `$$…$$` as MathML, which browsers draw without a script."""
    from latex2mathml.converter import convert

    markdown = re.sub(r"\$\$(.+?)\$\$", lambda found: convert(found[1].strip(), display="block"), markdown, flags=re.DOTALL)
    return re.sub(r"\$([^$\n]+?)\$", lambda found: convert(found[1]), markdown)


def _write_index(folder: Path, entries) -> Path:
    cards = []
    for name, title in entries:
        results = json.loads((folder / name / "results.json").read_text(encoding="utf-8"))
        picture = results["figures"][0] if results["figures"] else None
        image = f'<img src="{name}/{picture["file"]}" alt="{html.escape(picture["alt"])}">' if picture else ""
        seconds = results["provenance"]["seconds"]
        cards.append(f'<a href="{name}.html">{image}<h2>{html.escape(title)}</h2><p>executed in {seconds:.0f} s</p></a>')
    style = ("body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}"
             "a{display:block;text-decoration:none;color:inherit;border:1px solid #ddd;border-radius:8px;margin:1rem 0;"
             "padding:1rem}a:hover{border-color:#2a6fbb}img{max-width:100%;max-height:16rem;object-fit:cover}"
             "h2{margin:.5rem 0 0}p{color:#666;margin:0}")
    page = folder / "index.html"
    page.write_text(f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
                    f"<title>ST-VAE Notebooks</title><style>{style}</style><h1>ST-VAE Notebooks</h1>{''.join(cards)}</html>",
                    encoding="utf-8")
    return page
