"""What is trained last, and on which losses: the variational linear transform."""

from typing import Literal

import numpy as np
import torch
from pydantic import Field
from pydantic.dataclasses import dataclass
from torch import nn

from .. import losses
from ..checks import STRICT
from ..errors import InputError
from ..model.codes import Style, StyleCode
from ..model.stvae import STVAE
from ..model.vlt import VLT
from ..pictures.datasets import CropPool, colour_jitter
from ..pictures.images import resized
from ..pictures.palette import finished_straight_through, palette_of
from . import motion
from .autoencoder import AutoencoderOptions

CONTENT_LOSSES = ("distance", "structure")


@dataclass(config=STRICT)
class VLTOptions:
    """The transform, how it starts, and its loss weights.

    modulated, normalised: the style modulates the decoder's layers, and takes the place of their own statistics (joint).
    start: "closed-form" (variant joint only), "random", or "base": go on from the base model's transform, as for a
    second stage at larger crops or for styles of one's own; "remodulated": the same, but with a normalised modulation
    that starts anew at its closed form. styles_per_content: how many styles of the batch every
    content meets; features are computed once. photo_styles: share of photographs among the styles.
    sampled: share of the styles whose code is drawn from its posterior; the others are decoded at z = mu, as at
    inference (decoding nothing but noisy codes teaches the decoder to shrink every style towards the average one).
    beta: weight of KL per latent dimension. transform_rate, modulation_rate: the shares of the learning rate
    that the transform and the decoder's modulation take (joint).
    shallow_weight: of the style distance's terms at the first two layers, palette and grain, over that of the deeper ones.
    robust: a pair's style and Gram distance enter as log(1 + distance), so that the rare style that no transform reaches does
    not outweigh all others of its batch.
    smallest_scale: the losses look at pictures shrunk by a factor drawn for every step between this and 1 (contents and
    styles with them), so that strokes larger than the loss network's view count too; the reconstruction's loss does not.
    grey: share of the steps whose losses look at drawings alone: pictures without colours, of equal lightness and contrast
    (contents and styles with them), so that strokes count apart from palettes.
    photo_share: with a number, the trained model finishes what it draws (`STVAE.photo_share`), and the losses look at finished
    pictures (range and palette: at what was drawn), so that what is left to learn is drawing.
    content: "distance" (squared error of relu4_1, as in the paper), or "structure" (1 - correlation of its pattern of places,
    which no change of palette or contrast moves).
    steadiness_weight: of the difference between what is drawn of a content that moved a little and has some noise, and what is
    drawn of the content itself and then moved (`motion`): what flickers in films.
    """

    variant: Literal[tuple(VLT)] = "joint"
    matrix_size: int = Field(32, ge=1, le=1024)
    latent: int = Field(128, ge=1, le=65536)
    modulated: bool = True
    normalised: bool = False
    start: str = "closed-form"
    train_decoder: bool = True
    styles_per_content: int = Field(2, ge=1)
    photo_styles: float = Field(0.15, ge=0, le=1)
    sampled: float = Field(1.0, ge=0, le=1)
    content: Literal[CONTENT_LOSSES] = "distance"
    content_weight: float = Field(1.0, ge=0)
    style_weight: float = Field(5.0, ge=0)
    gram_weight: float = Field(1.0, ge=0)
    palette_weight: float = Field(0.0, ge=0)
    shallow_weight: float = Field(1.0, ge=0)
    robust: bool = False
    smallest_scale: float = Field(1.0, gt=0, le=1)
    grey: float = Field(0.0, ge=0, le=1)
    photo_share: float | None = Field(None, ge=0, lt=1)
    reconstruction_weight: float = Field(1.0, ge=0)
    range_weight: float = Field(10.0, ge=0)
    steadiness_weight: float = Field(0.0, ge=0)
    beta: float = Field(0.03, ge=0)
    transform_rate: float = Field(1 / 3, ge=0)
    modulation_rate: float = Field(1 / 3, ge=0)

    def __post_init__(self):
        starts = ("closed-form", "random", "base", "remodulated") if self.variant == "joint" else ("random", "base")
        if self.start not in starts:
            raise InputError(f"start {self.start!r}", f"does not exist for variant {self.variant!r}",
                             f"use one of {', '.join(starts)}")

        if self.normalised and not self.modulated:
            raise InputError("normalised true", "is a way to modulate, and modulated is false", "set both or neither")

    def vlt_options(self) -> dict:
        """Arguments of the transform's class."""
        options = {"matrix_size": self.matrix_size, "latent": self.latent}
        if self.variant != "joint":
            return options
        return options | {"modulated": self.modulated, "normalised": self.normalised}


class VLTTraining(nn.Module):
    """The variational linear transform on a pretrained autoencoder, through the losses of the pictures it makes."""

    def __init__(self, model: STVAE, distances: losses.FeatureDistances, photos: CropPool, paintings: CropPool,
                 validation: tuple[list[torch.Tensor], list[torch.Tensor]], options: VLTOptions):
        super().__init__()
        self.model, self.distances, self.options = model, distances, options
        self.photos, self.paintings, self.validation = photos, paintings, validation
        model.encoder.requires_grad_(False)
        model.decoder.requires_grad_(options.train_decoder)

    def start(self, rng, schedule, batches: int = 200):
        """Closed-form start from the statistics of random style crops; scales alone for a random one."""
        options = self.options
        if options.variant != "joint" or options.start == "base":
            return
        seed = rng.integers(2**32)

        def features():
            again = np.random.default_rng(seed)
            for _ in range(batches):
                crops, _ = self._styles(again, 16, schedule.crop)
                with torch.no_grad():
                    yield self.model.encoder.features(crops, self.model.vlt.style_layers)

        if options.start != "remodulated":
            self.model.vlt.start_closed_form(features, options.start == "closed-form")
        if options.normalised:
            self.model.vlt.start_modulation(features, self.model.encoder, self.model.decoder)

    def _styles(self, rng, count, size):
        from_photos = int(rng.binomial(count, self.options.photo_styles))
        first, names = self.paintings.crops(rng, count - from_photos, size) if from_photos < count else ([], [])
        second, more = self.photos.crops(rng, from_photos, size) if from_photos else ([], [])
        crops = torch.cat([part for part in (first, second) if len(part)])
        return colour_jitter(crops, rng).contiguous(memory_format=torch.channels_last), names + more

    def batch(self, rng, schedule):
        count = schedule.batch // self.options.styles_per_content
        contents, names = self.photos.crops(rng, count, schedule.crop)
        styles, more = self._styles(rng, count, schedule.crop)
        seen = rng.uniform(self.options.smallest_scale, 1) * schedule.crop
        found = {"contents": contents.contiguous(memory_format=torch.channels_last), "styles": styles,
                 "files": names + more, "seen": round(seen), "grey": bool(rng.random() < self.options.grey)}
        if self.options.steadiness_weight > 0:
            found["motion"] = motion.motions(rng, count, schedule.crop)
            found["next"] = motion.moved(contents, found["motion"]) + motion.noise(rng, contents)
        return found

    def forward(self, batch):
        """n contents and n styles make N = n·styles_per_content pairs; shapes below are of the last encoder layer."""
        model, options = self.model, self.options
        contents, styles = batch["contents"], batch["styles"]                                   # (n, 3, H, W) each

        def seen(images):  # as the losses see them
            side = batch.get("seen", images.shape[2])
            images = images if side == images.shape[2] else resized(images, (side, side))
            return losses.drawing(images) if batch.get("grey") else images

        with torch.no_grad():
            features, content_target = model.encoder(contents), self.distances.features(seen(contents))  # (n, C, h, w)
            style_features = model.encoder.features(styles, model.vlt.style_layers)             # by layer
            style_target = self.distances.statistics(self.distances.features(seen(styles)))
        code = model.vlt.encode_style(style_features)                                           # mu, log_sigma (n, latent)
        z, drawn = code.z(sample=True), round(options.sampled * len(styles))                    # z = mu + sigma·eps
        style = model.vlt.decode_style(torch.cat([z[:drawn], code.mu[drawn:]]), code)           # S (n, m, m), mean (n, C)
        content_index, style_index = self.pairs(len(contents), contents.device)                 # (N,) each
        style_of_pairs = select(style, style_index)
        output = model.render(features[content_index], style_of_pairs, contents.shape[2:]).float()  # (N, 3, H, W)
        style_target = {layer: tuple(value[style_index] for value in rows) for layer, rows in style_target.items()}
        content_layer = {losses.CONTENT_LAYER: content_target[losses.CONTENT_LAYER][content_index]}
        shown = output
        if options.photo_share is not None:
            palettes = palette_of(styles)[style_index]
            shown = finished_straight_through(output.clamp(0, 1), contents[content_index], palettes, options.photo_share)
        by_pair = self._losses(seen(shown), content_layer, style_target)
        by_pair |= {"range": losses.out_of_range(output), "palette": losses.palette(output, styles[style_index])}
        rows = {name: values.mean() for name, values in by_pair.items()}
        rows |= {"kl": losses.kl_divergence(code.mu, code.log_sigma)}
        weighed = by_pair["style"] + (options.shallow_weight - 1) * by_pair["shallow"], by_pair["gram"]
        style, gram = (values.log1p().mean() if options.robust else values.mean() for values in weighed)
        total = (options.content_weight * rows["content"] + options.style_weight * style + options.gram_weight * gram
                 + options.range_weight * rows["range"] + options.beta * rows["kl"] + options.palette_weight * rows["palette"])
        if "next" in batch:
            following = model.encoder(batch["next"].contiguous(memory_format=torch.channels_last))
            after = model.render(following[content_index], style_of_pairs, contents.shape[2:]).float()
            rows["steadiness"] = motion.unsteadiness(output, after, batch["motion"][content_index]).mean()
            total = total + options.steadiness_weight * rows["steadiness"]
        if options.train_decoder and options.reconstruction_weight > 0:
            whole = content_target if seen(contents) is contents else self.distances.features(contents[:1])
            rows["reconstruction"] = self._reconstruction(contents[:1], features[:1], whole)
            total = total + options.reconstruction_weight * rows["reconstruction"]
        return {"loss": total} | rows

    def _losses(self, output: torch.Tensor, content: dict, style: dict) -> dict[str, torch.Tensor]:
        """Content, style and Gram loss of pictures `(N, 3, H, W)`, by pair `(N,)`."""
        found = self.distances.features(output)
        statistics = self.distances.statistics(found)
        distance = self.distances.content if self.options.content == "distance" else self.distances.structure
        by_layer = self.distances.style_by_layer(statistics, style)
        return {"content": distance(found, content), "style": by_layer.sum(1), "shallow": by_layer[:, :2].sum(1),
                "gram": self.distances.gram(statistics, style)}

    def pairs(self, count: int, device) -> tuple[torch.Tensor, torch.Tensor]:
        """Every content meets `styles_per_content` consecutive styles: content and style indices of the pairs."""
        content = torch.arange(count, device=device).repeat(self.options.styles_per_content)
        shift = torch.arange(self.options.styles_per_content, device=device).repeat_interleave(count)
        return content, (content + shift) % count

    def _reconstruction(self, image, features, target):
        output = self.model.decode(features, image.shape[2:]).float()
        error = self.distances.perceptual(self.distances.features(output), {k: v[:1] for k, v in target.items()}).mean()
        return AutoencoderOptions().pixel_weight * losses.pixel(output, image) + error

    def parameter_groups(self, lr):
        vlt, decoder = self.model.vlt, list(self.model.decoder.parameters()) if self.options.train_decoder else []
        groups = [{"params": decoder, "lr": lr}] if decoder else []
        if self.options.variant != "joint":
            return [{"params": list(vlt.parameters()), "lr": lr}, *groups]
        # a fraction of the rate where training starts at a closed form: full steps would undo the start, and codes that grow
        # blow up what is decoded from them; the modulation's network starts at nothing and has everything to learn
        modulator = list(vlt.modulator.net.parameters()) if vlt.modulator else []
        learned = {id(parameter) for parameter in modulator}
        closed = [p for p in vlt.parameters() if p.requires_grad and id(p) not in learned]
        rates = (self.options.transform_rate, closed), (self.options.modulation_rate, modulator)
        return [{"params": params, "lr": share * lr} for share, params in rates if params] + groups

    def validate(self):
        contents, styles = ([image.to(self.distances.sigma2) for image in side] for side in self.validation)
        codes = [self.model.encode_style(style) for style in styles]
        rows = []
        for index, content in enumerate(contents):
            style = styles[index % len(styles)]
            output = self.model.stylize(content, codes[index % len(codes)])
            found = self.distances.features(output), self.distances.features(content), self.distances.features(style)
            rows.append(self.distances.between_features(*found) | {"structure": self.distances.structure(*found[:2])})
        return {key: torch.cat([row[key] for row in rows]).mean() for key in rows[0]} | latent_health(codes)

    def trained_state(self):
        return {"vlt": self.model.vlt.state_dict(), "decoder": self.model.decoder.state_dict()}

    def load_trained_state(self, state):
        self.model.vlt.load_state_dict(state["vlt"])
        self.model.decoder.load_state_dict(state["decoder"])


def select(style: Style, index: torch.Tensor) -> Style:
    """A batch of styles in another order, or repeated."""
    modulation = style.modulation and style.modulation.change(lambda values: values[index])
    skip = style.skip and tuple(value[index] for value in style.skip)
    return Style(style.matrix[index], style.mean[index], modulation, skip)


def latent_health(codes: list[StyleCode]) -> dict[str, torch.Tensor]:
    """Of posteriors of several styles: active dimensions (variance of mu over styles > 0.01, Burda et al. 2016),
    spread of mu over mean sigma (signal-to-noise), KL per dimension in nats."""
    mu = torch.cat([code.mu for code in codes])
    log_sigma = torch.cat([code.log_sigma for code in codes])
    spread = mu.std(0, correction=min(1, len(mu) - 1))  # one style has none
    return {"active": (spread.square() > 0.01).sum(), "signal_to_noise": spread.mean() / log_sigma.exp().mean(),
            "kl": losses.kl_divergence(mu, log_sigma)}
