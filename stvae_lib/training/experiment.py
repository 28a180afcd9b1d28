"""A training run from its config: pictures, networks, recipe, loop, and the weight it ships with card and log."""

import json
import shutil
import warnings
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist

from ..errors import InputError
from ..files import alone_in, is_same_file, write_text
from ..losses import FeatureDistances
from ..model import weights
from ..model.backbones import BACKBONES
from ..model.storage import half, read_tensors, write_tensors
from ..model.stvae import STVAE, AutoEncoder
from ..pictures.datasets import CropPool, held_out_images, is_held_out, mixed_batch
from ..pictures.images import list_images, load_image, save_image
from ..provenance import environment, record, sha256
from .autoencoder import AutoencoderTraining
from .config import RANDOM, RunConfig, read_config
from .distillation import EncoderDistillation
from .folder import CONFIG, SHEET, check_inputs_stay, check_resumable, root_of
from .loop import fit, reduced
from .sheets import contact_sheet, reconstruction_sheet
from .transform import VLTTraining

__all__ = ["RunConfig", "Sources", "read_config", "train"]


@dataclass
class Sources:
    """Where a run finds its pictures."""

    content_dir: Path
    style_dirs: list[Path]

    def pools(self, short_side: int) -> tuple[CropPool, CropPool]:
        """Photographs and paintings, without held-out ones, decoded at this size."""
        return CropPool([self.content_dir], short_side), CropPool(self.style_dirs, short_side)

    def distances(self, network: str) -> FeatureDistances:
        """A loss network, calibrated on training pictures."""
        photos, paintings = ([file for file in list_images(folder) if not is_held_out(file.name)]
                             for folder in (self.content_dir, self.style_dirs[0]))
        images = [load_image(file, 256) for file in photos[::40] + paintings[::20]]
        return weights.feature_distances(network).calibrate(images)


def make_recipe(config: RunConfig, sources: Sources, resumes: bool = False):
    """The recipe module of a config, at its start. resumes: a checkpoint will replace what is trained, so the
    transform's closed form is not computed."""
    torch.manual_seed(config.schedule.seed)
    rng = np.random.default_rng(config.schedule.seed)
    photos, paintings = sources.pools(config.schedule.short_side)
    validation = validation_pictures(config, sources, 12)
    if config.recipe == "encoder":
        student = BACKBONES[config.backbone].student(config.width, **config.backbone_options)
        recipe = EncoderDistillation(weights.teacher(config.loss_network), student, photos, paintings, validation)
        recipe.start(recipe.batch(rng, config.schedule)["images"])
        if config.base:
            weights.load_features(student, weights.find(config.base))
            recipe.fit_heads(torch.cat([recipe.batch(rng, config.schedule)["images"] for _ in range(16)]))
        return recipe
    distances = sources.distances(config.loss_network)
    encoder, decoder = start_networks(config)
    if config.recipe == "autoencoder":
        recipe = AutoencoderTraining(encoder, decoder, distances, photos, paintings, validation, config.options)
        recipe.start(torch.cat([mixed_batch(photos, paintings, rng, config.schedule)["images"] for _ in range(9)]))
        return recipe
    vlt = start_transform(config, encoder, decoder)
    model = STVAE(encoder, vlt, decoder, config.options.photo_share)
    recipe = VLTTraining(model, distances, photos, paintings, validation, config.options)
    if not resumes:
        recipe.start(rng, config.schedule)
    return recipe


def validation_pictures(config: RunConfig, sources: Sources, count: int | None):
    """Held-out photographs at 256 pixels, `count` of them (None: all); for the transform, with as many paintings."""
    photos = held_out_images(sources.content_dir, count, 256)
    return (photos, held_out_images(sources.style_dirs[0], count, 256)) if config.recipe == "vlt" else photos


def start_networks(config: RunConfig):
    """Encoder and decoder that a run starts from: the base's, torchvision's at full width, or random."""
    backbone, options = BACKBONES[config.backbone], config.backbone_options
    encoder, fresh_decoder = backbone.build(config.width, config.decoder_parameters, **options)
    decoder = fresh_decoder
    if published(config):
        encoder = backbone.pretrained(config.encoder_weights, **options)
        if config.base:
            decoder = weights.read_model(Path(config.base), encoder).decoder
    elif config.base is None:
        keep_scale(encoder)
    elif "features" in read_tensors(weights.find(config.base))[1]:
        weights.load_features(encoder, weights.find(config.base))
    else:
        model = weights.read_model(weights.find(config.base))
        encoder, decoder = model.encoder, model.decoder
    if config.fresh_decoder:
        keep_scale(fresh_decoder)
        decoder = fresh_decoder
    return encoder, decoder


def published(config: RunConfig) -> bool:
    """Whether a run's encoder is one that somebody else trained and published."""
    return config.width == BACKBONES[config.backbone].pretrained_width and config.encoder_weights != RANDOM


def keep_scale(network) -> None:
    """Random weights that neither shrink nor blow up activations through the layers (He et al. 2015)."""
    for module in network.modules():
        if isinstance(module, torch.nn.Conv2d) and module.weight.requires_grad:
            torch.nn.init.kaiming_normal_(module.weight)


def untrained_decoder(features: str, last: str):
    """The student report's set-up: an encoder with trained `features` (name or file) cut after stage `last`, and a mirrored
    decoder that nobody trained. Its width is the file's."""
    built = weights.features_architecture(features)
    backbone = BACKBONES[built["backbone"]]
    options = {key: value for key, value in built.get("backbone_options", {}).items() if key not in backbone.all_stages}
    encoder, decoder = backbone.build(built["width"], **options, last=last)
    known = weights.features_network(features).state_dict()
    encoder.load_state_dict({key: known.get(key, value) for key, value in encoder.state_dict().items()})
    keep_scale(decoder)
    return encoder.eval(), decoder.eval()


def untrained_twin(features: str):
    """A network like the one of `features` (name or file), with all its stages and random weights, frozen."""
    built = weights.features_architecture(features)
    network = BACKBONES[built["backbone"]].student(built["width"], **built.get("backbone_options", {}))
    keep_scale(network)
    return network.eval().requires_grad_(False)


def start_transform(config: RunConfig, encoder, decoder):
    """An untrained transform, or (start "base", or "remodulated" but for the modulation) the base model's; InputError
    where that is of another kind."""
    vlt = weights.VLT[config.options.variant](encoder, decoder, **config.options.vlt_options())
    if config.options.start in ("base", "remodulated"):
        try:
            known = weights.read_model(weights.find(config.base)).vlt.state_dict()
            if config.options.start == "remodulated":
                own = {name: value for name, value in vlt.state_dict().items() if name.startswith("modulator.")}
                known = {name: value for name, value in known.items() if not name.startswith("modulator.")} | own
            vlt.load_state_dict(known)
        except (RuntimeError, AttributeError):
            raise InputError(config.base, "has no transform of this run's variant and sizes",
                             "give its variant, matrix_size and latent, or another start") from None
    return vlt


def train(config: RunConfig, sources: Sources, folder, device, stop_after=None, given=None) -> dict | None:
    """Run (or resume) a config in `folder`; when it reaches its last step, write weights, card, config and log there.

    given: the file that the config was read from, which nothing is to replace. Returns the card, or None where `stop_after`
    ended it early and in every process but the first. InputError where another process trains there, where what is there is
    damaged, of another config or of no training, or where the result could not be loaded.
    """
    folder, first = Path(folder), not dist.is_initialized() or dist.get_rank() == 0
    with alone_in(folder) if first else nullcontext():
        check_inputs_stay(config, [sources.content_dir, *sources.style_dirs], folder, given)
        data = data_record(sources)
        resumes = check_resumable(config, data, folder, given, first)
        check_base(config, folder)
        recipe = make_recipe(config, sources, resumes)
        config = replace(config, processes=dist.get_world_size() if dist.is_initialized() else 1)
        if first and not is_same_file(folder / CONFIG, given):
            write_text(folder / CONFIG, json.dumps(config.to_json(), indent=1) + "\n")
        reached = fit(recipe, config.schedule, folder, device, stop_after, {"config": config.to_json(), "data": data})
        if reached["step"] < config.schedule.steps or not first:
            return None
        return export(recipe.cpu().eval(), config, sources, folder, reached, device, data)


def check_base(config: RunConfig, folder: Path) -> None:
    """InputError where a config's base is of another architecture than the config, whose card would then tell of a model
    that cannot be loaded, or where the base's copy in the run's folder would replace something else."""
    if not config.base:
        return
    file = weights.find(config.base)
    _, known = read_tensors(file)
    parts = {"backbone": config.backbone, "width": config.width}
    if "features" not in known:
        parts |= {"backbone_options": config.backbone_options, "decoder_parameters": config.decoder_parameters}
    for name, value in parts.items():
        if (known.get(name) or None) != (value or None):
            raise InputError(file, f"has {name} {known.get(name)!r}, and the config {value!r}",
                             "give the config its base's, or another base")
    if config.recipe == "vlt" and not config.options.train_decoder:
        if "features" in known:
            raise InputError(file, "holds an encoder alone", "train the decoder too, or give an autoencoder as base")
        copied = folder / root_of(file).name
        if copied.stem == config.name:
            raise InputError(f"config {config.name!r}", "has the name of its base, which is kept beside it", "rename it")
        if copied.exists() and sha256(copied) != sha256(root_of(file)):
            raise InputError(copied, "is another file than the base of this training", "choose another --out")


def export(recipe, config: RunConfig, sources: Sources, folder: Path, reached: dict, device, data: dict) -> dict:
    """Write the trained part as `folder/name.safetensors` with its card; returns the card. data: `data_record` at the start.
    Where the held-out pictures are gone, those that were read at the start are validated on."""
    try:
        recipe.validation = validation_pictures(config, sources, None)
    except (InputError, OSError) as error:
        warnings.warn(f"{error}; validated on the held-out pictures read at the start alone", stacklevel=2)
    with torch.no_grad():
        validation = {key: round(float(value), 5) for key, value in recipe.validate().items()}
    precision = "bfloat16" if reduced(torch.device(device), config.schedule.precision) else "float32"  # "auto" does not tell
    card = {"recipe": config.to_json(), "steps": reached["step"], "images": reached["images"], "precision": precision,
            "processes": reached["processes"], "seconds": round(reached["seconds"], 1), "seed": config.schedule.seed,
            "validation": validation, "data": data, "sources": config.sources, **environment(device), "licence": "MIT"}
    path = folder / f"{config.name}.safetensors"
    architecture = {"backbone": config.backbone, "width": config.width, "variant": None, "options": {},
                    "backbone_options": config.backbone_options, "encoder_weights": config.encoder_weights,
                    "decoder_parameters": config.decoder_parameters}
    if config.recipe == "encoder":
        architecture |= {"features": recipe.student.last}
        return write_tensors(half(recipe.student.state_dict()), path, architecture, card)
    if config.recipe == "autoencoder":
        save_image(reconstruction_sheet(AutoEncoder(recipe.encoder, recipe.decoder)), folder / SHEET)
        return weights.write_model(AutoEncoder(recipe.encoder, recipe.decoder), path, architecture, card,
                                   parts=_parts(config, "encoder", "decoder"))
    architecture |= {"variant": config.options.variant, "options": config.options.vlt_options(),
                     "photo_share": config.options.photo_share}
    save_image(contact_sheet(recipe.model), folder / SHEET)
    if config.options.train_decoder:
        return weights.write_model(recipe.model, path, architecture, card, _parts(config, "encoder", "decoder", "vlt"))
    base = root_of(weights.find(config.base))
    if not (folder / base.name).exists():
        shutil.copy(base, folder)
    return weights.write_model(recipe.model, path, architecture | {"base": base.stem}, card, ("vlt",))


def _parts(config: RunConfig, *parts):
    """What of a model is written: of a published encoder that stayed as it is, only what was measured or trained beside it."""
    learned = getattr(config.options, "encoder_weight", 0) > 0
    learned = learned or config.base and not weights.lacks_encoder(*weights.read_with_base(weights.find(config.base)))
    if not published(config) or learned:
        return parts
    return tuple(part for part in parts if part != "encoder") + weights.TRAINED_PARTS


def data_record(sources: Sources) -> dict:
    """Which pictures were trained on: folder names, counts, and a checksum over names and sizes."""
    folders = {"content": [sources.content_dir], "style": sources.style_dirs}
    found = {}
    for role, paths in folders.items():
        files = [file for path in paths for file in list_images(path) if not is_held_out(file.name)]
        found[role] = record(files)
    return found
