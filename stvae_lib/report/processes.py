"""Programs that end with whoever started them."""

import os
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager

ENDING = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
PATIENCE = 5  # seconds that a program has to end by itself


def run_together(command: list[str], env: dict | None = None) -> subprocess.CompletedProcess:
    """Run a program in a process group of its own, its output as text. However the wait for it ends, by an exception, Ctrl-C,
    SIGTERM or a closed terminal, the whole group is ended too: a notebook would otherwise go on computing unseen."""
    with _signals_raise():
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env,
                                   start_new_session=True)
        try:
            output, errors = process.communicate()
        except BaseException:
            _end_group(process)
            raise
    return subprocess.CompletedProcess(command, process.returncode, output, errors)


@contextmanager
def _signals_raise():
    """Signals that would end Python on the spot raise SystemExit in its place, so that there is time to tidy up."""
    def leave(number, frame):
        sys.exit(128 + number)

    # only the main thread may set handlers, and a handler of the caller's own, or a nohup, is not overruled
    main = threading.current_thread() is threading.main_thread()
    replaced = [number for number in ENDING if main and signal.getsignal(number) == signal.SIG_DFL]
    for number in replaced:
        signal.signal(number, leave)
    try:
        yield
    finally:
        for number in replaced:
            signal.signal(number, signal.SIG_DFL)


def _end_group(process: subprocess.Popen) -> None:
    """Ask a process group to end (papermill then ends its kernel), and end it if it does not."""
    if not hasattr(os, "killpg"):
        process.kill()
        return
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.communicate(timeout=PATIENCE)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue
