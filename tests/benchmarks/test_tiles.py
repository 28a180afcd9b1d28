"""The benchmark of large pictures, on small ones."""

import json
import subprocess
import sys

import pytest
from common import ROOT


@pytest.mark.slow
def test_models_are_measured_one_by_one_and_rows_of_others_kept(tmp_path):
    out = tmp_path / "tiles.json"
    old = {"models": {"other": {"rows": []}}}
    out.write_text(json.dumps(old))
    subprocess.run([sys.executable, ROOT / "benchmarks" / "tiles.py", "vgg19-slim", "--megapixels", "1", "--side", "96",
                    "--max-memory", "750MB", "--out", out], check=True, capture_output=True)
    found = json.loads(out.read_text())["models"]
    assert found["other"] == old["models"]["other"]
    row, = found["vgg19-slim"]["rows"]
    assert row["megapixels"] == 1 and row["tile"] >= 256 and row["kept"] == "float32" and not row["on disk"]
    assert 300 < row["peak_memory_mb"] < 750
    assert row["seconds_per_megapixel"] == pytest.approx(row["seconds"], abs=0.01)
    assert found["vgg19-slim"]["levels"] <= 2 and found["vgg19-slim"]["levels_by_a_reduced_copy"] is None
