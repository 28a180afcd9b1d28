"""A training that is told to end gets to the end of its step first."""

import signal
import threading
from contextlib import contextmanager

ENDING = {signal.SIGTERM: signal.SIG_DFL, signal.SIGINT: signal.default_int_handler}  # and who handles them by default


@contextmanager
def asked_to_end():
    """A list that SIGTERM or Ctrl-C puts itself into, in place of ending Python on the spot. The second time it does that."""
    # only the main thread may set handlers, and a handler of the caller's own is not overruled
    main = threading.current_thread() is threading.main_thread()
    replaced = {number: default for number, default in ENDING.items() if main and signal.getsignal(number) == default}
    received = []

    def note(number, frame):
        received.append(signal.Signals(number))
        for each, default in replaced.items():
            signal.signal(each, default)

    for number in replaced:
        signal.signal(number, note)
    try:
        yield received
    finally:
        for number, default in replaced.items():
            signal.signal(number, default)
