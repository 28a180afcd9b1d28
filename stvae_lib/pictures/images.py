"""Files to tensors and back. The only place that knows Pillow.

An image is a float32 tensor `(N, 3, H, W)`, sRGB in [0, 1], H and W at least `MIN_SIDE`.
"""

import io
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageOps, UnidentifiedImageError

from ..errors import InputError
from ..files import write_atomically

MIN_SIDE = 16
SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".ppm", ".pgm"}


def load_image(path, size: int | None = None, name: str | None = None) -> torch.Tensor:
    """Read any picture that Pillow reads as `(1, 3, H, W)`.

    path: a file's, or an open binary file with `name` for messages. size: longer side in pixels, never enlarged;
    None keeps the file's own size.
    Transparency is laid over white, EXIF rotation is applied, 16-bit and CMYK files are converted.
    Raises InputError naming the file when it cannot be read or is smaller than 16 pixels on a side.
    """
    picture = open_picture(path, name)
    if size is not None and max(picture.size) > size:
        scale = size / max(picture.size)
        picture = picture.resize([max(1, round(side * scale)) for side in picture.size], Image.Resampling.LANCZOS)
    if min(picture.size) < MIN_SIDE:
        width, height = picture.size
        raise InputError(name or path, f"is {width}x{height} pixels at this size",
                         f"every side must be at least {MIN_SIDE} pixels")
    return to_tensor(picture)


def open_picture(path, name: str | None = None) -> Image.Image:
    """Decode a file completely into an RGB Pillow picture; InputError (with `name`, where given) where that fails."""
    name = name or path
    try:
        with Image.open(path) as file:
            file.load()
            return _to_rgb(ImageOps.exif_transpose(file))
    except FileNotFoundError:
        raise InputError(name, "no such file", "check the path") from None
    except IsADirectoryError:
        raise InputError(name, "is a folder", "name one picture in it") from None
    except UnidentifiedImageError:
        raise InputError(name, "is not a picture that Pillow can read", "give a JPEG, PNG or similar file") from None
    except Image.DecompressionBombError as error:
        raise InputError(name, f"is too large ({error})", "scale it down first") from None
    except (OSError, SyntaxError, ValueError) as error:
        raise InputError(name, f"cannot be decoded ({error})", "it may be cut short: get a whole copy") from None


def _to_rgb(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith("I"):  # 16- or 32-bit grey: Pillow's own conversion would clip at 255
        values = np.asarray(picture, dtype=np.float64)
        top = 65535 if values.max(initial=0) > 255 or ";16" in picture.mode else 255
        picture = Image.fromarray(np.uint8(np.clip(values / top, 0, 1) * 255 + 0.5))
    if picture.mode == "F":
        picture = Image.fromarray(np.uint8(np.clip(np.nan_to_num(np.asarray(picture)), 0, 1) * 255 + 0.5))
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture)
    return picture.convert("RGB")


def to_tensor(picture) -> torch.Tensor:
    """Pillow RGB picture or uint8 array `(H, W, 3)` to `(1, 3, H, W)` in [0, 1]."""
    array = np.array(picture, dtype=np.uint8)
    return torch.from_numpy(array).permute(2, 0, 1)[None].float() / 255


def resized(image: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """`(N, 3, H, W)` at another (height, width), smoothed where it shrinks."""
    return F.interpolate(image, size, mode="bilinear", antialias=True)


def to_array(image: torch.Tensor) -> np.ndarray:
    """`(1, 3, H, W)` or `(3, H, W)` in [0, 1] to a uint8 array `(H, W, 3)`, rounded to nearest."""
    image = image.detach().squeeze(0).clamp(0, 1).permute(1, 2, 0)
    return (image * 255).round().to(torch.uint8).cpu().numpy()


def to_jpeg(image: torch.Tensor, quality: int = 90) -> bytes:
    """`(1, 3, H, W)` in [0, 1] as JPEG bytes."""
    buffer = io.BytesIO()
    Image.fromarray(to_array(image)).save(buffer, "jpeg", quality=quality)
    return buffer.getvalue()


def few_colours(png: bytes, colours: int = 48) -> bytes:
    """A plot's PNG with a palette: a third of the bytes, and no difference that the eye finds."""
    buffer = io.BytesIO()
    Image.open(io.BytesIO(png)).convert("RGB").quantize(colours, dither=Image.Dither.NONE).save(buffer, "png", optimize=True)
    return buffer.getvalue()


def save_image(image: torch.Tensor, path) -> Path:
    """Write `(1, 3, H, W)` to a file whose suffix names the format; all of it or nothing.

    Raises InputError when the folder is missing or not writable, or the suffix is unknown.
    """
    path = Path(path)
    if path.suffix.lower() not in Image.registered_extensions():
        raise InputError(path, f"unknown picture format {path.suffix!r}", "end the name in .png or .jpg")
    options = {"quality": 95} if path.suffix.lower() in (".jpg", ".jpeg") else {}
    write_atomically(path, lambda file: Image.fromarray(to_array(image)).save(file, **options))
    return path


def list_images(folder) -> list[Path]:
    """Picture files of a folder in name order; InputError when there are none."""
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(folder, "no such folder", "check the path")
    files = sorted(file for file in folder.iterdir() if file.suffix.lower() in SUFFIXES)
    if not files:
        raise InputError(folder, "holds no pictures", f"put {', '.join(sorted(SUFFIXES)[:4])} … files in it")
    return files
