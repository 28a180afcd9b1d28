import math

import pytest
import torch

from stvae_lib import InputError, load, weights
from stvae_lib.analysis import activations
from stvae_lib.baselines.optimisation import optimise
from stvae_lib.pictures.datasets import sample_photo


def test_peakiness_of_flat_and_of_single_peak_maps():
    flat, peak = torch.ones(1, 4, 8, 8), torch.zeros(1, 4, 8, 8)
    peak[0, 2, 3, 3] = 5
    assert activations.normalised_entropy(flat).item() == pytest.approx(1) and activations.peak_ratio(flat).item() == 1
    assert activations.normalised_entropy(peak).item() == pytest.approx(0, abs=1e-5)
    assert activations.peak_ratio(peak).item() == pytest.approx(256)


def test_effective_rank_counts_independent_channels():
    torch.manual_seed(0)
    one = torch.rand(1, 1, 16, 16).expand(1, 5, 16, 16)
    assert activations.effective_rank(one).item() == pytest.approx(1, abs=1e-3)
    orthogonal = torch.zeros(1, 3, 3, 1)
    orthogonal[0, range(3), range(3), 0] = 1
    assert activations.effective_rank(orthogonal).item() == pytest.approx(3, rel=1e-4)


def test_softmax_smoothing_against_float64_and_flattens_peaks():
    features = torch.rand(2, 3, 4, 5) * 6
    found = activations.softmax_smoothing(features)
    exact = features.double().exp()
    exact = exact / exact.sum((1, 2, 3), keepdim=True) * 60
    torch.testing.assert_close(found.double(), exact, rtol=1e-5, atol=1e-7)
    small = 0.1 * features
    assert (activations.normalised_entropy(activations.softmax_smoothing(small))
            > activations.normalised_entropy(small)).all()


def test_one_temperature_means_the_same_at_every_scale_of_a_network():
    network, photo = weights.loss_network(last="relu2_1"), sample_photo("coffee", 64)
    louder = weights.loss_network(last="relu2_1")
    louder.conv2_1.weight.data *= 50
    louder.conv2_1.bias.data *= 50
    raw = [activations.entropy_seen(each, "relu2_1", photo, 4.0) for each in (network, louder)]
    scaled = [activations.entropy_seen(activations.Standardised(each, ["relu2_1"], photo), "relu2_1", photo, 4.0)
              for each in (network, louder)]
    assert raw[1] < 0.9 * raw[0] and scaled[1] == pytest.approx(scaled[0], rel=1e-3)


def test_gradients_of_the_relative_losses_agree_with_finite_differences():
    target = torch.rand(1, 3, 6, 6, dtype=torch.float64)
    image = torch.rand(1, 3, 6, 6, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: activations.relative_error(x, target), image)


@pytest.mark.parametrize("optimiser", ["lbfgs", "adam"])
def test_optimise_finds_a_quadratics_minimum_and_keeps_snapshots(optimiser):
    goal = torch.full((1, 3, 8, 8), 0.25)
    image, history = optimise(torch.ones(1, 3, 8, 8), lambda x: {"error": (x - goal).square().sum()}, 120, optimiser,
                              snapshots=(0, 2))
    torch.testing.assert_close(image, goal, atol=1e-2, rtol=0)
    assert set(history.snapshots) == {0, 2} and torch.equal(history.snapshots[0], torch.ones(1, 3, 8, 8))
    assert history.losses[-1]["error"] < 1e-3 and history.stopped == {"lbfgs": "converged", "adam": "finished"}[optimiser]


def test_lbfgs_is_not_lost_where_a_published_loss_is_huge():
    """Its line search squares slopes, which overflow float32 where a loss is a sum of 1e18."""
    goal = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(0))

    def ended(scale):
        def error(x):
            return scale * ((x - goal).pow(4).sum() + 100 * (x.mean() - goal.mean() - 1).square())

        _, history = optimise(torch.full((1, 3, 8, 8), 0.5), lambda x: {"error": error(x)}, 60)
        return history.stopped, history.losses[-1]["error"] / scale

    (stopped, error), (also, same) = ended(1.0), ended(1e18)
    assert stopped == also == "converged" and same == pytest.approx(error, rel=1e-3)


def test_optimise_stops_when_nothing_is_gained_when_interrupted_and_when_diverged():
    calls = []

    def interrupted(image):
        calls.append(1)
        if len(calls) == 5:
            raise KeyboardInterrupt
        return {"error": image.square().sum()}

    image, history = optimise(torch.ones(1, 3, 4, 4), interrupted, 50, "adam")
    assert history.stopped == "interrupted" and len(history.losses) == 4 and image.mean() < 1
    _, history = optimise(torch.ones(1, 3, 4, 4), lambda x: {"error": 1 + 0 * x.sum()}, 50, "adam", patience=5)
    assert history.stopped == "converged" and len(history.losses) == 7
    _, history = optimise(torch.ones(1, 3, 4, 4), lambda x: {"error": math.inf * x.sum()}, 50, "adam")
    assert history.stopped == "diverged"


def test_unknown_optimisers_and_empty_runs_are_refused():
    for arguments in ({"optimiser": "magic", "iterations": 3}, {"iterations": 0}):
        with pytest.raises(InputError):
            optimise(torch.ones(1, 3, 4, 4), lambda x: {"error": x.sum()}, **arguments)


def test_a_shallow_layer_is_inverted_better_than_a_deep_one():
    encoder, photo = load("vgg19-slim-autoencoder", "cpu").encoder, sample_photo("chelsea", 64)

    def error(layer):
        picture, _ = activations.invert(encoder, layer, photo, iterations=40)
        return float((picture - photo).square().mean())

    assert error("relu1_1") < 0.3 * error("relu4_1")


@pytest.mark.parametrize("temperature", [None, 10.0])
def test_transfer_lowers_style_and_keeps_the_size(temperature):
    encoder = weights.loss_network(last="relu3_1")
    content, style = sample_photo("coffee", 64), sample_photo("astronaut", 64)
    image, history = activations.transfer(encoder, content, style, "relu3_1", ["relu1_1", "relu2_1"], temperature,
                                          iterations=25)
    assert image.shape == content.shape and image.min() >= 0 and image.max() <= 1
    assert history.losses[-1]["style"] < 0.5 * history.losses[0]["style"]


@pytest.mark.parametrize("name, stride_8", [("vgg19-slim-features", "relu4_1"), ("resnet50-slim-features", "layer2")])
def test_stages_of_either_family_by_stride_and_photograph(name, stride_8):
    network = weights.features_network(name)
    strides = activations.strides(network)
    assert strides[stride_8] == 8 and list(strides.values()) == sorted(strides.values())
    rows = activations.peakiness(network, [sample_photo("coffee", 64), sample_photo("rocket", 96)])
    assert list(rows) == list(strides)
    for row in rows.values():
        assert set(row) == {"entropy", "peak", "rank"} and all(len(values) == 2 for values in row.values())
        assert all(0 < value <= 1 for value in row["entropy"] + row["rank"]) and min(row["peak"]) > 1


def test_a_high_temperature_flattens_what_the_losses_see():
    network, photo = weights.features_network("vgg19-slim-features"), sample_photo("coffee", 64)
    raw, flat = (activations.entropy_seen(network, "relu4_1", photo, temperature) for temperature in (None, 100.0))
    assert raw < flat <= 1
