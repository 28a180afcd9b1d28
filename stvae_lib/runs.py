"""A training run from its config: pictures, networks, recipe, loop, and the weight it ships with card and log."""

import json
import platform
import shutil
import subprocess
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
import torch

from . import weights
from .backbones import BACKBONES
from .datasets import CropPool, is_held_out
from .errors import InputError
from .images import list_images, load_image, write_atomically
from .losses import FeatureDistances
from .recipes import (AutoencoderOptions, AutoencoderTraining, EncoderDistillation, VLTOptions, VLTTraining,
                      held_out_images)
from .stvae import STVAE, AutoEncoder
from .training import Schedule, fit

RECIPES = ("encoder", "autoencoder", "vlt")
OPTIONS = {"autoencoder": AutoencoderOptions, "vlt": VLTOptions}


@dataclass
class RunConfig:
    """One `config.json`: everything that decides a run's outcome except where the pictures lie.

    base: model or feature file that the run starts from (None: random weights), shipped name or path.
    """

    name: str
    recipe: str
    schedule: Schedule
    options: AutoencoderOptions | VLTOptions | None = None
    backbone: str = "vgg19"
    width: str = "slim"
    base: str | None = None

    def to_json(self) -> dict:
        return asdict(self)


def read_config(path) -> RunConfig:
    """Parse and check a config file. InputError names the file on bad JSON, unknown keys or wrong values."""
    try:
        raw = json.loads(Path(path).read_text(encoding="utf-8"))
        recipe = raw["recipe"]
        if recipe not in RECIPES:
            raise InputError(path, f"names the unknown recipe {recipe!r}", f"use one of {', '.join(RECIPES)}")
        raw["schedule"] = _checked(Schedule, raw["schedule"], path)
        if recipe in OPTIONS:
            raw["options"] = _checked(OPTIONS[recipe], raw.get("options") or {}, path)
        return _checked(RunConfig, raw, path)
    except (FileNotFoundError, IsADirectoryError):
        raise InputError(path, "no such file", "check the path") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(path, f"is no training config ({type(error).__name__}: {error})",
                         "start from a config.json in data/runs") from None


def _checked(kind, values: dict, path):
    known = {entry.name: entry.type for entry in fields(kind)}
    for key, value in values.items():
        if key not in known:
            raise InputError(path, f"has the unknown key {key!r}", f"known: {', '.join(known)}")
        plain = known[key] if known[key] in (int, float, str, bool) else None
        fits = isinstance(value, plain) or plain is float and type(value) is int if plain else True
        if not fits or plain is int and isinstance(value, bool):
            raise InputError(path, f"has {key} = {value!r}", f"give a value of type {plain.__name__}")
    return kind(**values)


@dataclass
class Sources:
    """Where a run finds its pictures and its loss network (for the encoder recipe: its teacher)."""

    content_dir: Path
    style_dirs: list[Path]
    loss_network: str = weights.LOSS_NETWORK

    def pools(self) -> tuple[CropPool, CropPool]:
        """Photographs and paintings, without held-out ones."""
        return CropPool([self.content_dir]), CropPool(self.style_dirs)

    def distances(self) -> FeatureDistances:
        """The loss network, calibrated on training pictures."""
        photos, paintings = ([file for file in list_images(folder) if not is_held_out(file.name)]
                             for folder in (self.content_dir, self.style_dirs[0]))
        images = [load_image(file, 256) for file in photos[::40] + paintings[::20]]
        return weights.feature_distances(self.loss_network).calibrate(images)


def make_recipe(config: RunConfig, sources: Sources):
    """The recipe module of a config, at its start (before any checkpoint)."""
    torch.manual_seed(config.schedule.seed)
    rng = np.random.default_rng(config.schedule.seed)
    photos, paintings = sources.pools()
    if config.recipe == "encoder":
        teacher = weights.loss_network(sources.loss_network, "relu5_1")
        recipe = EncoderDistillation(teacher, photos, paintings, held_out_images(sources.content_dir, 12, 256))
        recipe.start(recipe.batch(rng, config.schedule)["images"])
        return recipe
    distances = sources.distances()
    encoder, decoder = start_networks(config)
    if config.recipe == "autoencoder":
        validation = held_out_images(sources.content_dir, 12, 256)
        return AutoencoderTraining(encoder, decoder, distances, photos, paintings, validation, config.options)
    vlt = weights.VLT[config.options.variant](encoder, decoder, **config.options.vlt_options())
    validation = (held_out_images(sources.content_dir, 16, 256), held_out_images(sources.style_dirs[0], 16, 256))
    recipe = VLTTraining(STVAE(encoder, vlt, decoder), distances, photos, paintings, validation, config.options)
    recipe.start(rng, config.schedule)
    return recipe


def start_networks(config: RunConfig):
    """Encoder and decoder that a run starts from: the base's, torchvision's at full width, or random."""
    if config.width == "full":
        encoder, decoder = BACKBONES[config.backbone].pretrained(), BACKBONES[config.backbone].build("full")[1]
        if config.base:
            decoder = weights.read_model(Path(config.base), encoder).decoder
        return encoder, decoder
    encoder, decoder = BACKBONES[config.backbone].build(config.width)
    if config.base == weights.LOSS_NETWORK:
        features = weights.loss_network().state_dict()
        encoder.load_state_dict({key: features[key] for key in encoder.state_dict()})
    elif config.base:
        model = weights.read_model(weights.find(config.base))
        encoder, decoder = model.encoder, model.decoder
    return encoder, decoder


def train(config: RunConfig, sources: Sources, folder, device, stop_after=None) -> dict | None:
    """Run (or resume) a config in `folder`; when it reaches its last step, write weights, card, config and log there.

    Returns the card, or None where `stop_after` ended it early.
    """
    folder = Path(folder)
    recipe = make_recipe(config, sources)
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(config.to_json(), indent=1) + "\n"
    write_atomically(folder / "config.json", lambda name: Path(name).write_text(text, encoding="utf-8"))
    reached = fit(recipe, config.schedule, folder, device, stop_after)
    if reached["step"] < config.schedule.steps:
        return None
    return export(recipe.cpu().eval(), config, sources, folder, reached, device)


def export(recipe, config: RunConfig, sources: Sources, folder: Path, reached: dict, device) -> dict:
    """Write the trained part as `folder/name.safetensors` with its card; returns the card."""
    with torch.no_grad():
        validation = {key: round(float(value), 5) for key, value in recipe.validate().items()}
    card = {"recipe": config.to_json(), "steps": reached["step"], "images": reached["images"],
            "seconds": round(reached["seconds"], 1), "seed": config.schedule.seed, "validation": validation,
            "data": data_record(sources), **environment(device), "licence": "MIT"}
    path = folder / f"{config.name}.safetensors"
    architecture = {"backbone": config.backbone, "width": config.width, "variant": None, "options": {}}
    if config.recipe == "encoder":
        architecture |= {"features": recipe.student.last}
        return weights.write_tensors({k: v.half().contiguous() for k, v in recipe.student.state_dict().items()}, path,
                                     architecture, card)
    if config.recipe == "autoencoder":
        return weights.write_model(AutoEncoder(recipe.encoder, recipe.decoder), path, architecture, card,
                                   parts=_parts(config, "encoder", "decoder"))
    architecture |= {"variant": config.options.variant, "options": config.options.vlt_options()}
    if config.options.train_decoder:
        return weights.write_model(recipe.model, path, architecture, card, _parts(config, "encoder", "decoder", "vlt"))
    base = weights.find(config.base)
    shutil.copy(base, folder)
    return weights.write_model(recipe.model, path, architecture | {"base": base.stem}, card, ("vlt",))


def _parts(config: RunConfig, *parts):
    return tuple(part for part in parts if part != "encoder" or config.width != "full")


def data_record(sources: Sources) -> dict:
    """Which pictures were trained on: folder names, counts, and a checksum over names and sizes."""
    folders = {"content": [sources.content_dir], "style": sources.style_dirs}
    record = {}
    for role, paths in folders.items():
        files = [file for path in paths for file in list_images(path) if not is_held_out(file.name)]
        listing = "".join(f"{file.name} {file.stat().st_size}\n" for file in files)
        record[role] = {"pictures": len(files), "sha256": weights.digest(listing.encode())}
    return record


def environment(device) -> dict:
    """Device, versions and git commit, for cards and results."""
    device = torch.device(device)
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else f"{torch.get_num_threads()} CPU threads"
    return {"device": f"{device.type}: {name}", "git": git_commit(),
            "versions": {"python": platform.python_version(), "torch": torch.__version__}}


def git_commit() -> str:
    """Commit of the checkout, "+" added where files differ from it; "unknown" outside one."""
    root = Path(__file__).resolve().parent.parent
    try:
        commit = subprocess.run(["git", "rev-parse", "--short=12", "HEAD"], cwd=root, capture_output=True, text=True,
                                check=True).stdout.strip()
        changed = subprocess.run(["git", "status", "--porcelain", "-uno"], cwd=root, capture_output=True, text=True,
                                 check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return commit + ("+" if changed else "")
