import time

import torch

from stvae_lib.evaluation import timing


def test_works_are_timed_in_turns():
    order = []
    works = {"slow": lambda: (order.append("slow"), time.sleep(0.01)), "fast": lambda: order.append("fast")}
    seconds = timing.in_turns(works, torch.device("cpu"), turns=3)
    assert seconds["slow"] >= 0.01 > seconds["fast"]
    assert order == ["slow", "slow", "fast", "fast"] * 3, "a warm-up and a run each, in turns"
