import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("model", ["vgg16-half", "resnet50-slim"])
def test_a_command_starts_without_what_takes_longer_to_import_than_a_picture_takes(model):
    code = ("import sys; from stvae_lib import cli, stylizing; from stvae_lib.model import weights; "
            f"weights.load({model!r}); assert 'torch' in sys.modules; "
            "print([name for name in ('torchvision', 'torch._dynamo', 'cv2', 'av') if name in sys.modules])")
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert found == "[]\n"


def test_a_command_can_be_interrupted_and_helps_before_torch_is_there():
    code = ("import sys; from stvae_lib import cli; before = 'torch' in sys.modules; import stvae_lib as st; "
            "from stvae_lib import load, load_image, save_image, weights; print(before, st.load is weights.load); st.nothing")
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert found.stdout == "False True\n" and found.stderr.endswith("module 'stvae_lib' has no attribute 'nothing'\n")


def test_feature_maps_lie_in_huge_pages_where_there_are_any():
    offered = Path("/sys/kernel/mm/transparent_hugepage/enabled")
    if not offered.exists() or "[never]" in offered.read_text():
        pytest.skip("no huge pages here")
    script = ("import stvae_lib, torch; kept = torch.ones(2**26); "
              "print([line.split()[1] for line in open('/proc/self/smaps_rollup') if line.startswith('AnonHugePages')][0])")
    environment = {name: value for name, value in os.environ.items() if name != "THP_MEM_ALLOC_ENABLE"}
    assert int(subprocess.check_output([sys.executable, "-c", script], text=True, env=environment)) > 2**14, "KB, of 2**18"
