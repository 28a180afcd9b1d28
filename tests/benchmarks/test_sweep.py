"""A sweep over arms of which one starts from another, in one process and on workers."""

import json
import subprocess
import sys

import pytest
from common import ROOT, benchmark


@pytest.fixture
def arms(tmp_path, base):
    """Two arms that start from a shipped-like base, and one, first by its name, that starts from one of them."""
    bases = {"a-transform": "runs/arms/b-autoencoder/b-autoencoder.safetensors", "b-autoencoder": str(base),
             "c-autoencoder": str(base)}
    for name, start in bases.items():
        schedule = {"steps": 2, "batch": 4, "crop": 32, "log_every": 1, "checkpoint_every": 1, "validate_every": 2,
                    "precision": "fp32"}
        recipe = {"recipe": "vlt", "options": {"matrix_size": 8, "latent": 8, "start": "random"}} if name == "a-transform" else {
            "recipe": "autoencoder"}
        (tmp_path / "arms" / name).mkdir(parents=True)
        (tmp_path / "arms" / name / "config.json").write_text(
            json.dumps({"name": name, "base": start, "schedule": schedule} | recipe))
    return tmp_path / "arms"


def sweep(arms, pictures, *extra):
    return subprocess.run([sys.executable, ROOT / "benchmarks" / "sweep.py", arms, *pictures, *extra], cwd=arms.parent,
                          capture_output=True, text=True)


def test_an_arm_waits_for_its_base(arms):
    ordered, after = benchmark("sweep").in_order(sorted(arms.iterdir()))
    names = [arm.name for arm in ordered]
    assert sorted(names) == ["a-transform", "b-autoencoder", "c-autoencoder"]
    assert after == {names.index("a-transform"): [names.index("b-autoencoder")]}
    assert names.index("b-autoencoder") < names.index("a-transform")


@pytest.mark.slow
@pytest.mark.parametrize("extra", [[], ["--scheduler", "local", "--workers", "2"]], ids=["one process", "two workers"])
def test_every_arm_is_trained_once_and_a_failed_one_named(extra, arms, pictures):
    broken = arms / "d-broken"
    broken.mkdir()
    (broken / "config.json").write_text((arms / "c-autoencoder" / "config.json").read_text().replace('"batch": 4', '"batch": 1'))
    ended = sweep(arms, pictures, *extra, "--only", "[abd]*")
    assert ended.returncode == 1 and "d-broken failed: " in ended.stdout and "Traceback" not in ended.stderr, ended.stderr[-2000:]
    assert (arms / "a-transform" / "card.json").exists() and not (arms / "c-autoencoder" / "card.json").exists()
    assert json.loads((arms / "a-transform" / "config.json").read_text())["base"].startswith("runs/"), "as it was written"
    (broken / "config.json").unlink()
    before = (arms / "b-autoencoder" / "card.json").stat().st_mtime_ns
    ended = sweep(arms, pictures, *extra)
    assert ended.returncode == 0 and ended.stdout.startswith("c-autoencoder {") and ended.stdout.count("\n") == 1
    assert (arms / "b-autoencoder" / "card.json").stat().st_mtime_ns == before
