import subprocess
import sys

import pytest


@pytest.mark.parametrize("model", ["vgg16-half", "resnet50-slim"])
def test_a_command_starts_without_what_takes_longer_to_import_than_a_picture_takes(model):
    code = ("import sys; from stvae_lib import cli, stylizing; from stvae_lib.model import weights; "
            f"weights.load({model!r}); assert 'torch' in sys.modules; "
            "print([name for name in ('torchvision', 'torch._dynamo', 'cv2', 'av') if name in sys.modules])")
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert found == "[]\n"
