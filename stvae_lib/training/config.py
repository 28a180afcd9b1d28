"""A training's `config.json`: what may stand in it, read and checked before any work begins."""

import json
import os
import reprlib
from dataclasses import asdict, field
from pathlib import Path
from typing import Literal

import torch
from pydantic import Field, field_validator
from pydantic.dataclasses import dataclass

from ..checks import STRICT, checked
from ..errors import InputError
from ..files import check_readable
from ..model import weights
from ..model.backbones import BACKBONES
from .autoencoder import AutoencoderOptions
from .loop import Schedule
from .transform import VLTOptions

RECIPES = ("encoder", "autoencoder", "vlt")
RANDOM = "random"  # encoder_weights of an encoder that nobody trained
OPTIONS = {"autoencoder": AutoencoderOptions, "vlt": VLTOptions}
PIXELS = 2**26  # of a batch: 64 crops of 1024x1024, more than a GPU can train on
REMEDY = "start from a config.json in data/runs"


@dataclass(config=STRICT)
class RunConfig:
    """One `config.json`: everything that decides a run's outcome except where the pictures lie.

    loss_network: name or file of the network whose features the losses compare (recipe encoder: the teacher).
    base: model or feature file that the run starts from (None: random weights), shipped name or path.
    fresh_decoder: leave the base's decoder behind and start from one with plain random weights (He et al. 2015), without
    the zero branches that a decoder to be trained starts with (with 0 steps: the student report's set-up).
    backbone_options: arguments of the backbone. encoder_weights: at full width, which published weights (None: V1), or
    "random" for none. decoder_parameters: size of a plain decoder in place of the mirrored one.
    sources: where the pictures come from and under which licences, for the card. processes: how many train it, set by the
    training itself, whatever a file says.
    """

    name: str
    recipe: Literal[RECIPES]
    schedule: Schedule
    options: AutoencoderOptions | VLTOptions | None = None
    backbone: str = "vgg19"
    width: str = "slim"
    base: str | None = None
    fresh_decoder: bool = False
    backbone_options: dict = field(default_factory=dict)
    encoder_weights: str | None = None
    decoder_parameters: int | None = Field(default=None, ge=1, le=10**9)
    loss_network: str = weights.LOSS_NETWORK
    sources: str = ""
    processes: int = Field(default=1, ge=1)

    @field_validator("name")
    @classmethod
    def _plain_name(cls, name: str) -> str:
        """A run's name is the name of its files: it must not lead out of the run's folder, nor onto its config's."""
        plain = name and name.isprintable() and len(os.fsencode(name)) <= 200 and name == name.strip()
        if not plain or name.startswith(".") or set(name) & set("/\\:") or name == "config":
            raise ValueError("give a plain file name of 200 bytes at most, without folders and a dot in front")
        return name

    @field_validator("backbone")
    @classmethod
    def _registered(cls, backbone: str) -> str:
        if backbone not in BACKBONES:
            raise ValueError(f"use one of {', '.join(BACKBONES)}")
        return backbone

    def to_json(self) -> dict:
        return asdict(self)


def read_config(path) -> RunConfig:
    """Parse and check a config file. InputError names the file on bad JSON, unknown keys, and values of another type, out of
    range, or that no network can be built from."""
    check_readable(path)
    try:
        raw = json.loads(Path(path).read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise InputError(path, f"is no JSON file ({error})", REMEDY) from None
    return config_of(raw, path)


def config_of(raw, path) -> RunConfig:
    """The config that JSON from the file `path` describes; InputError as by `read_config`."""
    if not isinstance(raw, dict):
        raise InputError(path, "holds no training config", REMEDY)
    raw = dict(raw)
    parts = {"schedule": Schedule} | ({"options": kind} if (kind := _options_of(raw)) else {})
    for name, kind in parts.items():
        if name != "options" or raw.get(name) is not None:
            raw[name] = checked(kind, raw.get(name), path, f"{name}.")
        else:  # a config may leave all options at their defaults
            raw[name] = kind()
    config = checked(RunConfig, raw, path)
    check_fit(config, path)
    return config


def _options_of(raw: dict):
    """The class of a config's options; None where its recipe has none, or is none."""
    return OPTIONS.get(raw["recipe"]) if isinstance(raw.get("recipe"), str) else None


def check_fit(config: RunConfig, path) -> None:
    """InputError where a config's entries, each of them fine, do not go together: no such network, too few pictures in a
    batch for what is drawn from it, crops that the network cannot halve often enough."""
    backbone, options, schedule = BACKBONES[config.backbone], config.backbone_options, config.schedule
    try:
        with torch.device("meta"):
            if config.recipe == "encoder":
                encoder = backbone.student(config.width, **options)
            else:
                encoder, decoder = backbone.build(config.width, config.decoder_parameters, **options)
            if config.recipe == "vlt":
                weights.VLT[config.options.variant](encoder, decoder, **config.options.vlt_options())
    except (InputError, TypeError, KeyError, ValueError, RuntimeError, AttributeError) as error:
        said = f"({config.backbone}, width {config.width!r}, {options}: {type(error).__name__}: {error})"
        raise InputError(path, f"describes no network {said[:200]}", "give backbone, width and options of one in data/runs") \
            from None
    check_crops(schedule, config.options, None if config.recipe == "encoder" else encoder.stride, path)
    if config.recipe == "vlt":
        check_base_named(config, path)


def check_crops(schedule: Schedule, options: AutoencoderOptions | VLTOptions | None, stride: int | None, source) -> None:
    """InputError, naming `source`, where a batch holds more than `PIXELS`, or too few crops for what is drawn from it, or a
    network of `stride` cannot halve them often enough (None: its features need not come back to the crop's size)."""
    if schedule.batch * schedule.crop**2 > PIXELS:
        raise InputError(source, f"has a schedule.batch of {schedule.batch} crops of {schedule.crop}x{schedule.crop} pixels",
                         f"give fewer or smaller ones, {PIXELS // 10**6} million pixels at most")
    fewest = options.styles_per_content if isinstance(options, VLTOptions) else 3  # of photographs two, of paintings one
    if schedule.batch < fewest:
        raise InputError(source, f"has schedule.batch = {schedule.batch}", f"give {fewest} or more")
    if stride is not None and schedule.crop % stride:
        raise InputError(source, f"has schedule.crop = {schedule.crop}", f"give a multiple of {stride}, its stride")


def check_base_named(config: RunConfig, path) -> None:
    """InputError where a transform is to go on from, or to be kept with, a base that its config does not name or leaves."""
    options = config.options
    if config.base is None and (options.start in ("base", "remodulated") or not options.train_decoder):
        said = f"start {options.start!r}" if options.train_decoder else "train_decoder false"
        raise InputError(path, f"has {said} and no base", "name the model that it is about")
    if config.fresh_decoder and not options.train_decoder:
        raise InputError(path, "has fresh_decoder true and train_decoder false", "train the decoder, or take the base's")


def differences(old: RunConfig, new: RunConfig) -> str:
    """Which entries of two configs differ, in words, but for the number of processes; empty where none does."""
    old, new = (_flat(json.loads(json.dumps(each.to_json()))) for each in (old, new))
    short = reprlib.Repr()
    short.maxstring = 80  # most paths, which may differ anywhere
    return ", ".join(f"{name} {short.repr(old.get(name))} → {short.repr(new.get(name))}" for name in dict.fromkeys([*old, *new])
                     if name != "processes" and old.get(name) != new.get(name))


def _flat(values: dict, prefix: str = "") -> dict:
    """Entries of nested dictionaries under dotted names."""
    entries = {}
    for key, value in values.items():
        entries |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
    return entries
