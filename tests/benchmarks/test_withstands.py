"""The benchmark of what the command withstands sees what went wrong, and takes nothing else for it."""

import random

import pytest
from common import benchmark
from PIL import Image

from stvae_lib.model.weights import find


@pytest.fixture(scope="module")
def withstands():
    return benchmark("withstands")


@pytest.fixture
def out(tmp_path):
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


@pytest.mark.parametrize(("status", "said", "left", "found"), [
    (0, "", "whole", "done"), (0, "a remark\n", "whole", "talkative"),
    (0, "stvae: x: is animated\n", "whole", "remarked"), (0, "stvae: x\nstvae: y\n", "whole", "talkative"),
    (0, "", "cut", "partial"), (0, "", None, "partial"),
    (2, "stvae: x: is bad; mend it\n", None, "refused"), (2, "stvae: x: is bad; mend it\n", "whole", "partial"),
    (2, "libtiff: ?\nstvae: x\n", None, "unclear"), (2, "", None, "unclear"), (1, "stvae: x\n", None, "unclear"),
    (1, "Traceback (most recent call last):\n…\n", None, "traceback"), ("hang", "", None, "hang"), ("crash", "", None, "crash")])
def test_every_ending_has_its_name(status, said, left, found, withstands, out):
    if left:
        Image.effect_noise((40, 40), 60).save(out / "out.png")
    if left == "cut":
        (out / "out.png").write_bytes((out / "out.png").read_bytes()[:-200])
    assert withstands.verdict(status, said, out) == found


@pytest.mark.slow
def test_a_worker_answers_and_a_new_one_takes_the_place_of_one_that_hangs_or_dies(withstands, tmp_path, monkeypatch):
    photo, style = withstands.sample_pictures(tmp_path)
    worker, trial = withstands.Worker(), None
    trial = withstands.Trial(worker, tmp_path)
    trial.run("good", photo, style, "--model", withstands.MODEL)
    (tmp_path / "text.png").write_text("no picture")
    trial.run("text", tmp_path / "text.png", style, "--model", withstands.MODEL)
    assert trial.counts == {"done": 1, "refused": 1} and trial.summary()["others"] == [] and worker.peak_memory_mb > 100
    first = worker.process.pid
    monkeypatch.setattr(withstands, "PATIENCE", 0.01)
    trial.run("too long", photo, style)
    assert trial.counts["hang"] == 1 and worker.process is None
    monkeypatch.setattr(withstands, "PATIENCE", 300)
    trial.run("good", photo, style, "--model", withstands.MODEL)
    assert trial.counts["done"] == 2 and worker.process.pid != first
    worker.process.kill()
    worker.process.wait()
    trial.run("died", photo, style)
    assert trial.counts["crash"] == 1 and [row["what"] for row in trial.others] == ["hang", "crash"]
    worker.end()


def test_files_are_damaged_always_in_the_same_ways(withstands):
    whole = find(withstands.MODEL).read_bytes()
    made = {withstands.mutated(whole, random.Random(number)) for number in range(30)}
    assert len(made) == 30 and whole not in made
    assert made == {withstands.mutated(whole, random.Random(number)) for number in range(30)}
    assert any(len(each) < len(whole) for each in made) and any(len(each) == len(whole) for each in made)


@pytest.mark.slow
def test_a_training_is_killed_ended_and_stopped_by_a_full_disk(withstands, tmp_path, monkeypatch):
    monkeypatch.setattr(withstands, "TERMINATIONS", 1)
    monkeypatch.setattr(withstands, "LIMITS", (0.5,))
    found = withstands.try_trainings(tmp_path, 1, 16)
    assert found["SIGKILL"]["kills"] == 1 and found["SIGTERM"] == {"signals": 1, "told_and_kept": 1, "ended": 1, "same_losses": 1}
    assert found["full disk"] == {"limits": 1, "said": 1, "checkpoints_lost": 0, "ended": 1, "same_losses": 1}
    assert found["SIGKILL"]["same_losses"] == found["SIGKILL"]["ended"] and found["SIGKILL"]["checkpoints_lost"] == 0
