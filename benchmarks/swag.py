"""The softmax's temperature as a dial: style transfer by optimisation through two published networks, with the entropy of
their activations set from peaky to flat and nothing else changed (notebook 03).

    python benchmarks/swag.py EVAL_FOLDER

EVAL_FOLDER as for benchmarks/yardstick.py; every fifth of its sixty pairs, at 128 pixels. A network's pictures are judged by
all three judges; the one that counts is of the other family. What both networks' activations are like, stage by stage, is
measured on the photographs of these pairs at 256 pixels. Writes data/runs/swag/judged.json.
"""

import argparse
import json
import tempfile
from pathlib import Path

import yardstick
from tqdm.auto import tqdm

import stvae_lib as st
from stvae_lib.analysis import activations
from stvae_lib.files import make_folder, write_text
from stvae_lib.model import weights
from stvae_lib.provenance import environment

OUT = Path(__file__).resolve().parent.parent / "data" / "runs" / "swag" / "judged.json"
SIZE, EVERY, ITERATIONS = 128, 5, 60
TEMPERATURES = (None, 0.25, 1.0, 4.0, 16.0)  # in standard deviations of each layer on the photograph; None: no softmax
NETWORKS = {"vgg16": ("relu4_1", ("relu1_1", "relu2_1", "relu3_1", "relu4_1")),
            "resnet50-half": ("layer2", ("conv1", "layer1", "layer2", "layer3"))}  # content layer, style layers


def stylised(network, layers, content, style, temperature):
    """A picture, and the entropy of the content layer of its photograph as the losses see it."""
    content_layer, style_layers = layers
    scaled = activations.Standardised(network, style_layers, content)
    picture, _ = activations.transfer(scaled, content, style, content_layer, style_layers, temperature, iterations=ITERATIONS)
    return picture, activations.entropy_seen(scaled, content_layer, content, temperature)


def subset(judges, root: Path, folder: Path) -> list:
    """Every fifth pair as a set of its own in `folder`; its pairs."""
    pairs = json.loads((root / "pairs.json").read_text())[::EVERY]
    yardstick.set_of(root, pairs, folder)
    judges.SIDE = SIZE
    return pairs


def stages(judges, root: Path, contents: list[str]) -> dict:
    """{network: {layer: {"entropy", "peak", "rank": one value for each photograph}}}, at 256 pixels."""
    judges.SIDE = 256
    photos = [judges.load(root / "content" / name) for name in contents]
    found = {label: activations.peakiness(weights.features_network(label), photos) for label in NETWORKS}
    return {label: {layer: {key: [round(value, 4) for value in values] for key, values in row.items()}
                    for layer, row in layers.items()} for label, layers in found.items()}


def main(root: Path) -> None:
    make_folder(OUT.parent, "choose a writable checkout")  # before the work
    judges, rows = yardstick.module(root / "judges.py"), []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        contents = sorted({content for content, _ in json.loads((root / "set" / "pairs.json").read_text())[::EVERY]})
        peaky = stages(judges, root / "set", contents)
        pairs = subset(judges, root / "set", folder)
        pictures = [[judges.load(folder / side / file) for side, file in zip(("content", "style"), pair)] for pair in pairs]
        for label, layers in NETWORKS.items():
            network = weights.features_network(label)
            for temperature in TEMPERATURES:
                out = folder / f"{label}-{temperature}"
                out.mkdir()
                entropies = []
                for index, pair in enumerate(tqdm(pictures, f"{label}, softmax at {temperature}", unit="pair")):
                    picture, entropy = stylised(network, layers, *pair, temperature)
                    st.save_image(picture, out / f"{index:03d}.png")
                    entropies.append(round(entropy, 4))
                rows.append({"network": label, "temperature": temperature, "entropy": entropies, "folder": out})
        for judge, network in judges.JUDGES.items():
            found = judges.judge(network(), folder, [row["folder"] for row in rows])
            for row in rows:
                values = found[str(row["folder"])].T.round(4).tolist()
                row[judge] = dict(zip(yardstick.MEASURES, values))
    rows = [{key: value for key, value in row.items() if key != "folder"} for row in rows]
    record = {"command": "python benchmarks/swag.py EVAL_FOLDER", "pairs": pairs, "size": SIZE, "iterations": ITERATIONS,
              "contents": contents, "rows": rows, "stages": peaky, "provenance": environment("cpu")}
    write_text(OUT, json.dumps(record) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=yardstick.eval_folder, metavar="EVAL_FOLDER")
    main(parser.parse_args().folder)
