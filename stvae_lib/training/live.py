"""Some seconds of a training inside a notebook, to show the loop at work."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from ..checks import checked
from ..errors import InputError
from ..model import weights
from ..model.stvae import AutoEncoder
from ..pictures import datasets
from .autoencoder import AutoencoderOptions, AutoencoderTraining
from .checkpoints import CHECKPOINT
from .config import check_crops
from .log import read_log
from .loop import Schedule, fit
from .transform import VLTOptions, VLTTraining

UNTRAINED, STARTED, TRAINED = "untrained", "started", "trained"


@dataclass
class Live:
    """What a live training leaves: pictures `(1, 3, H, W)` by stage ("untrained", "started": after a closed-form start,
    "trained"), the columns of its log as arrays, and the distances that it was trained on."""

    pictures: dict[str, torch.Tensor]
    log: dict[str, np.ndarray]
    distances: torch.nn.Module


@torch.enable_grad()
def live(model: AutoEncoder, options: AutoencoderOptions | VLTOptions, draw: Callable[[AutoEncoder], torch.Tensor], folder,
         content_dir="", style_dir="", *, steps: int, batch: int, crop: int, lr: float, seed: int = 0,
         log_every: int = 5, size: int = 256) -> Live:
    """Train `model` on the CPU, in place, for `steps` updates; the kind of `options` says which recipe.

    draw: makes a picture of the model, called once at every stage. folder: for log and checkpoint; a former run's is
    removed. content_dir, style_dir: a reader's folders; empty takes the sample photographs and the generated styles.
    batch: crops an update. crop, size: pixels, of the crops and of the pictures that calibrate the distances. InputError on
    numbers that make no training.
    """
    folder = Path(folder)
    # the loop validates once, at the end, and keeps one checkpoint
    if steps < 1:
        raise InputError("live training", f"has steps = {steps}", "give 1 or more")
    schedule = checked(Schedule, {"steps": steps, "batch": batch, "crop": crop, "lr": lr, "seed": seed,
                                  "log_every": log_every, "checkpoint_every": 10**6,
                                  "validate_every": 10**6}, "live training")
    check_crops(schedule, options, model.encoder.stride, "live training")
    photos = list(datasets.content_images(content_dir, size).values())
    paintings = list(datasets.style_images(style_dir, size).values())
    distances = weights.feature_distances().calibrate([*photos, *paintings])
    pools = (datasets.CropPool([content_dir or datasets.write_sample_photos(folder / "photos")]),
             datasets.CropPool([style_dir or datasets.GENERATED_STYLES]))
    pictures = {UNTRAINED: _drawn(draw, model)}
    if isinstance(options, VLTOptions):
        recipe = VLTTraining(model, distances, *pools, (photos[:1], paintings[:2]), options)
        recipe.start(np.random.default_rng(seed), schedule, batches=min(40, 4 * steps))  # no longer than the training
        pictures[STARTED] = _drawn(draw, model)
    else:
        recipe = AutoencoderTraining(model.encoder, model.decoder, distances, *pools, photos[:1], options)
    (folder / CHECKPOINT).unlink(missing_ok=True)
    recipe.train()
    fit(recipe, schedule, folder, "cpu")
    pictures[TRAINED] = _drawn(draw, model)
    return Live(pictures, read_log(folder / "log.csv"), distances)


@torch.no_grad()
def _drawn(draw, model) -> torch.Tensor:
    return draw(model.eval()).clamp(0, 1)
