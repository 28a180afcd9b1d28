"""Folders of photographs and paintings, decoded once, cropped without waiting.

Every batch is a function of (seed, step, rank) alone: a training that is killed and resumed
draws the crops that the uninterrupted one would have drawn.
"""

import hashlib
import math
import os
import zlib
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from tqdm.auto import tqdm

from ..errors import InputError
from ..files import make_folder, write_atomically
from .images import MIN_SIDE, list_images, load_image, open_picture, save_image, to_tensor

GENERATED_STYLES = Path(__file__).resolve().parents[2] / "data" / "styles"
SAMPLE_PHOTOS = ("astronaut", "coffee", "chelsea", "rocket")
ENLARGED = 2**25  # pixels that a picture may be enlarged to: 100 MB
NAMED = 5  # bad pictures in a message


def sample_photo(name: str, size: int | None = None) -> torch.Tensor:
    """A photograph bundled with scikit-image as `(1, 3, H, W)`; names in SAMPLE_PHOTOS."""
    import skimage.data

    if name not in SAMPLE_PHOTOS:
        raise InputError(name, "is no sample photograph", f"use one of {', '.join(SAMPLE_PHOTOS)}")
    picture = Image.fromarray(getattr(skimage.data, name)())
    if size is not None:
        picture.thumbnail((size, size), Image.Resampling.LANCZOS)
    return to_tensor(picture)


def content_images(folder="", size: int = 256, count: int = 4) -> dict[str, torch.Tensor]:
    """Up to `count` photographs by name, `(1, 3, H, W)`, longer side `size`: a folder's, or the sample photographs."""
    if folder:
        return {file.stem: load_image(file, size) for file in list_images(folder)[:count]}
    return {name: sample_photo(name, size) for name in SAMPLE_PHOTOS[:count]}


def style_images(folder="", size: int = 256, count: int = 8) -> dict[str, torch.Tensor]:
    """Up to `count` style pictures by name: a folder's, or the shipped generated ones, one of each kind first."""
    files = list_images(folder or GENERATED_STYLES)
    if not folder:
        files.sort(key=lambda file: file.stem.rsplit("_", 1)[::-1])
    return {file.stem: load_image(file, size) for file in files[:count]}


def write_sample_photos(folder) -> Path:
    """The sample photographs as PNG files in `folder`, for recipes that want a folder; returns it."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name in SAMPLE_PHOTOS:
        save_image(sample_photo(name), folder / f"{name}.png")
    return folder


def is_held_out(name: str) -> bool:
    """One file in ten, by the checksum of its name, is for validation and never trained on."""
    return zlib.crc32(name.encode()) % 10 == 0


def cache_folder() -> Path:
    """Where decoded pictures are kept: $STVAE_CACHE, or the user's cache folder."""
    return Path(os.environ.get("STVAE_CACHE") or Path.home() / ".cache" / "stvae")


def _fingerprint(files: list[Path], short_side: int) -> str:
    digest = hashlib.sha256(str(short_side).encode())
    for file in files:
        stat = file.stat()
        digest.update(f"{file.name} {stat.st_size} {stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:16]


def _decode(file: Path, short_side: int) -> torch.Tensor:
    """One picture as uint8 `(3, H, W)` with its shorter side at `short_side` (enlarged where smaller). InputError where it is
    smaller than `MIN_SIDE` on a side, or a strip that would be enlarged to more than `ENLARGED` pixels."""
    picture = open_picture(file)
    said = f"is {picture.width}x{picture.height} pixels"
    if min(picture.size) < MIN_SIDE:
        raise InputError(file, said, f"every side must be at least {MIN_SIDE} pixels")
    scale = short_side / min(picture.size)
    size = [max(short_side, round(side * scale)) for side in picture.size]
    if scale > 1 and math.prod(size) > ENLARGED:
        raise InputError(file, f"{said}, and would be enlarged to {size[0]}x{size[1]}", "cut the strip into shorter ones")
    picture = picture.resize(size, Image.Resampling.LANCZOS)
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1).contiguous()


def decoded(files: list[Path], short_side: int) -> dict[str, torch.Tensor]:
    """Decoded pictures by file name, read from a memory-mapped cache that is written on first use, and again where it was
    cut. InputError where files cannot be used, naming the first `NAMED` and saying how many they are."""
    cache = cache_folder() / f"{_fingerprint(files, short_side)}.safetensors"
    if cache.exists() and (found := _read_cache(cache)).keys() == {file.name for file in files}:
        return found
    pictures, failures = {}, []
    for file in tqdm(files, desc="decoding", unit="image"):
        try:
            pictures[file.name] = _decode(file, short_side)
        except InputError as error:
            failures.append(error)
    if len(failures) == 1:
        raise failures[0]
    if failures:
        more = [f"and {len(failures) - NAMED} more"] if len(failures) > NAMED else []
        raise InputError(files[0].parent, f"{len(failures)} of {len(files)} pictures cannot be used: "
                         + " | ".join([*map(str, failures[:NAMED]), *more]), "mend them or take them out")
    make_folder(cache.parent, "set STVAE_CACHE to a writable folder")
    try:
        write_atomically(cache, lambda name: save_file(pictures, name))
    except SafetensorError as error:
        raise InputError(cache, f"cannot be written ({error})", "make room, or set STVAE_CACHE to another folder") from None
    return _read_cache(cache)


def _read_cache(cache: Path) -> dict[str, torch.Tensor]:
    """Pictures of a cache; none where it is no whole one."""
    try:
        with safe_open(cache, framework="pt") as store:
            return {name: store.get_tensor(name) for name in store.keys()}  # noqa: SIM118 - the store is no dict
    except (SafetensorError, OSError):
        return {}


class CropPool:
    """Random crops of a folder's pictures (without its held-out ones), or of several folders'.

    folders: paths. short_side: pictures are decoded at this size. Crops are flipped at random and taken
    at a random scale between the crop size and `zoom` times it.
    """

    def __init__(self, folders, short_side: int = 256, zoom: float = 1.8):
        self.pictures, self.names = [], []
        for folder in folders:
            files = [file for file in list_images(folder) if not is_held_out(file.name)]
            if not files:
                raise InputError(folder, "holds only held-out pictures", "add more pictures")
            pictures = decoded(files, short_side)
            self.names += [file.name for file in files]
            self.pictures += [pictures[file.name] for file in files]
        self.zoom = zoom

    def crops(self, rng: np.random.Generator, count: int, size: int) -> tuple[torch.Tensor, list[str]]:
        """`count` crops `(count, 3, size, size)` in [0, 1] and the names of the files they come from."""
        chosen = rng.integers(len(self.pictures), size=count)
        crops = torch.cat([_random_crop(self.pictures[i], size, self.zoom, rng) for i in chosen])
        return crops, [self.names[i] for i in chosen]


def _random_crop(picture: torch.Tensor, size: int, zoom: float, rng: np.random.Generator) -> torch.Tensor:
    _, height, width = picture.shape
    side = min(round(size * rng.uniform(1, zoom)), height, width)
    top, left = rng.integers(height - side + 1), rng.integers(width - side + 1)
    crop = picture[None, :, top:top + side, left:left + side].float() / 255
    if side != size:
        crop = F.interpolate(crop, (size, size), mode="bilinear", antialias=True).clamp(0, 1)
    return crop.flip(3) if rng.random() < 0.5 else crop


def colour_jitter(images: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """Random colours for style pictures `(N, 3, H, W)`: channel permutation, gain, gamma, saturation.

    A few hundred paintings hold too few palettes; this is the cheap remedy. One draw per image.
    """
    out = []
    for image in images:
        if rng.random() < 0.5:
            image = image[rng.permutation(3).tolist()]
        grey = image.mean(0, keepdim=True)
        image = grey + (image - grey) * rng.uniform(0.4, 1.6)
        gain = torch.tensor(rng.uniform(0.75, 1.25, (3, 1, 1)), dtype=image.dtype)
        out.append((image.clamp(0, 1) ** rng.uniform(0.6, 1.6) * gain).clamp(0, 1))
    return torch.stack(out)


def held_out_images(folder, count: int | None, size: int) -> list[torch.Tensor]:
    """`count` held-out pictures spread evenly over the folder (None: all), longer side `size`."""
    files = [file for file in list_images(folder) if is_held_out(file.name)]
    if not files:
        raise InputError(folder, "holds no held-out pictures", "add more: one name in ten is held out by its checksum")
    if count is not None and count < len(files):
        files = [files[round(i * (len(files) - 1) / (count - 1))] for i in range(count)]
    return [load_image(file, size) for file in files]


def mixed_batch(photos: CropPool, paintings: CropPool, rng, schedule) -> dict:
    """Crops of both kinds, two photographs for each painting: {"images" (batch, 3, crop, crop), "files"}."""
    count = schedule.batch // 3
    first, first_names = photos.crops(rng, schedule.batch - count, schedule.crop)
    second, second_names = paintings.crops(rng, count, schedule.crop)
    return {"images": torch.cat([first, second]).contiguous(memory_format=torch.channels_last),
            "files": first_names + second_names}
