import subprocess
import sys


def test_a_command_starts_without_torchvision():
    """Its import takes longer than a picture."""
    code = "import sys; from stvae_lib import cli; assert 'torch' in sys.modules; print('torchvision' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
