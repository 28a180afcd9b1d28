"""Models by name or path. Weights are safetensors that carry their architecture; a JSON card lies beside each."""

import json
import reprlib
import warnings
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch

from ..errors import InputError
from ..files import check_readable
from ..losses import FeatureDistances
from .backbones import BACKBONES
from .backbones.vgg import VGG
from .storage import check_finite, half, load_tensors, read_checkpoint, read_tensors, write_tensors
from .stvae import STVAE, AutoEncoder
from .vlt import VLT

FOLDER = Path(__file__).resolve().parents[2] / "data" / "weights"
SHIPPED = ("vgg16-half", "vgg19-slim", "vgg19-slim-film", "resnet50-slim", "vgg19-slim-paper", "vgg19-slim-released",
           "vgg19-slim-autoencoder", "vgg16-half-autoencoder")
FEATURES = ("vgg19-slim-features", "resnet50-slim-features")
LOSS_NETWORK = FEATURES[0]
FULL = tuple(BACKBONES)
TRAINED_PARTS = ("encoder.adapter.", "encoder.components.", "encoder.activation_")  # of an encoder whose rest was published


def pick_device(device: str = "auto") -> torch.device:
    """"auto" is the GPU where there is one. InputError on a name that torch does not know or have, or that cannot compute
    ("meta")."""
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        with warnings.catch_warnings(action="ignore"):  # what torch says of names that it is about to forget
            probe = torch.ones(1, device=device)
            probe.cpu()
        return probe.device
    except (RuntimeError, AssertionError):
        raise InputError(f"device {device!r}", "is not available here", "use auto, cpu or cuda") from None


def load(name="vgg19-slim", device: str = "auto", checkpoint=None) -> AutoEncoder:
    """A model ready to use: shipped name, full-width name, or a path to a `.safetensors` file.

    A file of full width leaves its published encoder out; it is fetched once, from wherever the file says. A full-width
    name loads the file `checkpoint` and insists on that backbone.
    Returns an STVAE, or an AutoEncoder for the pretrained autoencoder alone, in eval mode on `device`.
    """
    target = pick_device(device)
    model = read_model(full_width_file(str(name), checkpoint) if str(name) in FULL else find(name))
    return model.eval().requires_grad_(False).to(target, memory_format=torch.channels_last)


def load_stvae(name, device: str = "auto") -> STVAE:
    """The same for a model that stylises; InputError on an autoencoder alone."""
    model = load(name, device)
    if not isinstance(model, STVAE):
        raise InputError(name, "is an autoencoder without a style transform", "use vgg19-slim")
    return model


def find(name) -> Path:
    """Weights file of a shipped name, or the path given; InputError on anything else."""
    if name in SHIPPED + FEATURES:
        return FOLDER / f"{name}.safetensors"
    path = Path(name)
    if path.suffix != ".safetensors":
        raise InputError(name or "a model without a name", "is no known model",
                         f"use one of {', '.join(SHIPPED + FULL)} or a .safetensors file")
    return path


def given_files(*names) -> list[Path]:
    """The files among names of models and networks (None for one that is not given): what no result must replace."""
    return [find(name) for name in names if name in SHIPPED + FEATURES or str(name).endswith(".safetensors")]


def full_width_file(name: str, checkpoint) -> Path:
    """The file with the trained parts of a full-width model; InputError without one, or where it names another backbone."""
    if checkpoint is None:
        BACKBONES[name].pretrained()
        raise InputError(f"model {name!r}", "has a published encoder but no trained transform and decoder",
                         "use vgg16-half, or train them with `stvae train` (in Python: checkpoint=FILE.safetensors)")
    _, architecture = read_tensors(checkpoint)
    if (architecture.get("backbone"), architecture.get("width")) != (name, BACKBONES[name].pretrained_width):
        raise InputError(checkpoint, f"was not trained on the published {name}", "load it by its path alone")
    return Path(checkpoint)


def build(architecture: dict, encoder=None):
    """An untrained model from its description: backbone, width, variant (or None), and the VLT's options."""
    backbone, options = BACKBONES[architecture["backbone"]], architecture.get("backbone_options", {})
    own_encoder, decoder = backbone.build(architecture["width"], architecture.get("decoder_parameters"), **options)
    encoder = encoder if encoder is not None else own_encoder
    if architecture["variant"] is None:
        return AutoEncoder(encoder, decoder)
    vlt = VLT[architecture["variant"]](encoder, decoder, **architecture["options"])
    return STVAE(encoder, vlt, decoder, architecture.get("photo_share"))


def untrained(name, **changes) -> AutoEncoder:
    """A model of the same architecture as a file's (by name or path), with random weights. changes: to its description,
    as `variant=None` for encoder and decoder alone."""
    _, architecture = read_tensors(find(name))
    with as_described(name):
        return build(architecture | changes)


@contextmanager
def as_described(path):
    """InputError about a file where what is done by its description fails: it is somebody else's, and may hold anything."""
    try:
        yield
    except (RuntimeError, LookupError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
        first = (str(error).strip().splitlines() or [type(error).__name__])[-1].strip()
        raise InputError(path, f"does not fit the model it names ({first})", "get the file again") from None


def read_model(path: Path, encoder=None) -> AutoEncoder:
    """Build and fill the model of a file. Parts that the file does not hold come from its `base` model, and its encoder
    from `encoder` or, at full width, from where it was published."""
    tensors, architecture = read_with_base(path)
    if "features" in architecture:
        raise InputError(path, "holds an encoder alone", "use a model such as vgg19-slim")
    with as_described(path):
        if encoder is None and lacks_encoder(tensors, architecture):
            encoder = published_encoder(architecture)
        if encoder is not None:  # what the file holds of it, such as an adapter, was trained along
            tensors = {f"encoder.{key}": value for key, value in encoder.state_dict().items()} | tensors
        with torch.device("meta"):  # before a description that is not the file's own takes the memory that it claims
            planned = build(architecture, encoder).state_dict()
        check_shapes(tensors, planned, path)
        model = build(architecture, encoder)
        model.load_state_dict(tensors)
    return model.eval()


def check_shapes(tensors: dict, planned: dict, path) -> None:
    """InputError unless a file's tensors are those, by name and shape, of the model that it names."""
    for key in sorted({*tensors, *planned}):
        if key not in tensors or key not in planned:
            raise InputError(path, f"does not fit the model it names ({key!r} is {'missing' if key in planned else 'unknown'})",
                             "get the file again")
        if tensors[key].is_floating_point() != planned[key].is_floating_point():
            raise InputError(path, f"does not fit the model it names ({key!r} is of {tensors[key].dtype})", "get the file again")
        if tensors[key].shape != planned[key].shape:
            raise InputError(path, f"does not fit the model it names ({key!r} is {tuple(tensors[key].shape)}, "
                                   f"not {tuple(planned[key].shape)})", "get the file again")


def read_with_base(path) -> tuple[dict[str, torch.Tensor], dict]:
    """Tensors of a file over those of its `base`, if it names one, and its architecture."""
    tensors, architecture = read_tensors(path)
    if architecture.get("base"):
        tensors = read_tensors(base_file(Path(path), architecture["base"]))[0] | tensors
    return tensors, architecture


def base_file(path: Path, base: str) -> Path:
    """The file that a model's metadata names as its base: beside the model's own or below, or shipped. InputError on a name
    that leads elsewhere (whoever made the file must not choose what else is read) or nowhere."""
    inside = Path(f"{path.parent / base}.safetensors")
    try:
        there = inside.exists()
        leads_out = Path(base).is_absolute() or not inside.resolve().is_relative_to(path.parent.resolve())
    except (ValueError, OSError):
        raise InputError(path, f"names a base that is no file name, {reprlib.repr(base)}", "get the file again") from None
    if leads_out:
        raise InputError(path, f"names a base outside its folder, {base!r}", "get the file again, or its base beside it")
    if not there and base not in SHIPPED:
        raise InputError(path, f"was trained on the base {base!r}, which is not beside it", f"put {inside.name} there")
    return inside if there else find(base)


def lacks_encoder(tensors: dict, architecture: dict) -> bool:
    """Whether a file of full width leaves the published part of its encoder out: all of it but `TRAINED_PARTS`."""
    rest = [key for key in tensors if key.startswith("encoder.") and not key.startswith(TRAINED_PARTS)]
    published = BACKBONES[architecture["backbone"]].pretrained_width
    return architecture["width"] == published and "variant" in architecture and not rest


def published_encoder(architecture: dict):
    """The encoder that a full-width architecture names, with its published weights (fetched once)."""
    options = architecture.get("backbone_options") or {}
    return BACKBONES[architecture["backbone"]].pretrained(architecture.get("encoder_weights"), **options)


def write_model(model: AutoEncoder, path, architecture: dict, card: dict, parts=("encoder", "decoder", "vlt")) -> dict:
    """Save as float16 safetensors what of a model begins with one of `parts`, with its card beside it; returns the card."""
    tensors = {key: value for key, value in model.state_dict().items() if key.startswith(tuple(parts))}
    return write_tensors(half(tensors), path, architecture, card)


def load_features(encoder, path) -> None:
    """Fill an encoder with distilled features from a file of recipe `encoder`; parts of the encoder that the file
    does not know (adapter, activation scales) keep their values. InputError where the two do not fit."""
    tensors = read_features(path)[0]
    try:
        encoder.load_state_dict({key: tensors.get(key, value) for key, value in encoder.state_dict().items()})
    except RuntimeError as error:
        raise InputError(path, f"does not fit the encoder ({str(error).strip().splitlines()[-1].strip()})",
                         "give features of the same backbone and options") from None


def read_features(path) -> tuple[dict[str, torch.Tensor], dict]:
    """Tensors and architecture of a file of recipe `encoder`; InputError on any other."""
    tensors, architecture = read_tensors(path)
    if "features" not in architecture or architecture.get("backbone") not in BACKBONES or "width" not in architecture:
        raise InputError(path, "holds no distilled features", "give what `stvae train encoder` wrote")
    return tensors, architecture


def features_architecture(name: str) -> dict:
    """Backbone, width and a student's options of a network with all its stages: of a file, or torchvision's by its
    backbone's name."""
    if name in FULL:
        return {"backbone": name, "width": BACKBONES[name].pretrained_width, "backbone_options": {}}
    return read_features(find(name))[1]


def features_network(name: str):
    """An encoder with all its stages, frozen: what `stvae train encoder` wrote, by name or path, or torchvision's by the
    name of its backbone."""
    if name in FULL:
        network = BACKBONES[name].pretrained(**BACKBONES[name].all_stages)
    else:
        architecture = features_architecture(name)
        with as_described(name):
            backbone, options = BACKBONES[architecture["backbone"]], architecture.get("backbone_options", {})
            network = backbone.student(architecture["width"], **options)
        load_features(network, find(name))
    return network.eval().requires_grad_(False).to(memory_format=torch.channels_last)


def loss_network(name: str = LOSS_NETWORK, last: str = "relu5_1") -> VGG:
    """Frozen feature extractor for losses: the shipped slim VGG-19, or `vgg19`/`vgg16` by torchvision,
    or a `.safetensors` file: ours, or a distilled VGG-19 in the layout of Collaborative-Distillation."""
    if name in FULL:
        network = BACKBONES[name].pretrained(last=last)
    else:
        network = _read_features(find(name), last)
    return network.eval().requires_grad_(False).to(memory_format=torch.channels_last)


def teacher(name: str):
    """A network to learn features from, with all its stages, frozen: a published one by the name of its backbone, or what
    `loss_network` takes."""
    return features_network(name) if name in FULL else loss_network(name)


def _read_features(path: Path, last: str) -> VGG:
    tensors = load_tensors(path)
    if "conv0.weight" in tensors:
        tensors = from_collaborative_distillation(tensors)
    network = VGG(19, "slim", last)
    wanted = network.state_dict()
    missing = sorted(set(wanted) - set(tensors))
    if missing:
        raise InputError(path, f"lacks {missing[0]}", f"use a network that reaches {last}")
    check_shapes({key: tensors[key] for key in wanted}, wanted, path)
    network.load_state_dict({key: tensors[key].float() for key in wanted})
    return network


def from_collaborative_distillation(tensors: dict) -> dict:
    """Key names of the distilled VGG-19 (`conv0`, `conv11`, …, Wang et al. 2020) to ours; `aux` layers dropped."""
    renamed = {}
    for key, value in tensors.items():
        layer, kind = key.split(".")
        if "aux" not in layer:
            name = "colour" if layer == "conv0" else f"conv{layer[4]}_{layer[5]}"
            renamed[f"{name}.{kind}"] = value
    return renamed


def feature_distances(name: str = LOSS_NETWORK, last: str = "relu4_1") -> FeatureDistances:
    """Distances by a loss network, to be calibrated on pictures of the caller's."""
    return FeatureDistances(loss_network(name, last))


def from_released(encoder, decoder, matrix) -> STVAE:
    """The authors' checkpoints (`vgg_r41.pth`, `dec_r41.pth`, `matrix_r41_new.pth`) as an STVAE of variant `released`.

    Each argument is a path or a state dict. The sizes of latent and matrix are read off the weights.
    Raises InputError on files that are no checkpoints or of another layout.
    """
    encoder, decoder, matrix = (_released_state(part) for part in (encoder, decoder, matrix))
    try:
        size, latent = matrix["compress.weight"].shape[0], matrix["VAE.bn.weight"].shape[0]
        model = build({"backbone": "vgg19", "width": "full", "variant": "released",
                       "options": {"matrix_size": size, "latent": latent}})
        names = ["colour"] + [name for name in model.encoder.layers if name != "pool"]
        state = {f"encoder.{name}.{kind}": encoder[f"conv{i}.{kind}"]
                 for i, name in enumerate(names, start=1) for kind in ("weight", "bias")}
        state |= {f"decoder.{name}.{kind}": decoder[f"conv{i}.{kind}"]
                  for i, name in enumerate(reversed(names[1:]), start=11) for kind in ("weight", "bias")}
        state |= {f"vlt.{_RELEASED_NAMES[key.rsplit('.', 1)[0]]}.{key.rsplit('.', 1)[1]}": value
                  for key, value in matrix.items()}
        model.load_state_dict(state)
        check_finite(state, "released checkpoints")
    except (KeyError, RuntimeError, AttributeError) as error:
        raise InputError("released checkpoints", f"have another layout ({str(error).splitlines()[-1].strip()})",
                         "give vgg_r41.pth, dec_r41.pth and matrix_r41_new.pth") from None
    return model.eval().requires_grad_(False)


_RELEASED_NAMES = {f"{net}.{layer}": f"{ours}.{layer}" for net, ours in (("snet", "style_branch"), ("cnet", "content_branch"))
                   for layer in ("convs.0", "convs.2", "convs.4", "fc")} | {
    "VAE.encode.0": "to_posterior", "VAE.bn": "norm", "VAE.decode.0": "from_latent.0", "VAE.decode.1": "from_latent.1",
    "VAE.decode.3": "from_latent.3", "compress": "linear.compress", "unzip": "linear.decompress"}


def _released_state(source) -> dict[str, torch.Tensor]:
    if not isinstance(source, dict):
        source = read_checkpoint(source, "check the path")
    return {key: torch.as_tensor(np.asarray(value)) if not torch.is_tensor(value) else value
            for key, value in source.items()}


def describe(name: str) -> str:
    """A model's card as JSON text."""
    if name in FULL:
        raise InputError(name, "has no card: only its encoder was published",
                         f"use one of {', '.join(SHIPPED + FEATURES)}, or a .safetensors file that you trained")
    path = find(name).with_suffix(".json")
    if not path.exists():
        raise InputError(path, "no such card", "a card lies beside every weights file that this project wrote")
    check_readable(path)
    try:
        text = path.read_text(encoding="utf-8").rstrip()
        json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(path, f"is no card ({type(error).__name__})", "get the model again with its card") from None
    return text


def describe_all() -> str:
    """A line for every shipped model."""
    rows = []
    for name in SHIPPED + FEATURES:
        card = json.loads(describe(name)) if (FOLDER / f"{name}.json").exists() else None
        if card:
            measured = ", ".join(f"{key} {value:.3g}" for key, value in card["validation"].items())
            rows.append(f"{name:24s} {card['parameters'] / 1e6:5.2f} M parameters  {card['bytes'] / 1e6:4.1f} MB  {measured}")
    return "\n".join(rows)
