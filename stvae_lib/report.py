"""Execute the notebooks with papermill, each in its own process, and write an HTML site."""

import base64
import datetime
import html
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from string import Template

import nbformat
import yaml

from .errors import InputError
from .images import load_image, write_text
from .record import RESULTS, ROOT

NOTEBOOKS = ROOT / "notebooks"
FRAMES_MARK = re.compile(r'<div data-frames="([^"/]+)"></div>')
LANDING = "00_report"  # executed last: its table of claims reads the others' results


def find_notebooks(only: list[str]) -> list[str]:
    """Names of the notebooks to run, the landing page last. InputError on a number that matches none."""
    names = sorted(file.stem for file in NOTEBOOKS.glob("*.ipynb"))
    for number in only:
        if not any(name.startswith(number) for name in names):
            raise InputError(f"--only {number}", "matches no notebook", f"use one of {', '.join(names)}")
    chosen = [name for name in names if not only or any(name.startswith(number) for number in only)]
    return sorted(chosen, key=lambda name: name == LANDING)


def known_parameters(name: str) -> dict[str, dict]:
    """Parameters of a notebook as papermill sees them."""
    from papermill import inspect_notebook

    return inspect_notebook(str(NOTEBOOKS / f"{name}.ipynb"))


def check_parameters(given: dict, names: list[str]) -> None:
    """Refuse a parameter that none of the notebooks has (papermill alone would only warn)."""
    known = set().union(*(known_parameters(name) for name in names))
    for parameter in given:
        if parameter not in known:
            raise InputError(f"parameter {parameter!r}", "is known to no notebook here", f"known: {', '.join(sorted(known))}")


def read_parameters(given: dict[str, str], file: Path | None) -> dict:
    """Command-line pairs (YAML scalars) over a YAML file's."""
    values = {}
    if file is not None:
        try:
            values = yaml.safe_load(file.read_text(encoding="utf-8"))
        except OSError as error:
            raise InputError(file, f"cannot be read ({error.strerror})", "check the path") from None
        except (yaml.YAMLError, UnicodeDecodeError):
            raise InputError(file, "is no YAML file", "write `name: value` lines") from None
        if not isinstance(values, dict):
            raise InputError(file, "holds no parameters", "write `name: value` lines")
    return values | {name: yaml.safe_load(value) for name, value in given.items()}


def run_report(given, parameter_file, only, out, resume: bool, update: bool) -> int:
    """Execute, collect, publish. Returns 0, or 1 where a notebook failed (it is kept, and named with its error)."""
    names, parameters = find_notebooks(only), read_parameters(given, parameter_file)
    check_parameters(given, names)
    check_parameters(parameters, find_notebooks([]))  # a file may serve all notebooks while one of them is run
    if update and parameters:
        raise InputError("--commit", "was given with parameters", "stored notebooks are executed with their defaults")
    folder = run_folder(out, resume)
    for number, name in enumerate(names, start=1):
        done = folder / name / "results.json"
        if resume and done.exists():
            print(f"[{number}/{len(names)}] {name}: done before")
            continue
        print(f"[{number}/{len(names)}] {name} …", end=" ", flush=True)
        began = time.perf_counter()
        error = execute(name, folder, {} if update else parameters, update)
        if error:
            print(f"failed\nstvae: {folder / f'{name}.ipynb'}: {error}; go on with `stvae report --resume`", file=sys.stderr)
            return 1
        print(f"{time.perf_counter() - began:.0f} s")
    if update:
        update_readme()
    page = write_site(folder)
    print(f"Open {page}")
    return 0


def run_folder(out, resume: bool) -> Path:
    """The run's folder: --out, the newest one when resuming, or a new runs/<date>."""
    if out is None:
        runs = sorted(path for path in (ROOT / "runs").glob("20*") if path.is_dir())
        if resume and not runs:
            raise InputError(ROOT / "runs", "holds no run to resume", "start one with `stvae report`")
        out = runs[-1] if resume else ROOT / "runs" / datetime.datetime.now().strftime("%Y-%m-%d_%H%M%S")
    out = Path(out).absolute()
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(out, f"cannot be made ({error.strerror})", "choose a writable --out") from None
    return out


def execute(name: str, folder: Path, parameters: dict, update: bool) -> str | None:
    """Run one notebook by papermill in a process of its own (its `cwd` is process-wide). Returns the error, or None.

    update: no parameters are injected, and notebook and results replace the committed ones.
    """
    known = known_parameters(name)
    passed = {key: value for key, value in parameters.items() if key in known}
    target = folder / f"{name}.ipynb"
    if not update:
        passed |= {"out_dir": str(folder / name)} | ({"results_dir": str(folder)} if "results_dir" in known else {})
    command = [sys.executable, "-m", "papermill", str(NOTEBOOKS / f"{name}.ipynb"), str(target), "--cwd", str(NOTEBOOKS),
               "--no-progress-bar", "--request-save-on-cell-execute", "--parameters_yaml", yaml.safe_dump(passed)]
    if not passed:
        command = command[:-2]
    ended = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"PYTHONWARNINGS": "ignore"})
    if ended.returncode:
        lines = [line for line in ended.stderr.strip().splitlines() if line.strip()]
        return lines[-1].strip() if lines else f"papermill ended with {ended.returncode}"
    if update:
        shutil.copytree(ROOT / "runs" / "notebooks" / name, folder / name, dirs_exist_ok=True)
        store(target, folder / name / "results.json", name)
    return None


def store(executed: Path, results: Path, name: str) -> None:
    """Copy an executed notebook and its results into the repository, free of machine traces and widget state."""
    notebook = nbformat.read(executed, as_version=4)
    for key in ("papermill", "widgets"):
        notebook.metadata.pop(key, None)
    for cell in notebook.cells:
        for key in ("papermill", "execution", "collapsed"):
            cell.metadata.pop(key, None)
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if not is_progress(output)]
    notebook.metadata["language_info"] = {"name": "python"}
    nbformat.write(notebook, NOTEBOOKS / f"{name}.ipynb")
    RESULTS.mkdir(parents=True, exist_ok=True)
    shutil.copy(results, RESULTS / f"{name}.json")


def readme_with_results(text: str) -> str:
    """README text with its yardstick table rebuilt from the committed benchmarks/yardstick.json."""
    from .figures import table

    measured = json.loads((ROOT / "benchmarks" / "yardstick.json").read_text(encoding="utf-8"))
    rows = [{"method": name, "style": row[3], "Gram": row[4], "content": row[5], "from": origin}
            for origin, group in (("this project", "ours"), ("reference", "published")) for name, row in measured[group].items()]
    rows.sort(key=lambda row: row["style"])
    start, end = "<!-- yardstick -->", "<!-- end of yardstick -->"
    return f"{text.split(start)[0]}{start}\n{table(rows)}\n{end}{text.split(end)[1]}"


def update_readme() -> None:
    """Rebuild README's table and its opening picture from the committed results."""
    readme = ROOT / "README.md"
    text = readme_with_results(readme.read_text(encoding="utf-8"))
    write_text(readme, text)
    opening = ROOT / "runs" / "notebooks" / LANDING / "opening.jpg"
    if opening.exists():
        shutil.copy(opening, ROOT / "docs" / "opening.jpg")


def is_progress(output) -> bool:
    """Progress bars: of use while a notebook runs, noise in one that is read."""
    return output.output_type == "stream" and output.name == "stderr" or \
        "application/vnd.jupyter.widget-view+json" in output.get("data", {})


def write_site(folder: Path) -> Path:
    """One page per executed notebook and an index; self-contained, no network. Returns the index."""
    from nbconvert import HTMLExporter

    exporter = HTMLExporter(template_name="stvae", extra_template_basedirs=[str(Path(__file__).parent / "templates")],
                            exclude_input_prompt=True, exclude_output_prompt=True)
    entries = []
    for file in sorted(folder.glob("*.ipynb")):
        notebook = nbformat.read(file, as_version=4)
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


def with_sliders(page: str, folder: Path) -> str:
    """A page with a slider, its pictures and a script of its own, wherever `Record.frames` left its mark."""
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
