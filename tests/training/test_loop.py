import pytest
import torch
from common import Recipe

from stvae_lib import InputError
from stvae_lib.training.log import read_log
from stvae_lib.training.loop import Schedule, TrainingDiverged, fit


def test_nan_stops_with_step_files_and_last_checkpoint(tmp_path):
    with pytest.raises(TrainingDiverged) as caught:
        fit(Recipe(bad=5), Schedule(steps=10, log_every=1, checkpoint_every=2), tmp_path)
    message = str(caught.value)
    assert "step 5" in message and "first.jpg, second.jpg" in message and "checkpoint.pt" in message
    assert torch.load(tmp_path / "checkpoint.pt", weights_only=True)["step"] == 4


def test_a_checkpoint_of_another_training_is_refused(tmp_path):
    (tmp_path / "checkpoint.pt").write_bytes(b"not a checkpoint")
    with pytest.raises(InputError, match="checkpoint.pt"):
        fit(Recipe(), Schedule(steps=2, log_every=1, checkpoint_every=1), tmp_path)


def test_learning_rate_warms_up_stays_and_falls():
    schedule = Schedule(steps=1000, flat=0.5)
    rates = [schedule.rate(step) for step in range(1000)]
    assert rates[0] == pytest.approx(0.02) and rates[49] == rates[500] == 1
    assert rates[-1] < 0.03 and all(a >= b for a, b in zip(rates[500:], rates[501:]))


def test_the_last_steps_are_logged_and_validated_if_fewer_than_a_row(tmp_path, monkeypatch):
    monkeypatch.setattr(Recipe, "validate", lambda self: {"psnr": 20.0})
    fit(Recipe(), Schedule(steps=5, log_every=2, validate_every=4), tmp_path)
    log = read_log(tmp_path / "log.csv")
    assert log["step"].tolist() == [2, 4, 5] and log["val_psnr"][1:].tolist() == [20, 20]
