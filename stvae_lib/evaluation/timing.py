"""Time and memory of a piece of work."""

import resource
import statistics
import sys
import time
from pathlib import Path

import torch


def median_seconds(work, device: torch.device, budget: float = 2.0, least: int = 3) -> float:
    """Median wall-clock seconds of `work()` over at least `least` runs after one warm-up."""
    work()
    times, began = [], time.perf_counter()
    while len(times) < least or time.perf_counter() - began < budget and len(times) < 50:
        start = time.perf_counter()
        work()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def in_turns(works: dict, device: torch.device, turns: int = 11) -> dict[str, float]:
    """Median seconds of every work by name, measured in turns: a busy moment of the machine strikes all alike."""
    times = {name: [] for name in works}
    for _ in range(turns):
        for name, work in works.items():
            times[name].append(median_seconds(work, device, budget=0, least=1))
    return {name: statistics.median(values) for name, values in times.items()}


def process_peak_mb() -> float:
    """Peak memory of this process so far, in MB."""
    status = Path("/proc/self/status")
    if status.exists():  # Linux: getrusage's figure starts at the peak of the process that started this one
        return next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM")) * 1024 / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
