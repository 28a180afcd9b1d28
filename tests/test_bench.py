"""`stvae bench` at tiny sizes."""

import json

import pytest
import torch

from stvae_lib import bench
from stvae_lib.cli import main


class Peer:
    label = "Peer"

    def in_style(self, style):
        return lambda content: content * style.mean()


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(bench, "load_peer", lambda path: Peer())
    monkeypatch.setattr(bench, "median_seconds", lambda work, device: work() is not None or 0.001)
    monkeypatch.setattr(bench, "peak_memory_mb", lambda *given: 500.0)
    monkeypatch.setattr(bench, "training_rate", lambda *given: 3.0)
    monkeypatch.setattr(bench, "preview_milliseconds", lambda *given: {"median": 1.0, "p95": 2.0})


def test_peers_are_timed_in_the_same_run_and_stand_in_the_table(quick, tmp_path, capsys):
    command = ["bench", "--sizes", "32", "48", "--device", "cpu", "--out", str(tmp_path)]
    assert main([*command, "--peer", "files"]) == 0
    rows = json.loads((tmp_path / "results.json").read_text())["peers"]
    assert [list(row) for row in rows] == [["size", "vgg19-slim", "Peer"]] * 2
    assert all(0 < row["Peer"] < row["vgg19-slim"] for row in rows)
    said = capsys.readouterr().out
    assert "| size | vgg19-slim | Peer |" in said and said.strip() == (tmp_path / "table.md").read_text().strip()
    assert main(command) == 0 and "peers" not in json.loads((tmp_path / "results.json").read_text())


def test_peers_are_refused_where_they_cannot_run(quick, tmp_path, monkeypatch, capsys):
    class Elsewhere:
        device = torch.device("cuda")

    monkeypatch.setattr(bench.weights, "load_stvae", lambda *given: Elsewhere())
    assert main(["bench", "--peer", "files", "--out", str(tmp_path / "out")]) == 2
    assert "--peer on cuda: is not known; add --device cpu" in capsys.readouterr().err and not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["vgg19-slim-paper", "vgg19-slim"])
def test_the_training_of_any_variant_is_timed(name, monkeypatch):
    monkeypatch.setattr(bench, "median_seconds", lambda work, device: work() or 0.5)
    assert bench.training_rate(bench.weights.load_stvae(name, "cpu"), torch.device("cpu"), crop=64, batch=4) == 8
