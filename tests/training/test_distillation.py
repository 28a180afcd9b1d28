import pytest
import torch

from stvae_lib.model.backbones import BACKBONES
from stvae_lib.training.distillation import EncoderDistillation, matched_layers

STAGES = ["conv1", "layer1", "layer2", "layer3", "layer4"]


@pytest.mark.parametrize(("student", "teacher", "layers"), [
    ("resnet50", "vgg19", dict(zip(STAGES, ["relu2_1", "relu3_1", "relu4_1", "relu5_1", "relu5_1"]))),
    ("vgg19", "resnet50", {"relu2_1": "conv1", "relu3_1": "layer1", "relu4_1": "layer2", "relu5_1": "layer3"}),
    ("resnet50", "resnet50-half", dict(zip(STAGES, STAGES)))])
def test_layers_are_matched_by_stride_between_families_and_by_name_within(student, teacher, layers):
    assert matched_layers(BACKBONES[student].student("slim"), BACKBONES[teacher].student("slim")) == layers


def test_a_vgg_19_learns_what_a_vgg_16_has():
    layers = matched_layers(BACKBONES["vgg19"].student("slim"), BACKBONES["vgg16"].student("slim"))
    assert layers["relu3_3"] == "relu3_3" and "relu3_4" not in layers and len(layers) == 11


@pytest.mark.parametrize(("student", "teacher"), [("vgg19", "vgg16"), ("vgg19", "resnet50"), ("resnet50", "resnet50"),
                                                  ("resnet50", "vgg16")])
def test_a_wider_teacher_is_read_off_by_heads_and_the_loss_falls(student, teacher):
    torch.manual_seed(0)
    networks = BACKBONES[teacher].student("half"), BACKBONES[student].student("slim")
    recipe = EncoderDistillation(*networks, None, None, [])
    images = torch.rand(2, 3, 64, 64)
    recipe.start(images)
    assert set(recipe.heads) == set(recipe.teacher_layers), "every layer is wider than the student's"
    optimiser = torch.optim.Adam(recipe.parameter_groups(2e-3))
    losses = []
    for _ in range(8):
        loss = recipe({"images": images})["loss"]
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.9 * losses[0]
