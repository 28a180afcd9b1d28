"""What is trained first, and on which loss: a slim encoder that learns a teacher's features."""

import torch
import torch.nn.functional as F
from torch import nn

from ..analysis.activations import strides
from ..pictures.datasets import CropPool, mixed_batch


class EncoderDistillation(nn.Module):
    """A slim encoder learns a teacher's features at every layer, from random weights.

    Targets are the teacher's features over one constant per layer (its standard deviation on the first batch):
    the student becomes the activation-normalised network that style transfer likes (Gatys et al. 2016, §2).
    Loss: mean over all layers of the squared error over the target's variance (unexplained variance).

    Where the two are of different families or widths a 1x1 convolution, thrown away afterwards, reads the target off the
    student's layer (FitNets, Romero et al. 2015). A student that is cut earlier learns the layers that it has.
    """

    def __init__(self, teacher: nn.Module, student: nn.Module, photos: CropPool, paintings: CropPool,
                 validation: list[torch.Tensor]):
        super().__init__()
        self.teacher = teacher.eval().requires_grad_(False)
        self.student = student
        self.teacher_layers = matched_layers(student, teacher)
        self.heads = nn.ModuleDict({ours: nn.Conv2d(student.widths[ours], teacher.widths[theirs], 1)
                                    for ours, theirs in self.teacher_layers.items()
                                    if ours != theirs or student.widths[ours] != teacher.widths[theirs]})
        self.photos, self.paintings, self.validation = photos, paintings, validation
        self.shown = [name for name in self.teacher_layers if name in student.style_layers]
        self.register_buffer("scale", torch.ones(len(self.teacher_layers)))

    @torch.no_grad()
    def start(self, images: torch.Tensor):
        """Measure the targets' scale on `images` and start the student at it."""
        features = self.teacher.features(images, set(self.teacher_layers.values()))
        self.scale.copy_(torch.stack([features[name].std() for name in self.teacher_layers.values()]))
        self.student.start_like(images, self.target(images))

    @torch.no_grad()
    def fit_heads(self, images: torch.Tensor):
        """Least-squares heads for a student that goes on from trained weights: its own were thrown away, and the
        gradients of random ones would undo what it knows."""
        found, target = self.student.features(images, list(self.heads)), self.target(images)
        for name, head in self.heads.items():
            inputs = found[name].movedim(1, -1).flatten(0, 2)
            inputs = torch.cat([inputs, torch.ones(len(inputs), 1)], dim=1).double()
            wanted = at_size(target[name], found[name]).movedim(1, -1).flatten(0, 2).double()
            ridge = 1e-4 * inputs.square().mean() * len(inputs) * torch.eye(inputs.shape[1], dtype=torch.float64)
            solution = torch.linalg.solve(inputs.T @ inputs + ridge, inputs.T @ wanted).float()
            head.weight.copy_(solution[:-1].T[:, :, None, None])
            head.bias.copy_(solution[-1])

    def target(self, images: torch.Tensor) -> dict[str, torch.Tensor]:
        """The teacher's features by the student's layer, each over its constant."""
        features = self.teacher.features(images, set(self.teacher_layers.values()))
        return {ours: features[theirs] / scale for (ours, theirs), scale in zip(self.teacher_layers.items(), self.scale)}

    def batch(self, rng, schedule):
        return mixed_batch(self.photos, self.paintings, rng, schedule)

    def unexplained(self, images: torch.Tensor, names) -> dict[str, torch.Tensor]:
        """Unexplained variance of the targets by layer."""
        target, rows = self.target(images), {}
        for name, found in self.student.features(images, names).items():
            found = self.heads[name](found) if name in self.heads else found
            rows[name] = unexplained(found, at_size(target[name], found))
        return rows

    def forward(self, batch):
        rows = self.unexplained(batch["images"], list(self.teacher_layers))
        return {"loss": torch.stack(list(rows.values())).mean()} | {name: rows[name] for name in self.shown}

    def parameter_groups(self, lr):
        # neighbouring pixels are nearly equal, so edge filters need large weights: ten times the rate gets them there
        trained = [(name, p) for name, p in self.named_parameters() if p.requires_grad]
        first = [p for name, p in trained if name.startswith("student.conv1_1.")]
        groups = [{"params": [p for name, p in trained if not name.startswith("student.conv1_1.")], "lr": lr}]
        return [{"params": first, "lr": 10 * lr}, *groups] if first else groups

    def validate(self):
        # whole multiples of the deepest stride: the families round odd sizes differently
        images = [image[..., :image.shape[2] // 32 * 32, :image.shape[3] // 32 * 32].to(self.scale) for image in self.validation]
        rows = [self.unexplained(image, self.shown) for image in images]
        return {name: torch.stack([row[name] for row in rows]).mean() for name in self.shown}

    def trained_state(self):
        return {"student": self.student.state_dict(), "heads": self.heads.state_dict(), "scale": self.scale}

    def load_trained_state(self, state):
        self.scale.copy_(state["scale"])
        self.student.load_state_dict(state["student"])
        self.heads.load_state_dict(state["heads"])


def matched_layers(student: nn.Module, teacher: nn.Module) -> dict[str, str]:
    """Student's layer -> the teacher's that it learns. In one family: the same. Otherwise the style layers of equal stride;
    a stage deeper than the teacher learns its last layer."""
    same = [name for name in student.widths if name in teacher.widths]
    if same:
        return {name: name for name in same}
    by_stride = {stride: name for name, stride in strides(teacher).items()}
    return {name: by_stride.get(stride, teacher.last) for name, stride in strides(student).items() if stride >= min(by_stride)}


def at_size(target: torch.Tensor, found: torch.Tensor) -> torch.Tensor:
    """Features pooled to the size of others: a stage deeper than the teacher learns the teacher's last layer so."""
    return target if target.shape[2:] == found.shape[2:] else F.adaptive_max_pool2d(target.float(), found.shape[2:])


def unexplained(found: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Squared error over the target's variance: 0 is a perfect copy, 1 no better than the mean (scalar)."""
    target = target.float()
    return F.mse_loss(found.float(), target) / target.var()


def unexplained_up_to_scale(found: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """The same, with `found` times the one constant that fits best (scalar)."""
    found, target = found.float(), target.float()
    scale = (found * target).mean() / found.square().mean().clamp_min(1e-8)
    return unexplained(scale.detach() * found, target)
