"""Execute the notebooks with papermill, each in its own process, and publish what they made."""

import datetime
import os
import shlex
import shutil
import sys
import time
from pathlib import Path

import nbformat
import yaml

from ..errors import InputError
from .answers import write_answer
from .archive import LANDING, RESULTS, ROOT, claims_by_notebook, has_results
from .cells import without_traces
from .parameters import KEPT, check_names, differences, keep_parameters, kept_parameters, read_parameters
from .processes import run_together
from .readme import update_readme
from .site import write_site

NOTEBOOKS = ROOT / "notebooks"


def find_notebooks(only: list[str]) -> list[str]:
    """Names of the notebooks to run, last the one that reads the others' results. InputError on a number that matches none."""
    names = sorted(file.stem for file in NOTEBOOKS.glob("*.ipynb"))
    for number in only:
        if not number or not any(name.startswith(number) for name in names):
            raise InputError(f"--only {number}".strip(), "matches no notebook", f"use one of {', '.join(names)}")
    chosen = [name for name in names if not only or any(name.startswith(number) for number in only)]
    return sorted(chosen, key=lambda name: name == LANDING)


def known_parameters(name: str) -> dict[str, dict]:
    """Parameters of a notebook as papermill sees them."""
    from papermill import inspect_notebook

    return inspect_notebook(str(NOTEBOOKS / f"{name}.ipynb"))


def asked_parameters(given: dict[str, str], file: Path | None, names: list[str]) -> dict:
    """What the caller wants, checked. A file may serve all notebooks while some are run; a `-p` must serve one of these."""
    types = {name: {key: entry["inferred_type_name"] for key, entry in known_parameters(name).items()}
             for name in find_notebooks([])}
    check_names(given, set().union(*(types[name] for name in names)))
    declared = {key: kind for known in types.values() for key, kind in known.items()}
    return read_parameters(given, file, declared)


def run_report(given, parameter_file, only, out, resume: bool, update: bool) -> int:
    """Execute, collect, publish. Returns 0, or 1 where a notebook failed (it is kept, and named with its error)."""
    names, parameters = find_notebooks(only), asked_parameters(given, parameter_file, find_notebooks(only))
    if update and parameters:
        raise InputError("--commit", "was given with parameters", "stored notebooks are executed with their defaults")
    folder = run_folder(out, resume)
    go_on = shlex.join(["stvae", "report", "--resume", "--out", str(folder), *(["--commit"] if update else []),
                        *(["--only", *only] if only else [])])
    anew = given or parameter_file is not None or not resume
    parameters = settle_parameters(folder, parameters if anew else None, [] if resume else names, go_on)
    start_run(folder, parameters, [] if resume else names)
    for number, name in enumerate(names, start=1):
        error = take_turn(f"[{number}/{len(names)}] {name}", name, folder, parameters, update)
        if error:
            print(f"stvae: {folder / f'{name}.ipynb'}: {error}; go on with `{go_on}`", file=sys.stderr)
            return 1
    if update:
        update_readme(ROOT / "runs" / "notebooks" / LANDING)
    print(f"Open {write_site(folder)}")
    return 0


def take_turn(label: str, name: str, folder: Path, parameters: dict, update: bool) -> str | None:
    """Execute a notebook unless the run has its results, and say so. Returns the error, or None."""
    if has_results(folder, name):
        print(f"{label}: done before")
        return None
    if "results_dir" in known_parameters(name) and not update:
        others = [other for other in find_notebooks([]) if other != name and not has_results(folder, other)]
        if others:
            print(f"{label}: tells nothing of {', '.join(others)}, not executed in this run")
    print(f"{label} …", end=" ", flush=True)
    began = time.perf_counter()
    error = execute(name, folder, parameters, update)
    print("failed" if error else f"{time.perf_counter() - began:.0f} s")
    return error


def run_folder(out, resume: bool) -> Path:
    """The run's folder, not made yet: --out, the newest one when resuming, or a new runs/<date>."""
    if out is None:
        runs = sorted(path for path in (ROOT / "runs").glob("20*") if (path / KEPT).exists())  # `stvae site` keeps none
        if resume and not runs:
            raise InputError(ROOT / "runs", "holds no run to resume", "start one with `stvae report`")
        out = runs[-1] if resume else ROOT / "runs" / datetime.datetime.now().strftime("%Y-%m-%d_%H%M%S")
    out = Path(out).absolute()
    if out.exists() and out.samefile(NOTEBOOKS):
        raise InputError(out, "holds the notebooks themselves", "choose another --out")
    if resume and not ((out / KEPT).exists() or any(has_results(out, name) for name in find_notebooks([]))):
        raise InputError(out, "holds no run to resume", "check --out, or start one without --resume")
    return out


def settle_parameters(folder: Path, asked: dict | None, replaced: list[str], go_on: str) -> dict:
    """Parameters of the run in a folder: `asked` (None: those it was started with). InputError where pages of two sets of
    parameters would come together. replaced: notebooks whose results there are made anew anyway."""
    kept = kept_parameters(folder)
    stays = [name for name in find_notebooks([]) if name not in replaced and has_results(folder, name)]
    if kept is None and stays:
        raise InputError(folder, "does not say which parameters it was made with", "start a new run, with another --out")
    if asked is None:
        return kept or {}
    if kept is not None and (stays or not replaced) and (differ := differences(kept, asked)):
        raise InputError(folder, f"was started with other parameters ({differ})",
                         f"go on with its own by `{go_on}`, or start a new run, with another --out")
    return asked


def start_run(folder: Path, parameters: dict, replaced: list[str]) -> None:
    """Make the run's folder and note its parameters. Earlier results of notebooks that are executed anew go first, or a
    later --resume would take them for this run's."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in replaced:
            (folder / name / "results.json").unlink(missing_ok=True)
    except OSError as error:
        raise InputError(folder, f"cannot be made ({error.strerror})", "choose a writable --out") from None
    keep_parameters(folder, parameters)


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
    ended = run_together(command, os.environ | {"PYTHONWARNINGS": "ignore"})
    if ended.returncode:
        lines = [line for line in ended.stderr.strip().splitlines() if line.strip()]
        return lines[-1].strip() if lines else f"papermill ended with {ended.returncode}"
    if update:
        shutil.copytree(ROOT / "runs" / "notebooks" / name, folder / name, dirs_exist_ok=True)
    write_answer(target, claims_by_notebook("" if update and name == LANDING else folder))
    if update:
        store(target, folder / name / "results.json", name)
    return None


def store(executed: Path, results: Path, name: str) -> None:
    """Copy an executed notebook and its results into the repository, free of machine traces and widget state."""
    notebook = without_traces(nbformat.read(executed, as_version=4))
    notebook.metadata["language_info"] = {"name": "python"}
    nbformat.write(notebook, NOTEBOOKS / f"{name}.ipynb")
    RESULTS.mkdir(parents=True, exist_ok=True)
    shutil.copy(results, RESULTS / f"{name}.json")
