import os
import signal
import subprocess
import sys
import time

import pytest

from stvae_lib.report.processes import run_together

# a program with another one below it, both of which sleep; it says their numbers
SLEEPERS = ("import os, subprocess, sys, time\n"
            "below = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(120)'])\n"
            "open(sys.argv[1] + '.part', 'w').write(f'{os.getpid()} {below.pid}')\n"
            "os.rename(sys.argv[1] + '.part', sys.argv[1])\n"
            "time.sleep(120)\n")
REPORT = "import sys\nfrom stvae_lib.report.processes import run_together\nrun_together([sys.executable, '-c', *sys.argv[1:]])\n"


def lives(number: int) -> bool:
    try:
        with open(f"/proc/{number}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def wait_for(condition) -> bool:
    limit = time.monotonic() + 30
    while not condition() and time.monotonic() < limit:
        time.sleep(0.05)
    return bool(condition())


def test_output_and_status_come_back():
    ended = run_together([sys.executable, "-c", "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"])
    assert (ended.returncode, ended.stdout, ended.stderr) == (3, "out\n", "err\n")


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="looks into /proc")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_killed_report_leaves_nothing_running(number, tmp_path):
    def as_from_a_terminal():  # a nohup around the tests would have its signals ignored
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGHUP, signal.SIG_DFL)

    report = subprocess.Popen([sys.executable, "-c", REPORT, SLEEPERS, str(tmp_path / "numbers")], stderr=subprocess.DEVNULL,
                              preexec_fn=as_from_a_terminal)
    assert wait_for((tmp_path / "numbers").exists)
    sleepers = [int(entry) for entry in (tmp_path / "numbers").read_text().split()]
    assert all(map(lives, sleepers))
    report.send_signal(number)
    assert report.wait(30) != 0
    assert wait_for(lambda: not any(map(lives, sleepers)))
