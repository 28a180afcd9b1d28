"""What a lab takes of a student's machine, on two cores: seconds, processor time and memory of its kernel, one row a lab.

    python benchmarks/labs.py [LAB …]

Every master is executed with its solutions, cell by cell, in a kernel of its own with one thread, as the guide has it on a
server of many students. Seconds count from the kernel's start; CPU is the processor time of the kernel; memory is the largest
that it held. The memory of a JupyterLab server, which a student has beside the kernel on JupyterHub, is taken without a kernel.
Linux only. Without names all labs are measured, benchmarks/labs.json is written, and the figures of docs/teaching.md are made
anew.
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import nbformat
from nbclient import NotebookClient

from stvae_lib.provenance import environment
from stvae_lib.report.guide import update_guide
from stvae_lib.report.labs import masters, read_master

CORES = 2
PROBE = "import time\nprint(time.process_time(), open('/proc/self/status').read().split('VmHWM:')[1].split()[0])"


def measured(file: Path) -> dict:
    """The row of a lab."""
    notebook = read_master(file)
    tests = {cell.id for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade")}
    notebook.cells.append(nbformat.v4.new_code_cell(PROBE))
    began = time.perf_counter()
    NotebookClient(notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(file.parent)}}).execute()
    seconds = time.perf_counter() - began
    busy, memory = notebook.cells[-1].outputs[0].text.split()
    times = {cell.id: duration(cell) for cell in notebook.cells if cell.cell_type == "code"}
    return {"lab": notebook.cells[0].source.splitlines()[0].removeprefix("# "), "all cells (s)": seconds, "CPU (s)": float(busy),
            "peak memory (MB)": float(memory) / 1000, "longest cell (s)": max(times.values()),
            "longest check (s)": max(times[name] for name in tests & set(times))}


def duration(cell) -> float:
    """Seconds from when the kernel took a cell until it was done."""
    times = cell.metadata["execution"]
    began, ended = (datetime.fromisoformat(times[name]) for name in ("iopub.execute_input", "shell.execute_reply"))
    return (ended - began).total_seconds()


def server_memory() -> float:
    """MB that a JupyterLab server holds once its page was asked for."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        server = subprocess.Popen([sys.executable, "-m", "jupyterlab", "--no-browser", f"--port={port}", "--ip=127.0.0.1",
                                   "--allow-root", "--IdentityProvider.token=", f"--ServerApp.root_dir={folder}"],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            return asked_for(f"http://127.0.0.1:{port}/lab", server)
        finally:
            server.terminate()
            server.wait()


def asked_for(address: str, server: subprocess.Popen) -> float:
    """MB of a server that has answered."""
    while server.poll() is None:
        try:
            urlopen(address).read()
            status = Path(f"/proc/{server.pid}/status").read_text()
            return float(status.split("VmRSS:")[1].split()[0]) / 1000
        except URLError:
            time.sleep(0.5)
    raise RuntimeError(f"the server ended with {server.returncode}")


def main(names: list[str]) -> None:
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])  # kernels and server inherit both
    os.environ["OMP_NUM_THREADS"] = "1"
    rows = []
    for file in masters():
        if not names or file.stem in names:
            rows.append(measured(file))
            print("  ".join(f"{key} {value:.1f}" if isinstance(value, float) else value for key, value in rows[-1].items()))
    if not names:
        results = {"command": "python benchmarks/labs.py", "cores": CORES, "rows": rows, "server (MB)": server_memory(),
                   "provenance": environment("cpu")}
        Path(__file__).with_name("labs.json").write_text(json.dumps(results, indent=1) + "\n")
        update_guide()


if __name__ == "__main__":
    main(sys.argv[1:])
