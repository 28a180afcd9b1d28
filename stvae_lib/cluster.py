"""Work spread over processes and machines by Dask, an optional extra: whoever dies, his work is done by others."""

import importlib.util
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

from .errors import InputError

LOCAL = "local"  # in place of a scheduler's address: processes of this machine
ANSWER, PATIENCE = 10, 60  # seconds to wait for a scheduler, and for its first worker
ALONE = Lock()  # of a worker's process: for work that must not share it with other work, whose threads Dask runs side by side


def check_installed() -> None:
    """InputError, naming the extra, unless Dask is there."""
    if importlib.util.find_spec("distributed") is None:
        raise InputError("--scheduler", "needs dask.distributed, which is not installed",
                         "pip install 'stvae-notebooks[cluster]'")


def check_reachable(scheduler: str) -> None:
    """InputError unless there is a scheduler at an address, with workers; processes of this machine always are."""
    if scheduler != LOCAL:
        with _client(scheduler, None):
            pass


def results(work: Callable, tasks: list[tuple], scheduler: str, workers: int | None,
            after: dict[int, list[int]] | None = None) -> Iterator[tuple]:
    """`(number, result, None)` of every task, in the order in which they end: what `work(*task)` returned on a worker, or
    `(number, None, exception)` where it raised one or several workers in turn died of it. A dead worker's tasks go to others.

    scheduler: `LOCAL`, then with so many `workers` (None: one a core), or an address. after: numbers of the tasks, all of them
    earlier ones, that a task has to wait for. InputError where there is no scheduler.
    """
    from distributed import as_completed

    with _client(scheduler, workers) as client:
        futures = []
        for number, task in enumerate(tasks):
            first = [futures[other] for other in (after or {}).get(number, [])]
            futures.append(client.submit(_waited, first, work, task, pure=False))
        numbers = {future: number for number, future in enumerate(futures)}
        for future in as_completed(futures):
            error = future.exception()  # waits: a result that died with its worker is being made again
            yield numbers[future], None if error else future.result(), error


def _waited(first: list, work: Callable, task: tuple):
    """`work(*task)`, when the results of other tasks, `first`, are there."""
    return work(*task)


@contextmanager
def _client(scheduler: str, workers: int | None):
    from distributed import Client

    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what happens to workers is told by what becomes of tasks
    if scheduler == LOCAL:
        with _processes(workers or os.cpu_count()) as processes, Client(processes) as client:
            yield client
        return
    try:
        client = Client(scheduler, timeout=ANSWER)
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"--scheduler {scheduler}", f"cannot be reached ({type(error).__name__})",
                         "start one by `dask scheduler` and give the address that it says, or `local`") from None
    with client:
        try:
            client.wait_for_workers(1, timeout=PATIENCE)
        except TimeoutError:
            raise InputError(f"--scheduler {scheduler}", "has no workers",
                             "start some by `dask worker ADDRESS --nthreads 1`") from None
        yield client


def _processes(count: int):
    """So many worker processes that share the cores. Their memory is not Dask's business, which would kill them by it."""
    from distributed import LocalCluster

    threads = str(max(1, (os.cpu_count() or 1) // count))
    libraries = {f"{library}_NUM_THREADS": threads for library in ("OMP", "MKL", "OPENBLAS")}  # Dask would give each one thread
    return LocalCluster(n_workers=count, threads_per_worker=1, memory_limit=None, dashboard_address=None,
                        silence_logs=logging.CRITICAL, env=libraries)
