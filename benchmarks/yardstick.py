"""Score models on sixty pairs by three unrelated judges, beside published methods, with paired intervals.

    python benchmarks/yardstick.py EVAL_FOLDER [--changed | MODEL …]

EVAL_FOLDER holds judges.py and set/ (pairs.json, content/, style/, reference.json with every pair's figures of published
methods), and the older twenty pairs (pairs.json, inputs/, score.py, reference.json), kept for continuity. Without models
all shipped ones are scored and benchmarks/yardstick.json is written, with --changed only those whose weights are not the
recorded ones (the others keep their rows); with models their rows are only printed.
"""

import argparse
import importlib.util
import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch

import stvae_lib as st
from stvae_lib.baselines.statistics import adain, wct
from stvae_lib.evaluation.intervals import crossed
from stvae_lib.model.stvae import STVAE
from stvae_lib.model.weights import SHIPPED
from stvae_lib.pictures.images import resized
from stvae_lib.pictures.palette import finished, palette_of
from stvae_lib.provenance import environment, sha256
from stvae_lib.report.yardstick import COLOURS, DRAWN, EXCHANGED, FINISHED, RECOLOURED

HERE = Path(__file__).resolve().parent
SIZE, LARGER = 256, 384  # working sizes; a larger one is shrunk to the first before it is judged
PEERS_SIZE = 512  # of the pictures by published methods that are there to be looked at
PEERS = ("microast", "magenta", "microast@384")
MEASURES = ("style", "texture", "content", "kept", "find_s", "find_t", "find_c")
JUDGE_OF = {"vgg16": "vgg16", "vgg19-slim-features": "vgg19d", "vgg19_16x_relu5_1.safetensors": "vgg19d"}  # of a loss network


def module(path: Path):
    """A script of the evaluation folder as a module."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


def methods_of(name: str) -> dict:
    """How a model is scored: stylised at z = mu, or, for an autoencoder, AdaIN and WCT in it. One that finishes its pictures,
    also without that, finished with nothing of the photograph blended in, and, as a control, finished in the style's colours
    with red and blue exchanged."""
    model = st.load(name, "cpu")
    if isinstance(model, STVAE):
        methods = {name: lambda content, style: model.stylize(content, style)}
        if model.photo_share is None:
            return methods

        def drawn(content, style):
            return model.stylize(content, style, clamp=False).clamp(0, 1)

        def finished_by(of_style, share):
            return lambda content, style: finished(drawn(content, style), content, palette_of(of_style(style)), share)

        return methods | {DRAWN + name: drawn, COLOURS + name: finished_by(lambda style: style, 0.0),
                          EXCHANGED + name: finished_by(lambda style: style.flip(1), model.photo_share)}
    return {f"AdaIN in {name}": lambda content, style: adain(content, style, model)[0],
            f"WCT in {name}": lambda content, style: wct(content, style, model)[0]}


def recoloured(content: torch.Tensor, style: torch.Tensor) -> torch.Tensor:
    """The photograph in all of the style's colours, and nothing drawn: how far finishing goes alone."""
    return finished(content, content, palette_of(style), 0.0)


@torch.no_grad()
def draw(judges, root: Path, method, size: int, out: Path) -> None:
    """Every pair's output `NNN.png` at 256 pixels, stylised at `size` and shrunk."""
    judges.SIDE = size
    out.mkdir()
    for index, (content, style) in enumerate(json.loads((root / "pairs.json").read_text())):
        output = method(judges.load(root / "content" / content), judges.load(root / "style" / style))
        if size != SIZE:
            output = resized(output, (SIZE, SIZE))
        st.save_image(output, out / f"{index:03d}.png")
    judges.SIDE = SIZE


def judge_all(judges, root: Path, methods: dict, sizes=(SIZE, LARGER)) -> dict:
    """{"method" or "method@size": {judge: {measure: one value per pair}}}."""
    with tempfile.TemporaryDirectory() as folder:
        folders = {}
        for name, method in methods.items():
            for size in sizes:
                label = name if size == SIZE else f"{name}@{size}"
                folders[label] = Path(folder) / str(len(folders))
                draw(judges, root, method, size, folders[label])
        found = {label: {} for label in folders}
        for judge, network in judges.JUDGES.items():
            rows = judges.judge(network(), root, list(folders.values()))
            for label, out in folders.items():
                found[label][judge] = dict(zip(MEASURES, rows[str(out)].T.tolist()))
    return found


def set_of(root: Path, pairs: list, folder: Path) -> None:
    """Make a folder a set of some pairs, as judges.py reads it: these alone decide its units, and what is found among what."""
    for part in ("content", "style"):
        (folder / part).symlink_to((root / part).resolve())
    (folder / "pairs.json").write_text(json.dumps(pairs))


def means(rows: dict) -> dict:
    """Per-pair figures of one method as means, by judge and measure."""
    return {judge: {measure: round(float(np.mean(values)), 4) for measure, values in measures.items()}
            for judge, measures in rows.items()}


def differences(rows: dict, peer: dict, pairs: list) -> dict:
    """Paired differences method - peer: [mean, half-width of its 95 % interval, n], clustered over contents and styles."""
    contents, styles = zip(*pairs)

    def interval(values, others):
        found = crossed(np.subtract(values, others), contents, styles)
        return [round(found.mean, 4), round(found.half, 4), found.n]

    return {judge: {measure: interval(values, peer[judge][measure]) for measure, values in measures.items()}
            for judge, measures in rows.items()}


def sixty(folder: Path, methods: dict) -> dict:
    """Rows of this project's methods and of published ones on the sixty pairs, and the differences between them."""
    root, judges = folder / "set", module(folder / "judges.py")
    pairs, reference = (json.loads((root / f"{name}.json").read_text()) for name in ("pairs", "reference"))
    ours = judge_all(judges, root, methods)
    published = {name: reference[name] for name in ("content", "style", *PEERS)}
    peers = {name: published[name] for name in PEERS} | {RECOLOURED: ours[RECOLOURED]}
    return {"pairs": len(pairs), "measures": MEASURES, "ours": {name: means(rows) for name, rows in ours.items()},
            "published": {name: means(rows) for name, rows in published.items()},
            "differences": {name: {peer: differences(rows, of_peer, pairs) for peer, of_peer in peers.items() if peer != name}
                            for name, rows in (ours | published).items()},
            "finishing": {name: {kind: differences(ours[kind + name], ours[DRAWN + name], pairs)
                                 for kind in ("", COLOURS, EXCHANGED)} for name in ours if DRAWN + name in ours}}


@torch.no_grad()
def peers_finished(folder: Path, name: str) -> dict:
    """Pictures of published methods (JPEG files of 512 pixels) as they are and finished as the model `name` finishes its own,
    beside its own drawn at the same size, all shrunk to 256, on the pairs whose pictures are there: means, what finishing
    changes, and the model less every peer that is finished too."""
    judges, model = module(folder / "judges.py"), st.load(name, "cpu")
    numbers = sorted({int(file.name[:3]) for file in (folder / "set" / "peers").iterdir()})
    pairs = [json.loads((folder / "set" / "pairs.json").read_text())[number] for number in numbers]

    def of_peer(peer: str, finish: bool):
        files = iter([folder / "set" / "peers" / f"{number:03d}_{peer}.jpg" for number in numbers])

        def method(content, style):
            picture = judges.load(next(files))
            return finished(picture, content, palette_of(style), model.photo_share) if finish else picture

        return method

    peers = {f"{peer}{FINISHED if finish else ''}": of_peer(peer, finish)
             for peer in ("microast", "magenta") for finish in (False, True)}
    with tempfile.TemporaryDirectory() as few:
        set_of(folder / "set", pairs, Path(few))
        judged = judge_all(judges, Path(few), {name: methods_of(name)[name]} | peers, (PEERS_SIZE,))
    rows = {label.removesuffix(f"@{PEERS_SIZE}"): row for label, row in judged.items()}
    gains = {label: differences(rows[label], rows[label.removesuffix(FINISHED)], pairs) for label in rows if FINISHED in label}
    ahead = {label: differences(rows[name], rows[label], pairs) for label in gains}
    return {"pairs": len(pairs), "size": PEERS_SIZE, "rows": {label: means(row) for label, row in rows.items()}, "gains": gains,
            "ahead": ahead}


@torch.no_grad()
def twenty(folder: Path, methods: dict, models: list[str]) -> dict:
    """The older twenty pairs: means of six columns, by the distilled VGG-19 and by its sibling."""
    reference = json.loads((folder / "reference.json").read_text())
    labels = {name: f"{name}, z = mu" if name in models else name for name in methods}
    return {"columns": reference["columns"], "published": reference["rows"],
            "ours": {labels[name]: twenty_row(folder, method) for name, method in methods.items()}}


def twenty_row(folder: Path, method) -> list[float]:
    """One method's six means on the twenty pairs."""
    pairs = json.loads((folder / "pairs.json").read_text())
    with tempfile.TemporaryDirectory() as out:
        for index, names in enumerate(pairs):
            content, style = (st.load_image(folder / "inputs" / name) for name in names)
            st.save_image(method(content, style), Path(out) / f"{index:02d}.png")
        return [round(float(value), 4) for value in module(folder / "score.py").score(out).mean(0)]


def main(folder: Path, names: list[str]) -> dict:
    methods = {label: method for name in names for label, method in methods_of(name).items()} | {RECOLOURED: recoloured}
    return {"command": "python benchmarks/yardstick.py EVAL_FOLDER", **twenty(folder, methods, names),
            "sixty": sixty(folder, methods),
            "peers_finished": {name: peers_finished(folder, name) for name in names if DRAWN + name in methods},
            "own_judge": {name: JUDGE_OF.get(loss_network(name)) for name in names},
            "provenance": environment("cpu") | {"weights": {name: sha256(st.weights.find(name))[:16] for name in names}}}


def loss_network(name: str) -> str:
    """The loss network that a model was trained with, from its card."""
    recipe = json.loads(st.weights.describe(name))["recipe"]
    return recipe.get("loss_network", st.weights.LOSS_NETWORK)


def unchanged(record: dict) -> list[str]:
    """Shipped models that were scored with the weights that they have now."""
    return [name for name, known in record["provenance"]["weights"].items()
            if name in SHIPPED and sha256(st.weights.find(name)).startswith(known)]


def with_kept(results: dict, record: dict, names: list[str]) -> dict:
    """Results with the recorded rows of some models before their own."""
    def joined(new, old, labels):
        return {label: row for label, row in old.items() if label in labels} | new

    labels = {label for name in names for label in methods_of(name)}
    sizes = labels | {f"{label}@{LARGER}" for label in labels}
    sixty, old = results["sixty"], record["sixty"]
    return results | {
        "ours": joined(results["ours"], record["ours"], labels | {f"{name}, z = mu" for name in names}),
        "sixty": sixty | {part: joined(sixty[part], old.get(part, {}), sizes) for part in ("ours", "differences", "finishing")},
        "peers_finished": joined(results["peers_finished"], record.get("peers_finished", {}), names),
        "own_judge": joined(results["own_judge"], record["own_judge"], names),
        "provenance": results["provenance"] | {"weights": joined(results["provenance"]["weights"],
                                                                 record["provenance"]["weights"], names)}}


def show(results: dict) -> None:
    """A line per method and judge."""
    for name, rows in (results["sixty"]["ours"] | results["sixty"]["published"]).items():
        for judge, measures in rows.items():
            print(f"{name:40s} {judge:9s}", "  ".join(f"{measure} {value:.3f}" for measure, value in measures.items()))


def eval_folder(text: str) -> Path:
    """EVAL_FOLDER of a command line, as argparse's `type`."""
    folder = Path(text)
    for name in ("judges.py", "set/pairs.json"):
        if not (folder / name).is_file():
            raise argparse.ArgumentTypeError(f"{folder} holds no {name}: name the folder of the yardstick's pictures and judges")
    return folder


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=eval_folder, metavar="EVAL_FOLDER")
    parser.add_argument("models", nargs="*", metavar="MODEL", help="only shown, not recorded; all where none is named")
    parser.add_argument("--changed", action="store_true", help="keep recorded rows whose weights are the same")
    given = parser.parse_args()
    models = given.models
    if given.changed:
        recorded = json.loads((HERE / "yardstick.json").read_text())
        kept = unchanged(recorded)
        models = [name for name in SHIPPED if name not in kept] or sys.exit("all rows are of the weights as they are")
    results = main(given.folder, models or list(SHIPPED))
    show(results)
    if given.changed:
        results = with_kept(results, recorded, kept)
    if given.changed or not given.models:
        (HERE / "yardstick.json").write_text(json.dumps(results, indent=1) + "\n")
