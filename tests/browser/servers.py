"""Servers that tests start for the browser, and waiting for what they do."""

import contextlib
import socket
import subprocess
import sys
import time

JUPYTERLAB = ("jupyter", "lab", "--no-browser", "--port=PORT", "--ip=127.0.0.1", "--allow-root", "--IdentityProvider.token=",
              "--ServerApp.root_dir=.")


@contextlib.contextmanager
def serving(folder, *command):
    """A server started in `folder` on a free port, which replaces PORT in its command; gives its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", *[part.replace("PORT", str(port)) for part in command]]
    with open(folder / "log", "w") as log:
        server = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
    try:
        wait_for_port(port, server, folder / "log")
        yield f"http://127.0.0.1:{port}/"
    finally:
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()


def wait_for_port(port: int, server, log, seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end and server.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    raise RuntimeError(log.read_text()[-2000:])


def wait_for_file(file, seconds: float = 300) -> None:
    end = time.monotonic() + seconds
    while not file.exists():
        assert time.monotonic() < end, f"{file.name} was never written"
        time.sleep(0.5)
