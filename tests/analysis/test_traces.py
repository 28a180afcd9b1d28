import pytest
import torch

from stvae_lib.analysis import traces
from stvae_lib.pictures import styles


@pytest.fixture(scope="module")
def pictures():
    return torch.cat([styles.generate(kind, 96, seed) for seed in (1, 2) for kind in ("stained_glass", "marbling", "cubist")])


def noise(seed=0):
    return torch.rand(6, 3, 96, 96, generator=torch.Generator().manual_seed(seed))


def test_a_faint_content_is_found_whatever_its_sign_and_noise_is_not(pictures):
    for sign in (1, -1):
        faint = 0.5 + sign * 0.2 * (pictures - 0.5) + 0.5 * (noise() - 0.5)
        found = traces.correlations(faint, pictures)
        assert found.shape == (6, 6) and list(found.argmax(1)) == list(range(6))
        assert min(traces.own_over_others(faint, pictures, range(6))) > 0.2
    assert abs(sum(traces.own_over_others(noise(), pictures, range(6))) / 6) < 0.1


def test_outputs_far_outside_a_picture_are_stretched_channel_by_channel_and_keep_their_trace(pictures):
    far = 300 * pictures - torch.tensor([900.0, 0.0, -50.0])[:, None, None]
    found = traces.stretched(torch.cat([far, torch.full_like(far[:1], 7.0)]))
    assert float(found.min()) == 0 and float(found.max()) == 1 and float(found[-1].abs().max()) == 0
    assert min(traces.own_over_others(found[:6], pictures, range(6))) > 0.3
    assert float(traces.correlations(far.clamp(0, 1), pictures).diagonal().min()) < 0.5, "cut off, it is lost"


def test_local_correlation_is_a_correlation_where_content_is_and_none_elsewhere(pictures):
    half = noise(1)[:1].clone()
    half[..., 48:] = pictures[:1, :, :, 48:]
    found = traces.local_correlation(half, pictures[:1], 24)
    assert found.shape == (96, 96) and float(found.max()) <= 1 + 1e-4
    assert float(found[:, 64:].mean()) > 0.95 and float(found[:, :32].mean()) < 0.3


def test_places_lie_where_the_content_is_and_noise_has_none(pictures):
    others = list(pictures[1:].split(1))
    corner = noise(2)[:1].clone()
    corner[..., 48:, 48:] = 0.5 + 0.4 * (pictures[:1, :, 48:, 48:] - 0.5)
    found = traces.places(corner, pictures[:1], others, window=24)
    assert found and all(row > 40 and column > 40 for row, column in found)
    assert sum(len(traces.places(noise(seed)[:1], pictures[:1], others, window=24)) for seed in range(5)) <= 2
