"""What is trained second, and on which losses: the image autoencoder."""

from typing import Literal

import torch
from pydantic import Field
from pydantic.dataclasses import dataclass
from torch import nn

from .. import losses
from ..checks import STRICT
from ..evaluation.metrics import reconstruction_scores
from ..model.backbones.vgg import VGGDecoder
from ..model.stvae import AutoEncoder
from ..pictures.datasets import CropPool, mixed_batch
from ..statistics import least_squares, sampled_rows
from .distillation import unexplained, unexplained_up_to_scale


@dataclass(config=STRICT)
class AutoencoderOptions:
    """Loss weights of the autoencoder. `encoder_weight` > 0 lets the encoder learn along while that weight
    on the distillation loss keeps its features the teacher's; 0 freezes it, as the paper does.
    start: "base" (the base's encoder, or random weights), or "pruned": as a part of the loss network, a wider VGG of the
    same depth (`VGG.pruned_start`)."""

    pixel_weight: float = Field(15.0, ge=0)
    perceptual_weight: float = Field(1.0, ge=0)
    encoder_weight: float = Field(0.0, ge=0)
    start: Literal["base", "pruned"] = "base"


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
        self.heads = nn.ModuleDict()
        if encoder.adapter is not None:  # no part of what was pretrained
            encoder.adapter.requires_grad_(True)

    @torch.no_grad()
    def start(self, images: torch.Tensor):
        """What encoder and decoder scale features by, and the encoder's start, from `images`; where it learns from a loss
        network of other channels, the 1x1 convolutions that read its features off the encoder's (thrown away afterwards)."""
        self.encoder.calibrate(images)
        if self.options.start == "pruned":
            self.encoder.pruned_start(self.distances.network, images)
        if self.options.encoder_weight > 0 and self.encoder.widths[self.encoder.last] != self._teacher_width():
            found, target = self.encoder.features(images, self.distances.layers), self.distances.features(images)
            for name in self.distances.layers:
                weight, bias = least_squares(sampled_rows(found[name]), sampled_rows(target[name]))
                self.heads[name] = nn.Conv2d(*weight.shape[::-1], 1)
                self.heads[name].weight.data = weight[:, :, None, None].contiguous()
                self.heads[name].bias.data = bias
        self.decoder.calibrate(self.encoder(images))

    def _teacher_width(self) -> int:
        return self.distances.network.widths[self.encoder.last]

    def batch(self, rng, schedule):
        return mixed_batch(self.photos, self.paintings, rng, schedule)

    def _encoder_loss(self, found: dict, target: dict) -> torch.Tensor:
        """Unexplained variance of the loss network's features, mean over its layers."""
        if self.heads:
            return torch.stack([unexplained(head(found[name]), target[name]) for name, head in self.heads.items()]).mean()
        return torch.stack([unexplained_up_to_scale(found[name], target[name]) for name in self.distances.layers]).mean()

    def forward(self, batch):
        images, options = batch["images"], self.options
        target = self.distances.features(images)
        names = self.distances.layers if options.encoder_weight > 0 else []
        found = self.encoder.features(images, {*names, *self.encoder.bottleneck_layers})
        output = self.decoder(self.encoder.bottleneck(found)).float()
        rows = {"pixel": losses.pixel(output, images)}
        total = options.pixel_weight * rows["pixel"]
        if options.perceptual_weight > 0:
            rows["perceptual"] = self.distances.perceptual(self.distances.features(output), target).mean()
            total = total + options.perceptual_weight * rows["perceptual"]
        if options.encoder_weight > 0:
            rows["encoder"] = self._encoder_loss(found, target)
            total = total + options.encoder_weight * rows["encoder"]
        return {"loss": total} | rows

    def parameter_groups(self, lr):
        groups = [{"params": list(self.decoder.parameters()), "lr": lr}]
        trained = [p for module in (self.encoder, self.heads) for p in module.parameters() if p.requires_grad]
        return [*groups, {"params": trained, "lr": lr * (0.1 if self.options.start == "pruned" else 1)}] if trained else groups

    def validate(self):
        model = AutoEncoder(self.encoder, self.decoder)
        images = [image.to(self.distances.sigma2) for image in self.validation]
        outputs = [model.reconstruct(image) for image in images]
        errors = [self.distances.perceptual(self.distances.features(output), self.distances.features(image))
                  for output, image in zip(outputs, images)]
        return reconstruction_scores(outputs, images) | {"perceptual": torch.cat(errors).mean()}

    def trained_state(self):
        return {"encoder": self.encoder.state_dict(), "decoder": self.decoder.state_dict(), "heads": self.heads.state_dict()}

    def load_trained_state(self, state):
        self.encoder.load_state_dict(state["encoder"])
        self.decoder.load_state_dict(state["decoder"])
        self.heads.load_state_dict(state["heads"])
