"""Styles mixed over a grid or over the places of one picture, and style codes as small files."""

from dataclasses import replace
from pathlib import Path

import torch
import torch.nn.functional as F

from ..errors import InputError
from ..files import check_writable, write_bytes
from ..provenance import tensors_digest
from .codes import StyleCode
from .storage import described_file, read_described
from .stvae import STVAE, check_mask, check_strength, pad_to_stride

CODE_SUFFIX = ".safetensors"


def corner_mixes(count: int) -> list[list[list[float]]]:
    """Bilinear mixes of four corner styles over a `count` × `count` grid (paper, figure 2), by row and column; the
    corners, in the order upper left, upper right, lower left, lower right, are pure."""
    if count < 2:
        raise InputError(f"grid of {count}", "has no corners", "give 2 or more")
    steps = [index / (count - 1) for index in range(count)]
    return [[bilinear_mix(x, y) for x in steps] for y in steps]


def bilinear_mix(x: float, y: float) -> list[float]:
    """Mix of the upper left, upper right, lower left and lower right style at (x, y) in the unit square."""
    return [(1 - y) * (1 - x), (1 - y) * x, y * (1 - x), y * x]


def mixing_grid(model: STVAE, content: torch.Tensor, corners: list, count: int = 5) -> list[list[torch.Tensor]]:
    """Content `(1, 3, H, W)` in every mix of four corner styles (images or codes): rows of images (paper, figure 2)."""
    if len(corners) != 4:
        raise InputError("corner styles", f"are {len(corners)}", "give four")
    codes = model.codes_of(corners)
    return [[model.stylize(content, codes, mix) for mix in row] for row in corner_mixes(count)]


def stylize_regions(model: STVAE, content: torch.Tensor, styles: list, masks: list[torch.Tensor],
                    strength: float = 1.0) -> torch.Tensor:
    """Content `(1, 3, H, W)` with every style where its mask is: `(1, 3, H, W)` in [0, 1].

    styles: images or codes. masks: one grey `(1, 1, h, w)` per style, soft or hard, of any size; at every place they are
    divided by their sum. Features, and the decoder's modulation, are blended by the masks before the one decoding, so
    that soft borders are drawn rather than cross-faded. Nothing is finished: a palette is that of a whole picture. Raises
    InputError on counts, shapes, or a place without a style.
    """
    check_strength(strength)
    codes = model.codes_of(styles)
    features = model.encode(content)
    mix = _mix_by_place(model, masks, len(codes), content.shape[2:], features)
    parts = [model.style_from(code) for code in codes]
    moved = sum(phi * model.vlt.transform(features, part) for phi, part in zip(mix, parts))
    modulation = None
    if parts[0].modulation is not None:
        pairs = [tuple(sum(phi * value[:, :, None, None] for phi, value in zip(mix, values)) for values in zip(*layer))
                 for layer in zip(*[part.modulation.pairs for part in parts])]
        modulation = replace(parts[0].modulation, pairs=pairs, strength=strength)
    mixed = torch.lerp(features, moved.to(features.dtype), strength)
    return model.decode(mixed, content.shape[2:], modulation).clamp(0, 1)


def example_masks(height: int, width: int) -> dict[str, list[torch.Tensor]]:
    """Masks `(1, 1, H, W)` to show places with: two styles across, two around a soft disc, three in hard bands."""
    down, across = torch.meshgrid(torch.linspace(0, 1, height), torch.linspace(0, 1, width), indexing="ij")
    inside = (4 * (0.42 - torch.hypot(across - 0.5, down - 0.45))).sigmoid() ** 2
    band = (3 * down).floor().clamp(max=2)
    masks = {"left and right": [1 - across, across], "inside and outside": [inside, 1 - inside],
             "three bands": [(band == index).float() for index in range(3)]}
    return {name: [mask[None, None] for mask in parts] for name, parts in masks.items()}


def place_errors(picture: torch.Tensor, alone: list[torch.Tensor], masks: list[torch.Tensor]) -> torch.Tensor:
    """Mean absolute difference between a picture and others, all `(1, 3, H, W)`, under each mask: `(masks, others)`."""
    errors = torch.stack([(picture - other).abs().mean(1, keepdim=True) for other in alone])
    return torch.stack([(errors * mask.to(errors)).sum((1, 2, 3, 4)) / mask.sum() for mask in masks])


def _mix_by_place(model, masks, count: int, size, features: torch.Tensor) -> torch.Tensor:
    """Masks as a mix of the styles at every feature position, `(count, 1, 1, h, w)`, summing to 1."""
    if len(masks) != count:
        raise InputError("masks", f"are {len(masks)} for {count} styles", "give one mask per style")
    fitted = []
    for number, mask in enumerate(masks):
        check_mask(mask, number)
        whole = F.interpolate(mask.to(features), size, mode="bilinear", antialias=True)
        fitted.append(F.interpolate(pad_to_stride(whole, model.encoder.stride), features.shape[2:], mode="area"))
    total = sum(fitted)
    if total.min() <= 1e-3:
        raise InputError("masks", "leave a place without a style", "let them cover the whole picture")
    return torch.stack([mask / total for mask in fitted])


def fingerprint(model: STVAE) -> str:
    """Checksum of what gives a style code its meaning, the model's linear transform."""
    return tensors_digest(model.vlt.state_dict())


def save_code(code: StyleCode, path, model: STVAE) -> None:
    """Write a style code as safetensors (some kilobytes), with the fingerprint of the model it belongs to."""
    tensors = {name: value.detach().cpu().contiguous() for name, value in code.tensors().items()}
    write_bytes(path, described_file(tensors, "stvae_style", {"model": fingerprint(model)}))


def check_code_file(path, force: bool = False) -> None:
    """InputError on a name that is none for a style file, that cannot be written, or (without `force`) that of a file with
    something else in it (weights, say)."""
    path = Path(path)
    if path.suffix != CODE_SUFFIX:
        raise InputError(path, "is no name for a style file", f"let it end in {CODE_SUFFIX}")
    check_writable(path)
    if path.is_file() and not force:
        try:
            read_described(path, "stvae_style", "is no style file", "")
        except InputError as error:
            raise InputError(path, "exists and is no style file", "choose another name by -o, or --force") from error


def load_code(path, model: STVAE) -> StyleCode:
    """Read a style code. InputError on a broken or foreign file, on a code of another model, to which it would mean
    another style, and on one whose tensors are not those that the model encodes a style to."""
    tensors, described = read_described(path, "stvae_style", "holds no style", "give a file that `stvae encode` wrote")
    if described.get("model") != fingerprint(model):
        raise InputError(path, "was encoded by another model", "encode the style again with this one")
    with torch.no_grad():
        known = model.encode_style(torch.zeros(1, 3, 64, 64)).tensors()
    if model.photo_share is None:  # asked to leave its pictures as drawn
        tensors.pop("palette", None)
    if "palette" not in tensors:  # of a style without a picture, or written before the model finished what it draws
        known.pop("palette", None)
    if _layout(tensors) != _layout(known):
        raise InputError(path, "holds other tensors than a style of this model", "encode the style again")
    tensors = {name: value.to(model.device) for name, value in tensors.items()}
    extras = {name.removeprefix("extras."): value for name, value in tensors.items() if name.startswith("extras.")}
    return StyleCode(tensors["mu"], tensors["log_sigma"], extras, tensors.get("palette"))


def _layout(tensors: dict[str, torch.Tensor]) -> dict[str, tuple]:
    """Types and shapes by name, of feature maps without height and width, which are the style picture's."""
    return {name: (value.dtype, value.numel() > 0, value.dim(), value.shape[:2] if value.dim() == 4 else value.shape)
            for name, value in tensors.items()}
