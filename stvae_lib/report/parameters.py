"""Parameters of a report: read from the command line and a file, checked against what the notebooks declare before any of
them starts, and kept in the run's folder so that all pages of a run are made with the same ones."""

import json
import os
from pathlib import Path

import yaml

from ..errors import InputError
from ..files import check_readable, write_text

OWN = ("out_dir", "results_dir")  # set by the report itself, for every notebook
KEPT = "parameters.json"
TYPES = {"str": str, "int": int, "float": (int, float), "bool": bool}


def read_parameters(given: dict[str, str], file: Path | None, declared: dict[str, str]) -> dict:
    """Values by a YAML file's `name: value` lines and, over them, by the command line's pairs of texts.

    declared: the type of every parameter, as its notebook names it. What is declared as text stays as written (a folder
    may be called 2024); anything else is YAML. Folders and weights files come back as absolute paths.
    Raises InputError on a parameter that nobody declares, on a value of another type and on a path that leads nowhere.
    """
    values = _read_file(file, declared) if file is not None else {}
    check_names([*values, *given], declared)
    values |= {name: text if declared[name] == "str" else _parsed(name, text) for name, text in given.items()}
    return {name: _located(name, _of_type(name, value, declared[name])) for name, value in values.items()}


def check_names(names, known) -> None:
    """Refuse a parameter that no notebook has (papermill alone would only warn), and one that the report sets."""
    for name in names:
        if name in OWN:
            raise InputError(f"parameter {name!r}", "is set by the report itself", "name the run's folder by --out")
        if name not in known:
            known = ", ".join(sorted(set(known) - set(OWN)))
            raise InputError(f"parameter {name!r}", "is known to no notebook here", f"known: {known}")


def _read_file(file: Path, declared: dict[str, str]) -> dict:
    """A YAML file's values, verbatim where text is declared."""
    check_readable(file)
    try:
        text = file.read_text(encoding="utf-8")
        verbatim, values = yaml.load(text, yaml.BaseLoader), yaml.safe_load(text)
    except OSError as error:
        raise InputError(file, f"cannot be read ({error.strerror})", "check the path") from None
    except (ValueError, RecursionError, yaml.YAMLError):
        raise InputError(file, "is no YAML file", "write `name: value` lines, with quotes around brackets") from None
    if not isinstance(verbatim, dict):
        raise InputError(file, "holds no parameters", "write `name: value` lines")
    return {name: value if declared.get(name) == "str" else values.get(name) for name, value in verbatim.items()}


def _parsed(name: str, text: str):
    try:
        return yaml.safe_load(text)
    except (ValueError, RecursionError, yaml.YAMLError):
        raise InputError(f"parameter {name!r}", f"has the unreadable value {text!r}", "give a YAML value") from None


def _of_type(name: str, value, declared: str):
    """The value, if it is of the declared type. Types that are not listed here are left to the notebook."""
    wanted = TYPES.get(declared, object)
    if declared == "float" and isinstance(value, str):  # YAML 1.1 takes 1e-3 for text
        try:
            return float(value)
        except ValueError:
            pass
    if not isinstance(value, wanted) or isinstance(value, bool) and declared in ("int", "float"):
        raise InputError(f"parameter {name!r}", f"has the value {value!r}", f"give one of type {declared}")
    return value


def _located(name: str, value):
    """A path as an absolute one, for a notebook runs in a folder of its own and the caller speaks of where he is."""
    folder = name.endswith("_dir")
    if not value or not isinstance(value, str) or not (folder or value.endswith(".safetensors")):
        return value
    path = Path(os.path.abspath(value))
    if not (path.is_dir() if folder else path.is_file()):
        raise InputError(path, f"no such {'folder' if folder else 'file'}", f"check parameter {name!r}")
    return str(path)


def kept_parameters(folder: Path) -> dict | None:
    """Parameters that the run in a folder was started with; None where no run was."""
    try:
        kept = json.loads((folder / KEPT).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(folder / KEPT, f"cannot be read ({error})", "start a new run in another folder") from None
    if not isinstance(kept, dict):
        raise InputError(folder / KEPT, "holds no parameters", "start a new run in another folder")
    return kept


def keep_parameters(folder: Path, values: dict) -> None:
    """Note in a run's folder what it is started with."""
    write_text(folder / KEPT, json.dumps(values, indent=1, ensure_ascii=False, default=str) + "\n")


def differences(old: dict, new: dict) -> str:
    """Which entries of two sets of parameters differ, in words; empty where none does."""
    def show(values, name):
        return repr(values[name]) if name in values else "default"

    names = [name for name in dict.fromkeys([*old, *new]) if show(old, name) != show(new, name)]
    return ", ".join(f"{name} {show(old, name)} → {show(new, name)}" for name in names)
