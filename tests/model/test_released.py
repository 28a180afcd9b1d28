import sys

import numpy as np
import pytest
import torch
from common import SHARED, needs_shared

from stvae_lib import InputError, weights
from stvae_lib.losses import kl_divergence
from stvae_lib.model.codes import mix_codes
from stvae_lib.statistics import centre


@pytest.fixture(scope="module")
def released():
    sys.path.insert(0, str(SHARED / "parity"))
    import released_weights

    return released_weights


@pytest.fixture(scope="module")
def case(released):
    golden = dict(np.load(SHARED / "parity" / "golden_released.npz"))
    content, styles = released.inputs()
    return golden, weights.from_released(*released.weights()), torch.tensor(content), [torch.tensor(s) for s in styles]


def agrees(found, expected):
    assert np.abs(found.numpy() - expected).max() <= 1e-4 * np.abs(expected).max()


@needs_shared
def test_features_and_reconstruction(case):
    golden, model, content, styles = case
    agrees(model.encode(content), golden["content_r41"])
    agrees(model.encode(styles[0]), golden["style_r41"])
    agrees(model.reconstruct(content, clamp=False), golden["reconstruction"])


@needs_shared
def test_single_style(case):
    golden, model, content, styles = case
    agrees(model.stylize(content, styles[0], clamp=False), golden["single"])
    code = model.encode_style(styles[0])
    matrix = model.style_from(code).matrix @ model.vlt.content_matrix(centre(model.encode(content))[0])
    agrees(matrix, golden["single_matrix"])
    total = kl_divergence(code.mu, code.log_sigma) * code.mu.numel()  # the released KL is a sum
    assert float(total) == pytest.approx(float(golden["single_kl"]), rel=1e-4)


@needs_shared
def test_four_styles_mixed(case):
    golden, model, content, styles = case
    mix = golden["mix"].tolist()
    agrees(model.stylize(content, styles, mix=mix, clamp=False), golden["mixed"])
    code = mix_codes([model.encode_style(style) for style in styles], mix)
    agrees(model.style_from(code).matrix @ model.vlt.content_matrix(centre(model.encode(content))[0]), golden["mixed_matrix"])


@needs_shared
def test_files_load_and_foreign_ones_are_refused(released, tmp_path):
    parts = [{name: torch.as_tensor(value) for name, value in part.items()} for part in released.weights(latent=64)]
    files = [tmp_path / name for name in ("vgg_r41.pth", "dec_r41.pth", "matrix_r41_new.pth")]
    for part, file in zip(parts, files):
        torch.save(part, file)
    assert weights.from_released(*files).vlt.latent == 64
    with pytest.raises(InputError, match="layout"):
        weights.from_released(files[1], files[0], files[2])
    files[2].write_bytes(files[2].read_bytes()[:1000])
    with pytest.raises(InputError, match="matrix_r41_new.pth"):
        weights.from_released(*files)


def test_a_pickle_that_runs_code_is_refused(tmp_path):
    import pickle

    class Evil:
        def __reduce__(self):
            return (open, (str(tmp_path / "ran"), "w"))

    (tmp_path / "evil.pth").write_bytes(pickle.dumps(Evil()))
    with pytest.raises(InputError, match="loads safely"):
        weights.from_released(tmp_path / "evil.pth", {}, {})
    assert not (tmp_path / "ran").exists()
    torch.save([torch.ones(2)], tmp_path / "list.pth")
    with pytest.raises(InputError, match="holds no state dict"):
        weights.from_released(tmp_path / "list.pth", {}, {})
