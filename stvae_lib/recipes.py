"""What is trained and on which losses: slim encoder, image autoencoder, variational linear transform.

Each recipe is a module that `training.fit` understands; `validate` measures on held-out pictures only.
"""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torchmetrics.functional.image import peak_signal_noise_ratio, structural_similarity_index_measure

from . import losses
from .backbones.vgg import VGG, VGGDecoder, least_squares, sampled_rows
from .datasets import CropPool, colour_jitter, is_held_out
from .errors import InputError
from .images import list_images, load_image
from .stvae import STVAE, AutoEncoder
from .vlt import VLT, Style, StyleCode


def held_out_images(folder, count: int | None, size: int) -> list[torch.Tensor]:
    """`count` held-out pictures spread evenly over the folder (None: all), longer side `size`."""
    files = [file for file in list_images(folder) if is_held_out(file.name)]
    if not files:
        raise InputError(folder, "holds no held-out pictures", "add more: one name in ten is held out by its checksum")
    if count is not None and count < len(files):
        files = [files[round(i * (len(files) - 1) / (count - 1))] for i in range(count)]
    return [load_image(file, size) for file in files]


def reconstruction_scores(outputs, images) -> dict[str, float]:
    """Mean PSNR (dB) and SSIM of reconstructions over their images, both lists of `(1, 3, H, W)`."""
    psnr, ssim = [], []
    for output, image in zip(outputs, images, strict=True):
        output = output.float().clamp(0, 1)
        psnr.append(peak_signal_noise_ratio(output, image, data_range=1.0))
        ssim.append(structural_similarity_index_measure(output, image, data_range=1.0))
    return {"psnr": float(torch.stack(psnr).mean()), "ssim": float(torch.stack(ssim).mean())}


class EncoderDistillation(nn.Module):
    """A slim encoder learns a teacher's features at every layer, from random weights.

    Targets are the teacher's features over one constant per layer (its standard deviation on the first batch):
    the student becomes the activation-normalised network that style transfer likes (Gatys et al. 2016, §2).
    Loss: mean over all layers of the squared error over the target's variance (unexplained variance).

    teacher_layers: student's layer -> teacher's. Where the names differ (another family of networks) a 1x1
    convolution, thrown away afterwards, reads the target off the student's layer (FitNets, Romero et al. 2015).
    A student that is cut earlier learns the layers that it has.
    """

    def __init__(self, teacher: VGG, student: nn.Module, teacher_layers: dict[str, str], photos: CropPool,
                 paintings: CropPool, validation: list[torch.Tensor]):
        super().__init__()
        self.teacher = teacher.eval().requires_grad_(False)
        self.student = student
        self.teacher_layers = {ours: theirs for ours, theirs in teacher_layers.items() if ours in student.widths}
        self.heads = nn.ModuleDict({ours: nn.Conv2d(student.widths[ours], teacher.widths[theirs], 1)
                                    for ours, theirs in self.teacher_layers.items() if ours != theirs})
        self.photos, self.paintings, self.validation = photos, paintings, validation
        self.shown = [name for name in self.teacher_layers if name in self.heads or name.endswith("_1")]
        self.register_buffer("scale", torch.ones(len(self.teacher_layers)))

    @torch.no_grad()
    def start(self, images: torch.Tensor):
        """Measure the targets' scale on `images`; without batch norm, give every layer of the student that scale."""
        features = self.teacher.features(images, set(self.teacher_layers.values()))
        self.scale.copy_(torch.stack([features[name].std() for name in self.teacher_layers.values()]))
        if isinstance(self.student, VGG):
            self.student.layer_sequential_start(images, self.target(images))

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
        images = [image[..., :image.shape[2] // 32 * 32, :image.shape[3] // 32 * 32] for image in self.validation]
        rows = [self.unexplained(image, self.shown) for image in images]
        return {name: torch.stack([row[name] for row in rows]).mean() for name in self.shown}

    def trained_state(self):
        return {"student": self.student.state_dict(), "heads": self.heads.state_dict(), "scale": self.scale}

    def load_trained_state(self, state):
        self.scale.copy_(state["scale"])
        self.student.load_state_dict(state["student"])
        self.heads.load_state_dict(state["heads"])


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
    on the distillation loss keeps its features the teacher's; 0 freezes it, as the paper does.
    start: "base" (the base's encoder, or random weights), or "pruned": as a part of the loss network, a wider VGG of the
    same depth (`VGG.pruned_start`)."""

    pixel_weight: float = 15.0
    perceptual_weight: float = 1.0
    encoder_weight: float = 0.0
    start: str = "base"

    def __post_init__(self):
        if self.start not in ("base", "pruned"):
            raise InputError(f"start {self.start!r}", "does not exist", "use base or pruned")


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
        if getattr(encoder, "adapter", None) is not None:  # no part of what was pretrained
            encoder.adapter.requires_grad_(True)

    @torch.no_grad()
    def start(self, images: torch.Tensor):
        """The encoder's start from `images`, and, where the loss network has other channels, the 1x1 convolutions that
        read its features off the encoder's (thrown away afterwards)."""
        if self.options.start == "pruned":
            self.encoder.pruned_start(self.distances.network, images)
        if self.options.encoder_weight > 0 and self.encoder.widths[self.encoder.last] != self._teacher_width():
            found, target = self.encoder.features(images, self.distances.layers), self.distances.features(images)
            for name in self.distances.layers:
                weight, bias = least_squares(sampled_rows(found[name]), sampled_rows(target[name]))
                self.heads[name] = nn.Conv2d(*weight.shape[::-1], 1)
                self.heads[name].weight.data = weight[:, :, None, None].contiguous()
                self.heads[name].bias.data = bias

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
        outputs = [model.reconstruct(image) for image in self.validation]
        errors = [self.distances.perceptual(self.distances.features(output), self.distances.features(image))
                  for output, image in zip(outputs, self.validation)]
        return reconstruction_scores(outputs, self.validation) | {"perceptual": torch.cat(errors).mean()}

    def trained_state(self):
        return {"encoder": self.encoder.state_dict(), "decoder": self.decoder.state_dict(), "heads": self.heads.state_dict()}

    def load_trained_state(self, state):
        self.encoder.load_state_dict(state["encoder"])
        self.decoder.load_state_dict(state["decoder"])
        self.heads.load_state_dict(state["heads"])




CONTENT_LOSSES = ("distance", "structure")


@dataclass
class VLTOptions:
    """The transform, how it starts, and its loss weights.

    start: "closed-form" (variant joint only), "random", or "base": go on from the base model's transform, as for a
    second stage at larger crops or for styles of one's own. styles_per_content: how many styles of the batch every
    content meets; features are computed once. photo_styles: share of photographs among the styles.
    sampled: share of the styles whose code is drawn from its posterior; the others are decoded at z = mu, as at
    inference (decoding nothing but noisy codes teaches the decoder to shrink every style towards the average one).
    beta: weight of KL per latent dimension.
    content: "distance" (squared error of relu4_1, as in the paper), or "structure" (1 - correlation of its pattern of places,
    which no change of palette or contrast moves; Kolkin et al. 2019 argue for such a term).
    """

    variant: str = "joint"
    matrix_size: int = 32
    latent: int = 128
    modulated: bool = True
    start: str = "closed-form"
    train_decoder: bool = True
    styles_per_content: int = 2
    photo_styles: float = 0.15
    sampled: float = 1.0
    content: str = "distance"
    content_weight: float = 1.0
    style_weight: float = 5.0
    gram_weight: float = 1.0
    reconstruction_weight: float = 1.0
    range_weight: float = 10.0
    beta: float = 0.03

    def __post_init__(self):
        if self.variant not in VLT:
            raise InputError(f"variant {self.variant!r}", "is unknown", f"use one of {', '.join(VLT)}")
        if self.content not in CONTENT_LOSSES:
            raise InputError(f"content {self.content!r}", "does not exist", f"use one of {', '.join(CONTENT_LOSSES)}")
        starts = ("closed-form", "random", "base") if self.variant == "joint" else ("random", "base")
        if self.start not in starts:
            raise InputError(f"start {self.start!r}", f"does not exist for variant {self.variant!r}",
                             f"use one of {', '.join(starts)}")

    def vlt_options(self) -> dict:
        """Arguments of the transform's class."""
        options = {"matrix_size": self.matrix_size, "latent": self.latent}
        return options | {"modulated": self.modulated} if self.variant == "joint" else options


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
        if self.options.variant != "joint" or self.options.start == "base":
            return
        seed = rng.integers(2**32)

        def features():
            again = np.random.default_rng(seed)
            for _ in range(batches):
                crops, _ = self._styles(again, 16, schedule.crop)
                with torch.no_grad():
                    yield self.model.encoder.features(crops, self.model.vlt.style_layers)

        self.model.vlt.start_closed_form(features, self.options.start == "closed-form")

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
        return {"contents": contents.contiguous(memory_format=torch.channels_last), "styles": styles,
                "files": names + more}

    def forward(self, batch):
        model, options = self.model, self.options
        contents, styles = batch["contents"], batch["styles"]
        with torch.no_grad():
            features, content_target = model.encoder(contents), self.distances.features(contents)
            style_features = model.encoder.features(styles, model.vlt.style_layers)
            style_target = self.distances.statistics(self.distances.features(styles))
        code = model.vlt.encode_style(style_features)
        z, drawn = code.z(sample=True), round(options.sampled * len(styles))
        style = model.vlt.decode_style(torch.cat([z[:drawn], code.mu[drawn:]]), code)
        content_index, style_index = self.pairs(len(contents), contents.device)
        output = model.render(features[content_index], select(style, style_index), contents.shape[2:]).float()
        found = self.distances.features(output)
        statistics = self.distances.statistics(found)
        style_target = {layer: tuple(value[style_index] for value in rows) for layer, rows in style_target.items()}
        content_layer = {losses.CONTENT_LAYER: content_target[losses.CONTENT_LAYER][content_index]}
        content = self.distances.content if options.content == "distance" else self.distances.structure
        rows = {"content": content(found, content_layer),
                "style": self.distances.style(statistics, style_target), "gram": self.distances.gram(statistics, style_target),
                "range": losses.out_of_range(output), "kl": losses.kl_divergence(code.mu, code.log_sigma)}
        rows = {name: value.mean() for name, value in rows.items()}
        total = (options.content_weight * rows["content"] + options.style_weight * rows["style"]
                 + options.gram_weight * rows["gram"] + options.range_weight * rows["range"] + options.beta * rows["kl"])
        if options.train_decoder and options.reconstruction_weight > 0:
            rows["reconstruction"] = self._reconstruction(contents[:1], features[:1], content_target)
            total = total + options.reconstruction_weight * rows["reconstruction"]
        return {"loss": total} | rows

    def pairs(self, count: int, device) -> tuple[torch.Tensor, torch.Tensor]:
        """Every content meets `styles_per_content` consecutive styles: content and style indices of the pairs."""
        content = torch.arange(count, device=device).repeat(self.options.styles_per_content)
        shift = torch.arange(self.options.styles_per_content, device=device).repeat_interleave(count)
        return content, (content + shift) % count

    def _reconstruction(self, image, features, target):
        output = self.model.decode(features, image.shape[2:]).float()
        error = self.distances.perceptual(self.distances.features(output), {k: v[:1] for k, v in target.items()}).mean()
        return AutoencoderOptions.pixel_weight * losses.pixel(output, image) + error

    def parameter_groups(self, lr):
        # a third of the rate where training starts at a closed form: a full first step would undo the start
        rate = lr / 3 if self.options.variant == "joint" else lr
        groups = [{"params": [p for p in self.model.vlt.parameters() if p.requires_grad], "lr": rate}]
        if self.options.train_decoder:
            groups.append({"params": list(self.model.decoder.parameters()), "lr": lr})
        return groups

    def validate(self):
        contents, styles = self.validation
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
    modulation = style.modulation and [(gamma[index], beta[index]) for gamma, beta in style.modulation]
    skip = style.skip and tuple(value[index] for value in style.skip)
    return Style(style.matrix[index], style.mean[index], modulation, skip)


def latent_health(codes: list[StyleCode]) -> dict[str, torch.Tensor]:
    """Of posteriors of several styles: active dimensions (variance of mu over styles > 0.01, Burda et al. 2016),
    spread of mu over mean sigma (signal-to-noise), KL per dimension in nats."""
    mu = torch.cat([code.mu for code in codes])
    log_sigma = torch.cat([code.log_sigma for code in codes])
    return {"active": (mu.var(0) > 0.01).sum(), "signal_to_noise": mu.std(0).mean() / log_sigma.exp().mean(),
            "kl": losses.kl_divergence(mu, log_sigma)}
