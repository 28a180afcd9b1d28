import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from stvae_lib.evaluation import timing


def test_works_are_timed_in_turns():
    order = []
    works = {"slow": lambda: (order.append("slow"), time.sleep(0.01)), "fast": lambda: order.append("fast")}
    seconds = timing.in_turns(works, torch.device("cpu"), turns=3)
    assert seconds["slow"] >= 0.01 > seconds["fast"]
    assert order == ["slow", "slow", "fast", "fast"] * 3, "a warm-up and a run each, in turns"


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux alone hands the peak down")
def test_a_process_does_not_count_the_peak_of_the_one_that_started_it():
    code = ("import subprocess, sys; block = b'x' * 1_200_000_000; "
            "print(subprocess.run([sys.executable, '-c', sys.argv[1]], capture_output=True, text=True, check=True).stdout)")
    child = "from stvae_lib.evaluation.timing import process_peak_mb; print(process_peak_mb())"
    printed = subprocess.run([sys.executable, "-c", code, child], capture_output=True, text=True, check=True).stdout
    assert 20 < float(printed) < 1000
