"""Execute the notebooks with papermill, each in its own process, and publish what they made."""

import datetime
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import yaml

from ..errors import InputError
from ..files import write_text
from .archive import RESULTS, ROOT
from .figures import table
from .site import is_progress, write_site

NOTEBOOKS = ROOT / "notebooks"
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
