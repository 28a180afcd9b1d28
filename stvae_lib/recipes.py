"""What is trained and on which losses: slim encoder, image autoencoder, variational linear transform.

Each recipe is a module that `training.fit` understands; `validate` measures on held-out pictures only.
"""

from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn
from torchmetrics.functional.image import peak_signal_noise_ratio, structural_similarity_index_measure

from . import losses
from .backbones.vgg import VGG, VGGDecoder
from .datasets import CropPool, is_held_out
from .errors import InputError
from .images import list_images, load_image


def held_out_images(folder, count: int | None, size: int) -> list[torch.Tensor]:
    """`count` held-out pictures spread evenly over the folder (None: all), longer side `size`."""
    files = [file for file in list_images(folder) if is_held_out(file.name)]
    if not files:
        raise InputError(folder, "holds no held-out pictures", "add more: one name in ten is held out by its checksum")
    if count is not None and count < len(files):
        files = [files[round(i * (len(files) - 1) / (count - 1))] for i in range(count)]
    return [load_image(file, size) for file in files]


def reconstruction_scores(reconstruct, images) -> dict[str, float]:
    """Mean PSNR (dB) and SSIM of `reconstruct(image)` over images `(1, 3, H, W)`."""
    psnr, ssim = [], []
    for image in images:
        output = reconstruct(image).float().clamp(0, 1)
        psnr.append(peak_signal_noise_ratio(output, image, data_range=1.0))
        ssim.append(structural_similarity_index_measure(output, image, data_range=1.0))
    return {"psnr": float(torch.stack(psnr).mean()), "ssim": float(torch.stack(ssim).mean())}


class EncoderDistillation(nn.Module):
    """A slim VGG learns a teacher's features at every layer, from random weights.

    Targets are the teacher's features over one constant per layer (its standard deviation on the first batch):
    the student becomes the activation-normalised network that style transfer likes (Gatys et al. 2016, §2).
    Loss: mean over all layers of the squared error over the target's variance (unexplained variance).
    """

    def __init__(self, teacher: VGG, photos: CropPool, paintings: CropPool, validation: list[torch.Tensor],
                 last: str = "relu5_1"):
        super().__init__()
        self.teacher = teacher.eval().requires_grad_(False)
        self.student = VGG(19, "slim", last)
        self.photos, self.paintings, self.validation = photos, paintings, validation
        self.names = [name.replace("conv", "relu") for name in self.student.layers if name != "pool"]
        self.register_buffer("scale", torch.ones(len(self.names)))

    @torch.no_grad()
    def start(self, images: torch.Tensor):
        """Measure the targets' scale on `images`; random student weights whose every layer has that scale
        (layer-sequential, after LSUV, Mishkin & Matas 2016)."""
        features = self.teacher.features(images, self.names)
        self.scale.copy_(torch.stack([features[name].std() for name in self.names]))
        target = self.target(images)
        for relu in self.names:
            conv = getattr(self.student, relu.replace("relu", "conv"))
            nn.init.kaiming_normal_(conv.weight)
            nn.init.zeros_(conv.bias)
            found = self.student.features(images, [relu])[relu]
            conv.weight *= (target[relu].square().mean() / found.square().mean().clamp_min(1e-8)).sqrt()

    def target(self, images: torch.Tensor) -> dict[str, torch.Tensor]:
        """The teacher's features by layer, each over its constant."""
        features = self.teacher.features(images, self.names)
        return {name: features[name] / scale for name, scale in zip(self.names, self.scale)}

    def batch(self, rng, schedule):
        return mixed_batch(self.photos, self.paintings, rng, schedule)

    def forward(self, batch):
        target = self.target(batch["images"])
        found = self.student.features(batch["images"], self.names)
        rows = {name: unexplained(found[name], target[name]) for name in self.names}
        shown = {name: rows[name] for name in self.names if name.endswith("_1")}
        return {"loss": torch.stack(list(rows.values())).mean()} | shown

    def parameter_groups(self, lr):
        # neighbouring pixels are nearly equal, so edge filters need large weights: ten times the rate gets them there
        first = list(self.student.conv1_1.parameters())
        rest = [p for name, p in self.student.named_parameters() if not name.startswith(("colour", "conv1_1"))]
        return [{"params": first, "lr": 10 * lr}, {"params": rest, "lr": lr}]

    def validate(self):
        names = [name for name in self.names if name.endswith("_1")]
        rows = [(self.student.features(image, names), self.target(image)) for image in self.validation]
        return {name: torch.stack([unexplained(found[name], target[name]) for found, target in rows]).mean()
                for name in names}

    def trained_state(self):
        return self.student.state_dict() | {"teacher_scale": self.scale}

    def load_trained_state(self, state):
        self.scale.copy_(state["teacher_scale"])
        self.student.load_state_dict({name: value for name, value in state.items() if name != "teacher_scale"})


def unexplained(found: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Squared error over the target's variance: 0 is a perfect copy, 1 no better than the mean (scalar)."""
    target = target.float()
    return F.mse_loss(found.float(), target) / target.var()


def mixed_batch(photos: CropPool, paintings: CropPool, rng, schedule) -> dict:
    """Crops of both kinds, two photographs for each painting: {"images" (batch, 3, crop, crop), "files"}."""
    count = schedule.batch // 3
    first, first_names = photos.crops(rng, schedule.batch - count, schedule.crop)
    second, second_names = paintings.crops(rng, count, schedule.crop)
    return {"images": torch.cat([first, second]).contiguous(memory_format=torch.channels_last),
            "files": first_names + second_names}


@dataclass
class AutoencoderOptions:
    """Loss weights of the autoencoder. `encoder_weight` > 0 lets the encoder learn along while that weight
    on the distillation loss keeps its features the teacher's; 0 freezes it, as the paper does."""

    pixel_weight: float = 15.0
    perceptual_weight: float = 1.0
    encoder_weight: float = 0.0


class AutoencoderTraining(nn.Module):
    """The image autoencoder (paper, figure 1, left): the decoder learns to undo the encoder."""

    def __init__(self, encoder, decoder: VGGDecoder, distances: losses.FeatureDistances, photos: CropPool,
                 paintings: CropPool, validation: list[torch.Tensor], options: AutoencoderOptions):
        super().__init__()
        self.encoder, self.decoder, self.distances, self.options = encoder, decoder, distances, options
        self.photos, self.paintings, self.validation = photos, paintings, validation
        self.encoder.requires_grad_(options.encoder_weight > 0)
        if options.encoder_weight > 0:
            self.encoder.colour.requires_grad_(False)

    def batch(self, rng, schedule):
        return mixed_batch(self.photos, self.paintings, rng, schedule)

    def forward(self, batch):
        images, options = batch["images"], self.options
        target = self.distances.features(images)
        names = self.distances.layers if options.encoder_weight > 0 else [self.encoder.last]
        found = self.encoder.features(images, [*names, self.encoder.last])
        output = self.decoder(found[self.encoder.last]).float()
        rows = {"pixel": losses.pixel(output, images)}
        total = options.pixel_weight * rows["pixel"]
        if options.perceptual_weight > 0:
            rows["perceptual"] = self.distances.perceptual(self.distances.features(output), target).mean()
            total = total + options.perceptual_weight * rows["perceptual"]
        if options.encoder_weight > 0:
            rows["encoder"] = torch.stack([unexplained(found[name], target[name]) for name in names]).mean()
            total = total + options.encoder_weight * rows["encoder"]
        return {"loss": total} | rows

    def parameter_groups(self, lr):
        groups = [{"params": list(self.decoder.parameters()), "lr": lr}]
        if self.options.encoder_weight > 0:
            groups.append({"params": [p for p in self.encoder.parameters() if p.requires_grad], "lr": lr * 0.3})
        return groups

    def validate(self):
        scores = reconstruction_scores(lambda image: self.decoder(self.encoder(pad_to(image, self.encoder.stride)))
                                       [..., :image.shape[2], :image.shape[3]], self.validation)
        found = [self.decoder(self.encoder(pad_to(image, self.encoder.stride))).clamp(0, 1)
                 [..., :image.shape[2], :image.shape[3]] for image in self.validation]
        errors = [self.distances.perceptual(self.distances.features(output.float()), self.distances.features(image))
                  for output, image in zip(found, self.validation)]
        return scores | {"perceptual": torch.cat(errors).mean()}

    def trained_state(self):
        return {"encoder": self.encoder.state_dict(), "decoder": self.decoder.state_dict()}

    def load_trained_state(self, state):
        self.encoder.load_state_dict(state["encoder"])
        self.decoder.load_state_dict(state["decoder"])


def pad_to(image: torch.Tensor, stride: int) -> torch.Tensor:
    """Reflect right and bottom until both sides are multiples of `stride`."""
    height, width = image.shape[2:]
    return F.pad(image, (0, -width % stride, 0, -height % stride), mode="reflect")
