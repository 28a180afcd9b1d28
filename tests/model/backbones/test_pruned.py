"""A narrower VGG that starts as a part of a wider one."""

import torch

from stvae_lib.model.backbones.vgg import VGG, VGGDecoder
from stvae_lib.statistics import least_squares, sampled_rows


def unexplained(student, teacher, images, layer):
    found, wanted = (sampled_rows(network.features(images, [layer])[layer]) for network in (student, teacher))
    weight, bias = least_squares(found, wanted)
    return float((found @ weight.T + bias - wanted).square().mean() / wanted.var())


def test_a_pruned_start_explains_more_than_random_weights_of_the_same_width():
    torch.manual_seed(0)
    teacher, images = VGG(16, "half", "relu2_1", padding="zeros"), torch.rand(8, 3, 48, 48)
    pruned, random = VGG(16, "slim", "relu2_1"), VGG(16, "slim", "relu2_1")
    with torch.no_grad():
        pruned.pruned_start(teacher, images)
        assert unexplained(pruned, teacher, images, "relu2_1") < 0.85 * unexplained(random, teacher, images, "relu2_1")
        for layer, value in pruned.features(images, list(pruned.widths)).items():
            assert abs(value.std() - 1) < 0.01, layer


def test_a_pruned_start_at_the_teachers_own_width_is_the_teacher():
    torch.manual_seed(0)
    teacher, student, images = (VGG(16, "slim", "relu2_1"), VGG(16, "slim", "relu2_1"), torch.rand(8, 3, 32, 32))
    with torch.no_grad():
        student.pruned_start(teacher, images)
        assert unexplained(student, teacher, images, "relu2_1") < 1e-3


def test_a_skip_is_folded_below_the_last_layer_and_reaches_the_decoder():
    torch.manual_seed(0)
    encoder, decoder = VGG(16, "slim", skip="relu3_1"), VGGDecoder(16, "slim", skip="relu3_1")
    features = encoder(torch.rand(1, 3, 32, 48))
    assert features.shape == (1, 128 + 4 * 64, 4, 6)
    other = features.clone()
    other[:, 128:] += 1
    assert decoder(features).shape == (1, 3, 32, 48)
    assert not torch.allclose(decoder(features), decoder(other))
