"""An npm that does what a test says, and packages for it."""

import tarfile
from dataclasses import replace

import pytest

from stvae_lib.report import npm


@pytest.fixture
def npm_does(tmp_path, monkeypatch):
    """Has `npm pack` do what a shell script says."""
    folder = tmp_path / "bin"
    folder.mkdir()

    def does(script):
        (folder / "npm").write_text(f"#!/bin/sh\n{script}\n")
        (folder / "npm").chmod(0o755)

    monkeypatch.setattr(npm, "find_npm", lambda: str(folder / "npm"))
    monkeypatch.setenv("STVAE_CACHE", str(tmp_path / "cache"))
    return does


@pytest.fixture
def packed(tmp_path):
    """Makes an archive with the layout of a package, where every file holds its own name; returns it, and the package as
    pinned to it."""

    def pack(package: npm.Package):
        for name in (*package.files, "unwanted.js"):
            (tmp_path / "package" / "dist" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "package" / "dist" / name).write_text(name)
        with tarfile.open(tmp_path / "package.tgz", "w:gz") as archive:
            archive.add(tmp_path / "package", "package")
        return tmp_path / "package.tgz", replace(package, integrity=npm.integrity((tmp_path / "package.tgz").read_bytes()))

    return pack
