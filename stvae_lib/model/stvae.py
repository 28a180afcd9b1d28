"""ST-VAE (paper, figure 1): image encoder, variational linear transform, image decoder."""

import math
import warnings
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import nn

from ..errors import InputError
from ..pictures.images import MIN_SIDE, to_pixels
from ..pictures.palette import finished, palette_of
from ..provenance import digest, tensors_digest
from .codes import Style, StyleCode, mix_codes
from .content import ContentStatistics


def pad_to_stride(image: torch.Tensor, stride: int) -> torch.Tensor:
    """Reflect `(N, 3, H, W)` at right and bottom until both sides are multiples of `stride`, twice it at least (decoders
    reflect features too); an image too small to be reflected so far has its border repeated."""
    height, width = image.shape[2:]
    right, bottom = (max(2 * stride, side + -side % stride) - side for side in (width, height))
    return F.pad(image, (0, right, 0, bottom), mode="reflect" if right < width and bottom < height else "replicate")


def check_image(image: torch.Tensor, role: str) -> None:
    """InputError unless `image` is a float `(N, 3, H, W)` with sides of at least 16 pixels."""
    if image.dim() != 4 or image.shape[1] != 3 or not image.is_floating_point():
        raise InputError(f"{role} image", f"has shape {tuple(image.shape)} and type {image.dtype}",
                         "give a float tensor (N, 3, H, W) in [0, 1]")
    if min(image.shape[2:]) < MIN_SIDE:
        raise InputError(f"{role} image", f"is {image.shape[3]}x{image.shape[2]} pixels",
                         f"every side must be at least {MIN_SIDE} pixels")


def check_strength(strength: float) -> None:
    """InputError unless 0 ≤ strength ≤ 1."""
    if not 0 <= strength <= 1:
        raise InputError(f"strength {strength}", "is outside [0, 1]", "give a number from 0 to 1")


def check_mask(mask: torch.Tensor, number: int) -> None:
    """InputError unless a mask is greyscale, `(1, 1, h, w)`."""
    if mask.dim() != 4 or mask.shape[:2] != (1, 1):
        raise InputError(f"mask {number}", f"has shape {tuple(mask.shape)}", "give a greyscale tensor (1, 1, H, W)")


class AutoEncoder(nn.Module):
    """Image autoencoder (IAE): `encoder` to its last layer and the mirrored `decoder`."""

    def __init__(self, encoder: nn.Module, decoder: nn.Module):
        super().__init__()
        self.encoder, self.decoder = encoder, decoder

    @property
    def device(self) -> torch.device:
        return next(self.parameters()).device

    def _prepared(self, image: torch.Tensor) -> torch.Tensor:
        padded = pad_to_stride(image.to(self.device), self.encoder.stride)
        return padded.contiguous(memory_format=torch.channels_last)

    def encode(self, image: torch.Tensor) -> torch.Tensor:
        """Image `(N, 3, H, W)` of any size to features `(N, C, ⌈H/stride⌉, ⌈W/stride⌉)`."""
        check_image(image, "content")
        return self.encoder(self._prepared(image))

    def decode(self, features: torch.Tensor, size=None, modulation=None) -> torch.Tensor:
        """Features to an unclamped image, cut to `size` (H, W) where given."""
        features = features.contiguous(memory_format=torch.channels_last)  # twice as fast on CPUs
        image = self.decoder(features, modulation)
        return image if size is None else image[..., :size[0], :size[1]]

    def reconstruct(self, image: torch.Tensor, clamp: bool = True) -> torch.Tensor:
        """decode(encode(image)), of the image's own size."""
        output = self.decode(self.encode(image), image.shape[2:])
        return output.clamp(0, 1) if clamp else output


class STVAE(AutoEncoder):
    """Image autoencoder plus variational linear transform `vlt`: the model of the paper.

    photo_share: with a number, what is drawn is finished in the very colours of the style's picture, with so much of the
    photograph blended in (`pictures.palette`; not the paper's). None: pictures are as they were drawn.
    """

    def __init__(self, encoder: nn.Module, vlt: nn.Module, decoder: nn.Module, photo_share: float | None = None):
        super().__init__(encoder, decoder)
        self.vlt, self.photo_share = vlt, photo_share

    def identity(self) -> str:
        """Checksum of all that decides its pictures: weights, and how it finishes."""
        return digest(f"{tensors_digest(self.state_dict())} {self.photo_share}".encode())[:16]

    def style_features(self, style: torch.Tensor) -> dict[str, torch.Tensor]:
        """Features of a style image `(N, 3, H, W)` at all layers whose statistics make a style, by layer."""
        check_image(style, "style")
        return self.encoder.features(self._prepared(style), self.vlt.style_layers)

    def encode_style(self, style: torch.Tensor) -> StyleCode:
        """Style image `(N, 3, H, W)` to its latent posterior; keep it, `stylize` takes it in place of the image."""
        code = self.vlt.encode_style(self.style_features(style))
        return code if self.photo_share is None else replace(code, palette=to_pixels(palette_of(style)).to(self.device))

    def sample_style(self, generator: torch.Generator | None = None) -> StyleCode:
        """A style nobody painted: z ~ N(0, I), as a code without spread."""
        if not self.vlt.has_prior:
            raise InputError(f"variant {self.vlt.variant!r}", "has no prior over styles",
                             "use a model of variant joint or paper")
        prior = self.vlt.prior()
        return StyleCode(prior.z(sample=True, generator=generator), torch.full_like(prior.mu, -8.0), prior.extras)

    def codes_of(self, styles) -> list[StyleCode]:
        """Codes of several styles, given as images or as codes."""
        return [style if isinstance(style, StyleCode) else self.encode_style(style) for style in styles]

    def style_from(self, code: StyleCode, sample: bool = False, generator=None) -> Style:
        """The transform's style matrix, mean and decoder modulation for a code, at z = mu or sampled."""
        return replace(self.vlt.decode_style(code.z(sample, generator), code), palette=code.palette)

    def mixed_style(self, styles, mix=None, sample: bool = False, generator=None) -> Style:
        """`style_from` one style or a mix of several, as `stylize` takes them."""
        styles = styles if isinstance(styles, (list, tuple)) else [styles]
        return self.style_from(mix_codes(self.codes_of(styles), normalised_mix(mix, len(styles))), sample, generator)

    def render(self, content_features: torch.Tensor, style: Style, size, strength: float = 1.0,
               known: ContentStatistics | None = None) -> torch.Tensor:
        """Content features in a style, decoded, unclamped. strength: linear in feature space, 0 is the content.
        known: `vlt.content_statistics` of other features, to take out in place of these features' own."""
        moved = self.moved(content_features, style, strength, known)
        return self.decode(moved, size, style.modulation_by(strength))

    def moved(self, content_features: torch.Tensor, style: Style, strength: float,
              known: ContentStatistics | None) -> torch.Tensor:
        """The features that the decoder is given to render content features in a style, as `render` is told."""
        if strength == 0:
            return content_features
        moved = self.vlt.transform(content_features, style, known)
        return torch.lerp(content_features, moved.to(content_features.dtype), strength)

    def finishes(self, style: Style) -> bool:
        """Whether pictures in a style are finished: the model asks for it, and the style is that of a picture."""
        return self.photo_share is not None and style.palette is not None

    def finish(self, drawn: torch.Tensor, content: torch.Tensor, style: Style, strength: float = 1.0) -> torch.Tensor:
        """What `render` drew in [0, 1] of `content` `(N, 3, H, W)`, finished by `strength`; unchanged where there is nothing to
        finish by."""
        if not self.finishes(style):
            return drawn
        return finished(drawn, content, style.palette, self.photo_share, strength)

    def stylize(self, content: torch.Tensor, styles, mix=None, strength: float = 1.0, sample: bool = False,
                generator: torch.Generator | None = None, clamp: bool = True) -> torch.Tensor:
        """Content `(N, 3, H, W)` in one style or a mix of several: `(N, 3, H, W)`.

        styles: an image, a StyleCode, or a list of these. mix: a share per style, summing to 1 (normalised with
        a warning if not); equal shares by default. strength: 0 reconstructs the content, 1 is full style.
        sample: draw z from the posterior instead of its mean. clamp: False gives what was drawn, unfinished and perhaps
        beyond [0, 1]. Raises InputError on bad shapes, mix or strength.
        """
        check_strength(strength)
        style = self.mixed_style(styles, mix, sample, generator)
        output = self.render(self.encode(content), style, content.shape[2:], strength)
        return self.finish(output.clamp(0, 1), content, style, strength) if clamp else output


def normalised_mix(mix, count: int) -> list[float]:
    """A mix of `count` styles that sums to 1. None: equal shares. InputError on wrong length, negative or zero sums."""
    if count == 0:
        raise InputError("styles", "none given", "give at least one style")
    if mix is None:
        return [1 / count] * count
    mix = [float(phi) for phi in mix]
    if len(mix) != count:
        shares = "share" if len(mix) == 1 else "shares"
        raise InputError("mix", f"has {len(mix)} {shares} for {count} styles", "give one per style")
    total = sum(mix)
    if not all(phi >= 0 for phi in mix) or not 0 < total < math.inf:
        raise InputError("mix", f"is {mix}", "give shares of zero or more that are not all zero")
    if abs(total - 1) > 1e-6:
        warnings.warn(f"mix sums to {total:g}; normalised to 1", stacklevel=3)
    return [phi / total for phi in mix]
