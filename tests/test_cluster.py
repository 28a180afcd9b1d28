import os
import signal

import pytest

from stvae_lib import InputError, cluster


def test_a_worker_killed_in_the_middle_loses_nothing(tmp_path):
    def work(number):  # within the test: workers cannot import this file
        (tmp_path / f"{number}-{os.getpid()}").touch()
        if number == 3 and not (tmp_path / "killed").exists():
            (tmp_path / "killed").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        if number == 5:
            raise ValueError("five")
        return number**2

    found = sorted(cluster.results(work, [(number,) for number in range(8)], "local", 2), key=lambda each: each[0])
    assert [result for _, result, _ in found] == [0, 1, 4, 9, 16, None, 36, 49]
    assert [str(error) for *_, error in found if error] == ["five"] and (tmp_path / "killed").exists()
    assert len({file.name.split("-")[1] for file in tmp_path.glob("*-*")}) > 1, "it was spread"


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "nonsense://x", "x"])
def test_a_scheduler_out_of_reach_is_said(address, monkeypatch):
    monkeypatch.setattr(cluster, "ANSWER", 0.5)
    with pytest.raises(InputError, match="--scheduler .*: cannot be reached .*dask scheduler"):
        list(cluster.results(str, [(1,)], address, None))


def test_the_extra_is_named_where_it_is_missing(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InputError, match="pip install 'stvae-notebooks\\[cluster\\]'"):
        cluster.check_installed()
