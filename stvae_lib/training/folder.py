"""A training's folder: whether a config may begin or go on there, asked before any work. Nothing in it that is not the
training's own is written over."""

import json
from pathlib import Path

from ..errors import InputError
from ..files import check_writable, is_same_file, refuse_overwriting
from ..model import weights
from .checkpoints import AFRESH, CHECKPOINT, load_checkpoint
from .config import RunConfig, config_of, differences, read_config
from .log import LOG, kept_rows

CONFIG, SHEET = "config.json", "sheet.jpg"
ELSEWHERE = "choose another --out"


def check_inputs_stay(config: RunConfig, picture_folders: list[Path], folder: Path, given) -> None:
    """InputError where what a training writes would replace what it reads: a picture, the config's file `given` (None: there
    is none), the base or the loss network. A config that is given as the folder's own is left as it is."""
    for pictures in picture_folders:
        if is_same_file(folder, pictures):
            raise InputError(folder, f"is the folder of pictures {pictures}", ELSEWHERE)
    bases = [weights.find(config.base)] if config.base else []
    networks = [] if config.loss_network in weights.FULL else [weights.find(config.loss_network)]
    models = [*bases, *map(root_of, bases), *networks]
    cards = [file.with_suffix(".json") for file in models]
    refuse_overwriting(products(config, folder), [*models, *cards, *([given] if given else [])], ELSEWHERE)
    refuse_overwriting([folder / CONFIG], [*models, *cards], ELSEWHERE)


def products(config: RunConfig, folder: Path) -> list[Path]:
    """What a training writes into its folder, beside its config and its checkpoint."""
    return [folder / name for name in (f"{config.name}.safetensors", f"{config.name}.json", SHEET, LOG)]


def root_of(file: Path) -> Path:
    """The file that holds encoder and decoder of a model: its own, or its base."""
    base = weights.read_tensors(file)[1].get("base")
    return weights.base_file(file, base) if base else file


def check_resumable(config: RunConfig, data: dict, folder: Path, given, first: bool) -> bool:
    """Whether a folder holds a training to go on with. InputError where that is another config's or of other pictures than
    `data` records, where its checkpoint or (in the `first` process) its log is damaged, and where files that no training wrote
    would be replaced. The checkpoint itself is let go again: it is as large as model and optimiser."""
    known = kept_config(folder)
    check_same(config, known, folder / CONFIG)
    state = load_checkpoint(folder, config.schedule.steps)
    if state:
        check_about(config, data, known, state["about"], folder / CHECKPOINT)
    elif known is None or is_same_file(folder / CONFIG, given):  # which may be somebody's own, and tells of no training
        check_nothing_foreign(config, folder)
    if first:
        for file in products(config, folder):
            check_writable(file)
        if state:
            kept_rows(folder / LOG, state["step"], config.schedule.log_every)
    return state is not None


def kept_config(folder: Path) -> RunConfig | None:
    """The config of the training in a folder; None where there is none. InputError where `config.json` is something else."""
    path = folder / CONFIG
    if not path.exists():
        return None
    try:
        return read_config(path)
    except InputError as error:
        raise InputError(path, f"is no training's ({error})", ELSEWHERE) from None


def check_same(config: RunConfig, known: RunConfig | None, path: Path) -> None:
    """InputError where a folder's training, `known` by the file `path`, is of another config: resumed under this one, the card
    would tell of settings that it was not made with. Entries that the older file lacks count as the defaults."""
    if known is not None and (differ := differences(known, config)):
        raise InputError(path, f"is of another training ({differ})", "give the same config, or another --out")


def check_about(config: RunConfig, data: dict, known: RunConfig | None, about: dict, path: Path) -> None:
    """InputError where the checkpoint at `path` says that it is of another training. Those of an earlier version say nothing:
    what `config.json` says counts, and must be there."""
    if "config" in about:
        check_same(config, config_of(about["config"], path), path)
    elif known is None:
        raise InputError(path, f"does not say which config it was trained by, and there is no {CONFIG} beside it",
                         f"restore that, or {AFRESH}")
    old = about["data"] if "data" in about else _data_of_card(path.with_name(f"{config.name}.json")) or data
    try:
        differ = ", ".join(f"{role}: then {old[role]['pictures']} pictures, now {new['pictures']}" for role, new in data.items()
                           if old[role] != new)
    except (KeyError, TypeError):
        raise InputError(path, "is no checkpoint of a training", AFRESH) from None
    if differ:
        raise InputError(path, f"was trained on pictures of other names or sizes ({differ})",
                         "give the same pictures, or another --out")


def _data_of_card(card: Path) -> dict | None:
    """What a finished training's card says of its pictures; None where there is no such card."""
    try:
        return json.loads(card.read_text(encoding="utf-8"))["data"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def check_nothing_foreign(config: RunConfig, folder: Path) -> None:
    """InputError where a folder without a training holds a file of a name that this one would write."""
    for file in products(config, folder):
        if file.exists():
            raise InputError(file, "is of no training that could go on here", ELSEWHERE)
