"""What is trained second, and on which losses: the image autoencoder."""

from dataclasses import dataclass

import torch
from torch import nn

from .. import losses
from ..evaluation.metrics import reconstruction_scores
from ..model.backbones.vgg import VGGDecoder
from ..model.stvae import AutoEncoder
from ..pictures.datasets import CropPool, mixed_batch
from .distillation import unexplained_up_to_scale


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
        if getattr(encoder, "adapter", None) is not None:  # no part of what was pretrained
            encoder.adapter.requires_grad_(True)

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
            rows["encoder"] = torch.stack([unexplained_up_to_scale(found[name], target[name])
                                           for name in names]).mean()
            total = total + options.encoder_weight * rows["encoder"]
        return {"loss": total} | rows

    def parameter_groups(self, lr):
        groups = [{"params": list(self.decoder.parameters()), "lr": lr}]
        trained = [parameter for parameter in self.encoder.parameters() if parameter.requires_grad]
        return [*groups, {"params": trained, "lr": lr}] if trained else groups

    def validate(self):
        model = AutoEncoder(self.encoder, self.decoder)
        outputs = [model.reconstruct(image) for image in self.validation]
        errors = [self.distances.perceptual(self.distances.features(output), self.distances.features(image))
                  for output, image in zip(outputs, self.validation)]
        return reconstruction_scores(outputs, self.validation) | {"perceptual": torch.cat(errors).mean()}

    def trained_state(self):
        return {"encoder": self.encoder.state_dict(), "decoder": self.decoder.state_dict()}

    def load_trained_state(self, state):
        self.encoder.load_state_dict(state["encoder"])
        self.decoder.load_state_dict(state["decoder"])
