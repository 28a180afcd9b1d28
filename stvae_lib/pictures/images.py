"""Files to tensors and back. The only place that knows Pillow.

An image is a float32 tensor `(N, 3, H, W)`, sRGB in [0, 1], H and W at least `MIN_SIDE`.
"""

import io
import itertools
import logging
import math
import os
import warnings
from collections import Counter
from contextlib import contextmanager, nullcontext
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageOps, UnidentifiedImageError

from ..errors import InputError
from ..files import check_readable, check_writable, write_bytes

MIN_SIDE = 16
DECODED = 16  # bytes a pixel that reading a file takes at most: grey with transparency, as RGBA, white, one over the other
STRIP = 2**20  # pixels of a grey picture that are converted at once
LEAST_WORD, WORDS = -2**15, 2**16 - 1  # of a 16-bit number, and how many steps above it there are
SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".ppm", ".pgm", ".jfif", ".jp2", ".avif"}
LONGEST = {"JPEG": 65500, "WEBP": 16383, "GIF": 65535}  # pixels along a side that a format can hold
MOVING = {"GIF", "PNG", "WEBP", "AVIF"}  # formats of animations; in others, further pictures are pages or previews
NO_UNIT = 16  # a float picture with a value above counts from 0 to 255, or to 65535
LACKING = ("not available", "unsupported", "unimplemented", "unknown", "not installed")  # decoders, in Pillow's words

logging.getLogger("PIL").addHandler(logging.NullHandler())  # or what it remarks goes to stderr, around our one line


def load_image(path, size: int | None = None, name: str | None = None, most: int | None = None) -> torch.Tensor:
    """Read any picture that Pillow reads as `(1, 3, H, W)`.

    path: a file's, or an open binary file with `name` for messages. size: longer side in pixels, never enlarged;
    None keeps the file's own size. most: pixels of a file that is still decoded, in place of Pillow's limit.
    Transparency is laid over white, EXIF rotation is applied, 16-bit and CMYK files are converted.
    Raises InputError naming the file when it cannot be read or is smaller than 16 pixels on a side.
    """
    return to_float(load_pixels(path, size, name, most))


def load_pixels(path, size: int | None = None, name: str | None = None, most: float | None = None) -> torch.Tensor:
    """`load_image` as 8-bit, in a quarter of the memory."""
    picture = open_picture(path, name, most)
    scale = min(1, (size or math.inf) / max(picture.size))
    width, height = (max(1, round(side * scale)) for side in picture.size)
    if min(width, height) < MIN_SIDE:  # before it is made smaller: of lines of pixels Pillow cannot make anything
        raise InputError(name or path, f"is {width}x{height} pixels at this size",
                         f"every side must be at least {MIN_SIDE} pixels")
    return _pixels(picture if scale == 1 else picture.resize((width, height), Image.Resampling.LANCZOS))


def open_picture(path, name: str | None = None, most: float | None = None) -> Image.Image:
    """Decode a file completely into an RGB Pillow picture; InputError (with `name`, where given) where that fails, or where
    the file says that it has more than `most` pixels."""
    with _opened(path, name or path, limited=most is None) as file:
        if most is not None and file.width * file.height > most:
            raise InputError(name or path, f"has {file.width}x{file.height} pixels",
                             f"scale it down to {most // 10**6} megapixels first")
        with _silent_stderr() if file.format == "TIFF" else nullcontext():
            file.load()
        ImageOps.exif_transpose(file, in_place=True)
        return _to_rgb(file)


def size_in_file(path, name: str | None = None) -> tuple[int, int]:
    """Width and height that a picture's file says it has; nothing is decoded. InputError as by `open_picture`."""
    with _opened(path, name or path, limited=False) as file:
        return file.size


def moving_format(path, name: str | None = None) -> str | None:
    """Pillow's name of the format of an animated picture's file, None of one that stands still. InputError as by
    `open_picture`."""
    with _opened(path, name or path, limited=False) as file:
        return file.format if file.format in MOVING and getattr(file, "is_animated", False) else None


@contextmanager
def _opened(path, name, limited: bool):
    """A file as Pillow opens it; InputError about `name` where that, or what is done with it inside, fails. limited: to as
    many pixels as Pillow takes for harmless."""
    if not hasattr(path, "read"):
        check_readable(path)
    limit = Image.MAX_IMAGE_PIXELS
    try:
        Image.MAX_IMAGE_PIXELS = limit if limited else None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path) as file:
                if not limited:  # the file's own size is the caller's business; what lies in it must not be larger
                    Image.MAX_IMAGE_PIXELS = max(limit, file.width * file.height)
                yield file
    except (InputError, MemoryError):
        raise
    except UnidentifiedImageError:
        raise InputError(name, "is not a picture that Pillow can read", "give a JPEG, PNG or similar file") from None
    except Image.DecompressionBombError as error:
        raise InputError(name, f"is too large ({error})", "scale it down first") from None
    except Exception as error:  # decoders raise many kinds; each means the same to a user
        said = f"{error or type(error).__name__}"
        lacks = isinstance(error, NotImplementedError) or any(word in said.lower() for word in LACKING)
        remedy = "save it as PNG or JPEG first" if lacks else "it may be cut short or damaged: get a whole copy"
        raise InputError(name, f"cannot be decoded ({said[:200]})", remedy) from None
    finally:
        Image.MAX_IMAGE_PIXELS = limit


@contextmanager
def _silent_stderr():
    """Without what C code writes there: libtiff's complaints, hundreds of lines for one file, go past Python's warnings."""
    try:
        kept = os.dup(2)
    except OSError:  # there is no stderr
        yield
        return
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _to_rgb(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith("I"):  # 16- or 32-bit grey: Pillow's own conversion would clip at 255
        values = np.asarray(picture)
        picture = _grey(values, 65535 if values.max(initial=0) > 255 or ";16" in picture.mode else 255)
    if picture.mode == "F":
        values = np.asarray(picture)
        finite = np.isfinite(values)
        if not finite.any():
            raise ValueError("not one of its values is a number")
        largest = values.max(initial=0, where=finite)
        picture = _grey(values, 1 if largest <= NO_UNIT else 255 if largest <= 255 else 65535)
    if picture.has_transparency_data:
        picture = picture if picture.mode == "RGBA" else picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    return picture.convert("RGB")


def _grey(values: np.ndarray, top: float) -> Image.Image:
    """Values from 0 to `top` as an 8-bit picture, in strips: the division takes eight times its memory."""
    grey, rows = np.empty(values.shape, np.uint8), max(1, STRIP // values.shape[1])
    for start in range(0, len(values), rows):
        part = np.nan_to_num(values[start:start + rows].astype(np.float64), posinf=top, neginf=0)
        grey[start:start + rows] = np.clip(part / top, 0, 1) * 255 + 0.5
    return Image.fromarray(grey)


def to_tensor(picture) -> torch.Tensor:
    """Pillow RGB picture or uint8 array `(H, W, 3)` to `(1, 3, H, W)` in [0, 1]."""
    return to_float(_pixels(picture))


def _pixels(picture) -> torch.Tensor:
    """Pillow RGB picture or uint8 array `(H, W, 3)` to 8-bit `(1, 3, H, W)`."""
    return torch.from_numpy(np.array(picture, dtype=np.uint8)).permute(2, 0, 1)[None]


def to_float(pixels: torch.Tensor) -> torch.Tensor:
    """An 8-bit or 16-bit `(N, 3, H, W)` in [0, 1]; one that is so already, unchanged."""
    if pixels.dtype == torch.int16:
        return (pixels.float() - LEAST_WORD) / WORDS
    return pixels.float() / 255 if pixels.dtype == torch.uint8 else pixels


def to_words(image: torch.Tensor) -> torch.Tensor:
    """`(N, 3, H, W)` in [0, 1] as 16-bit, rounded to nearest: for what is yet to be worked on, where 8 bits would show."""
    return (image.float().clamp(0, 1) * WORDS + LEAST_WORD).round().to(torch.int16)


def to_pixels(image: torch.Tensor) -> torch.Tensor:
    """`(N, 3, H, W)` in [0, 1] as 8-bit, rounded to nearest; one that is so already, unchanged."""
    return image if image.dtype == torch.uint8 else (image.clamp(0, 1) * 255).round().to(torch.uint8)


def resized(image: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """`(N, 3, H, W)` at another (height, width), smoothed where it shrinks."""
    return F.interpolate(image, size, mode="bilinear", antialias=True)


def to_array(image: torch.Tensor) -> np.ndarray:
    """`(1, 3, H, W)` or `(3, H, W)` in [0, 1] to a uint8 array `(H, W, 3)`, rounded to nearest."""
    return to_pixels(image.detach()).squeeze(0).permute(1, 2, 0).cpu().numpy()


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

    Raises InputError when the folder is missing or not writable, the suffix or the size is not for pictures, or the image
    holds values that are no numbers.
    """
    path, picture = Path(path), _picture(image, path)
    write_bytes(path, encoded(picture, check_output(path, picture.size), path))
    return path


def to_png(image: torch.Tensor) -> bytes:
    """`(1, 3, H, W)` in [0, 1] as PNG bytes. InputError where it holds values that are no numbers."""
    return encoded(_picture(image, "the picture"), "PNG", "the picture")


def _picture(image: torch.Tensor, name) -> Image.Image:
    """`(1, 3, H, W)` as a Pillow picture; InputError, about `name`, where it would be black for no other reason than NaN."""
    array = to_array(image)
    if not torch.isfinite(image).all():
        raise InputError(name, "would hold values that are no numbers", "use another model, style code or option")
    return Image.fromarray(array)


def check_output(path, size: tuple[int, int] = (MIN_SIDE, MIN_SIDE)) -> str:
    """Pillow's name of the format that a file's suffix stands for. InputError where no picture of `size` (width, height) can
    be written there: to be called before the work whose result goes there."""
    path = Path(path)
    name = Image.registered_extensions().get(path.suffix.lower())
    try:
        probe = Image.new("RGB", (MIN_SIDE + 4, MIN_SIDE))
        with Image.open(io.BytesIO(encoded(probe, name, path))) as again:
            again.load()
            fits = again.size == probe.size  # icons are made of a few sizes of their own
    except Exception:  # no writer, or no reader, such as Ghostscript for EPS
        fits = False
    if not fits:
        raise InputError(path, f"unknown picture format {path.suffix!r}", "end the name in .png or .jpg")
    if max(size) > LONGEST.get(name, max(size)):
        raise InputError(path, f"cannot hold {size[0]}x{size[1]} pixels ({name} ends at {LONGEST[name]} a side)",
                         "end the name in .png, or give a --size")
    check_writable(path)
    return name


def encoded(picture: Image.Image, name: str | None, path) -> bytes:
    """A picture's bytes in a format by Pillow's name. InputError, about `path`, where Pillow cannot write that."""
    buffer = io.BytesIO()
    try:
        picture.save(buffer, name, **({"quality": 95} if name == "JPEG" else {}))
    except MemoryError:
        raise
    except Exception as error:  # writers raise many kinds; each means the same to a user
        raise InputError(path, f"cannot be written as {name} ({error})", "end the name in .png or .jpg") from None
    return buffer.getvalue()


def output_names(files: list[Path], known: dict[str, str] | None = None) -> dict[Path, str]:
    """A name without suffix for the result of every file: its own, with its suffix where two files share it (`a_jpg`), with
    a number where that is taken. Unique also on disks where the case of letters does not count. known: names that results
    already have, by their files' names; they keep them, and no other gets one."""
    known = known or {}
    stems = Counter(file.stem.casefold() for file in files)
    names = {file: known[file.name] for file in files if file.name in known}
    taken = {name.casefold() for name in known.values()}
    names |= {file: file.stem for file in files
              if file not in names and stems[file.stem.casefold()] == 1 and file.stem.casefold() not in taken}
    taken |= {name.casefold() for name in names.values()}
    for file in files:
        if file not in names:
            plain = file.name.replace(".", "_")
            tries = itertools.chain([plain], (f"{plain}_{number}" for number in itertools.count(2)))
            names[file] = next(name for name in tries if name.casefold() not in taken)
            taken.add(names[file].casefold())
    return names


def list_images(folder) -> list[Path]:
    """Picture files of a folder in name order, without hidden ones; InputError when there are none."""
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(folder, "is no folder" if folder.exists() else "no such folder", "name a folder of pictures")
    try:
        files = sorted(file for file in folder.iterdir() if reason_to_skip(file) is None)
    except OSError as error:
        raise InputError(folder, f"cannot be read ({error.strerror})", "check who may read it") from None
    if not files:
        raise InputError(folder, "holds no pictures", f"put {', '.join(sorted(SUFFIXES)[:4])} … files in it")
    return files


def reason_to_skip(file: Path) -> str | None:
    """What an entry of a folder is, where it is none of its pictures; None where it is one."""
    if file.name.startswith("."):  # also what is still being written
        return "hidden"
    if not file.is_file():
        return "sub-folder" if file.is_dir() else "no regular file"
    return None if file.suffix.lower() in SUFFIXES else file.suffix or "without suffix"
