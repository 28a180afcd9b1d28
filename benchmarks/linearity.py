"""Is mixing linear? Paths between twenty distinct pairs of styles, by four kinds of interpolation (notebook 05).

    python benchmarks/linearity.py [--pairs 20] [--size 192]

Writes data/runs/linearity/card.json: for every kind and pair, along the path, the style distance to both ends, the
perceptual step from each picture to the next, and how much of the middle picture is a cross-fade of the ends.
"""

import argparse
import itertools
import json
import time
from pathlib import Path

import numpy as np

import stvae_lib as st
from stvae_lib import weights
from stvae_lib.analysis.interpolation import KINDS, follow
from stvae_lib.files import write_text
from stvae_lib.pictures import datasets
from stvae_lib.pictures.images import list_images
from stvae_lib.provenance import environment

OUT = Path(__file__).resolve().parent.parent / "data" / "runs" / "linearity"
POINTS = 9


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=20)
    parser.add_argument("--size", type=int, default=192)
    given = parser.parse_args()
    began, rng = time.perf_counter(), np.random.default_rng(0)
    files = list_images(datasets.GENERATED_STYLES)
    styles = {file.stem: st.load_image(file, given.size) for file in files}
    photos = {name: datasets.sample_photo(name, given.size) for name in datasets.SAMPLE_PHOTOS}
    distances = weights.feature_distances().calibrate([*photos.values(), *styles.values()])
    models = {name: st.load("vgg19-slim-autoencoder" if name == "AdaIN" else "vgg19-slim", "cpu") for name in KINDS}
    every = list(itertools.combinations(styles, 2))
    chosen = rng.choice(len(every), given.pairs, replace=False)
    rows = []
    for number, (first, second) in enumerate(every[index] for index in chosen):
        content = list(photos)[number % len(photos)]
        for name, kind in KINDS.items():
            path = follow(kind, models[name], distances, photos[content], styles[first], styles[second], POINTS)
            rows.append({"kind": name, "pair": number, "content": content, "first": first, "second": second} | path)
        print(f"pair {number + 1} of {given.pairs}: {content}, {first} to {second}", flush=True)
    card = {"size": given.size, "pairs": given.pairs, "points": POINTS, "rows": rows,
            "seconds": round(time.perf_counter() - began, 1), "provenance": environment("cpu")}
    OUT.mkdir(parents=True, exist_ok=True)
    write_text(OUT / "card.json", json.dumps(card) + "\n")


if __name__ == "__main__":
    main()
