import os
import random
import signal
import warnings

import numpy as np
import pytest
import torch
from common import Recipe, full_disk

from stvae_lib import InputError
from stvae_lib.training.checkpoints import Processes, all_finite, load_checkpoint
from stvae_lib.training.log import read_log
from stvae_lib.training.loop import Schedule, TrainingDiverged, TrainingInterrupted, fit


def schedule(steps: int = 8, **changes) -> Schedule:
    return Schedule(**{"steps": steps, "log_every": 2, "checkpoint_every": 2} | changes)


@pytest.fixture
def begun(tmp_path):
    """A training of eight steps, stopped after the fourth."""
    with pytest.raises(TrainingDiverged, match="step 4"):
        fit(Recipe(bad=4), schedule(), tmp_path)
    return tmp_path


def test_an_error_stands_below_the_progress_bar_and_not_behind_it(tmp_path, capfd):
    with pytest.raises(TrainingDiverged):
        fit(Recipe(bad=4), schedule(), tmp_path)
    said = capfd.readouterr().err
    assert "step" in said and said.endswith("\n")


def refusal(folder, steps: int = 8) -> str:
    before = {path: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(InputError) as refused:
        fit(Recipe(), schedule(steps), folder)
    assert "\n" not in str(refused.value) and str(folder) in str(refused.value)
    assert {path: path.read_bytes() for path in folder.iterdir()} == before
    return str(refused.value)


def test_a_disk_that_fills_costs_nothing_that_was_kept(begun, tmp_path_factory):
    before = {path: path.read_bytes() for path in begun.iterdir()}
    for size in (10, 300):  # the log does not fit, or the checkpoint alone
        with full_disk(size), pytest.raises(InputError, match="cannot be written .File too large"):
            fit(Recipe(), schedule(), begun)
        assert (begun / "checkpoint.pt").read_bytes() == before[begun / "checkpoint.pt"]
        assert {path.name for path in begun.iterdir()} == {path.name for path in before}
    fit(Recipe(), schedule(), begun)
    whole = tmp_path_factory.mktemp("whole")
    fit(Recipe(), schedule(), whole)
    np.testing.assert_array_equal(*(read_log(folder / "log.csv")["loss"] for folder in (begun, whole)))


def test_flipped_bytes_are_found_wherever_they_lie(begun):
    path = begun / "checkpoint.pt"
    whole, state, rng = path.read_bytes(), load_checkpoint(begun, 8), random.Random(0)
    refused = 0
    for _ in range(60):
        data = bytearray(whole)
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        path.write_bytes(data)
        try:
            loaded = load_checkpoint(begun, 8)
        except InputError as error:
            refused += "\n" not in str(error)
            continue
        assert str(loaded) == str(state), "what lies between the tensors matters to nobody"
    assert refused > 20
    weight = np.float32(float(state["model"]["weight"])).tobytes()
    path.write_bytes(whole.replace(weight, weight[:1] + bytes([weight[1] ^ 1]) + weight[2:]))
    assert "is damaged (checksum" in refusal(begun)


@pytest.mark.parametrize("state", [3, [], {}, {"step": 4}, "text", None,
                                   {"step": "4", "seconds": 1.0, "model": {}, "optimiser": {}},
                                   {"step": 4, "seconds": 1.0, "model": {}, "optimiser": {}, "window": 3},
                                   {"step": -1, "seconds": 1.0, "model": {}, "optimiser": {}},
                                   {"step": 4, "seconds": 1.0, "model": {"weight": torch.ones(1)}, "optimiser": {"state": 3}},
                                   {"step": 4, "seconds": 1.0, "model": {"weight": torch.ones(5)}, "optimiser": {}}])
def test_checkpoints_of_other_content_are_refused(state, begun):
    torch.save(state, begun / "checkpoint.pt")
    assert "checkpoint.pt" in refusal(begun)


def test_checkpoints_that_end_in_nothing_are_refused(begun):
    state = torch.load(begun / "checkpoint.pt", weights_only=True)
    state["model"]["weight"][:] = float("nan")
    torch.save(state, begun / "checkpoint.pt")
    assert "not finite" in refusal(begun)
    assert all_finite({"modulator.low": torch.tensor([-torch.inf])}) and not all_finite([{"a": torch.tensor([torch.inf])}])


def test_a_checkpoint_beyond_the_configs_last_step_is_refused(begun):
    assert "is of step 4, and the config ends at 3" in refusal(begun, steps=3)


def test_weights_are_looked_at_before_they_are_kept(begun):
    class Spoiled(Recipe):
        def trained_state(self):
            return {"weight": self.weight.detach() * float("nan")} if self.steps == 2 else super().trained_state()

    before = (begun / "checkpoint.pt").read_bytes()
    with pytest.raises(TrainingDiverged, match="weights are not finite; last good checkpoint: .*checkpoint.pt"):
        fit(Spoiled(), schedule(), begun)
    assert (begun / "checkpoint.pt").read_bytes() == before


@pytest.mark.parametrize(("damage", "said"), [
    (lambda text: text.replace("step", "stop", 1), "is damaged"), (lambda text: text[:-3], "is damaged"),
    (lambda text: text + "6,1\n", "is damaged"), (lambda text: text.replace("\n4,", "\nfour,"), "is damaged"),
    (lambda text: "\n".join(text.splitlines()[:2]) + "\n", "lacks rows from step 4"), (lambda text: "\0\n", "is damaged"),
    (lambda text: "", "is damaged"), (lambda text: "step\n", "is damaged")])
def test_a_damaged_log_is_not_gone_on_with(damage, said, begun):
    log = begun / "log.csv"
    log.write_text(damage(log.read_text()))
    assert said in refusal(begun) and "delete it" in refusal(begun)


def test_a_log_that_is_gone_is_said_once(begun):
    (begun / "log.csv").unlink()
    with pytest.warns(UserWarning, match="log.csv: no such file; the log begins after step 4"):
        fit(Recipe(), schedule(6), begun)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit(Recipe(), schedule(8), begun)
    assert list(read_log(begun / "log.csv")["step"]) == [6, 8]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_training_at_a_checkpoint_and_nothing_is_lost(number, tmp_path):
    class Ended(Recipe):
        def batch(self, rng, schedule):
            return super().batch(rng, schedule)

        def forward(self, batch):
            if self.steps == 4:  # between two rows of the log, and two checkpoints
                os.kill(os.getpid(), number)
            return super().forward(batch)

    kept = signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    fit(Recipe(), schedule(12, log_every=3, checkpoint_every=6), tmp_path / "whole")
    with pytest.raises(TrainingInterrupted, match=f"{number.name} at step 5; .* from .*checkpoint.pt") as ended:
        fit(Ended(), schedule(12, log_every=3, checkpoint_every=6), tmp_path / "cut")
    assert ended.value.number == number
    fit(Recipe(), schedule(12, log_every=3, checkpoint_every=6), tmp_path / "cut")
    whole, cut = (read_log(tmp_path / name / "log.csv") for name in ("whole", "cut"))
    assert list(cut["step"]) == [3, 6, 9, 12]
    np.testing.assert_array_equal(cut["loss"], whole["loss"])
    signal.signal(number, kept)


def spans(folder) -> list:
    return load_checkpoint(folder, 8)["processes"]


def test_images_count_right_after_a_resume_with_another_number_of_processes(begun):
    state = torch.load(begun / "checkpoint.pt", weights_only=True)
    assert state["processes"] == [[0, 1]]
    torch.save(state | {"processes": [[0, 2]]}, begun / "checkpoint.pt")  # as if two had trained it
    with pytest.warns(UserWarning, match="trained by 2 processes up to step 4, by 1 from here on: .* 0.5 times as many images"):
        reached = fit(Recipe(), schedule(6), begun)
    assert reached["images"] == 8 * (2 * 4 + 2) and reached["processes"] == spans(begun) == [[0, 2], [4, 1]]
    assert read_log(begun / "log.csv")["images"][-1] == 80
    with warnings.catch_warnings(action="error"):
        assert fit(Recipe(), schedule(8), begun)["images"] == 8 * (2 * 4 + 4), "said once"


def test_a_checkpoint_of_an_earlier_version_knows_no_processes(begun):
    state = torch.load(begun / "checkpoint.pt", weights_only=True)
    del state["processes"]
    torch.save(state, begun / "checkpoint.pt")
    with warnings.catch_warnings(action="error"):
        assert fit(Recipe(), schedule(8), begun)["images"] == 8 * 8
    torch.save(state | {"processes": [[0, 0]]}, begun / "checkpoint.pt")
    assert "is no checkpoint" in refusal(begun)


def test_processes_are_counted_by_the_step_from_which_they_train():
    changed = Processes([[0, 2], [4, 1]], 10, 3)
    assert changed.spans == [[0, 2], [4, 1], [10, 3]]
    assert [changed.images(step, 5) for step in (0, 4, 6, 10, 11)] == [0, 40, 50, 70, 85]
    assert Processes([[0, 2], [4, 1]], 4, 2).spans == [[0, 2]], "nothing was trained since the change"
    assert Processes([], 0, 4).spans == [[0, 4]]
