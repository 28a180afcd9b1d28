"""How far a model that was trained on is from the shipped one of the same name, on sixty pairs by three unrelated judges.

    python benchmarks/further.py EVAL_FOLDER WEIGHTS RECORD

WEIGHTS is a model's file as `stvae train vlt` leaves it, RECORD the folder that keeps its config, log and card (as
data/runs/vgg16-half-third, a stage that was not kept). Both are drawn at 256 pixels and finished as they finish. Writes
RECORD/judged.json: means of both, and paired differences with intervals clustered over contents and styles.
"""

import argparse
import json
from pathlib import Path

import yardstick

import stvae_lib as st
from stvae_lib.files import write_text
from stvae_lib.provenance import environment, sha256


def compared(folder: Path, weights: Path) -> dict:
    """Means of the shipped model and of the one trained on, by judge and measure, and differences, the latter less the former."""
    root = folder / "set"
    pairs = json.loads((root / "pairs.json").read_text())
    models = {"shipped": st.load(weights.stem, "cpu"), "further": st.load(weights, "cpu")}
    rows = yardstick.judge_all(yardstick.module(folder / "judges.py"), root,
                               {name: model.stylize for name, model in models.items()}, sizes=(yardstick.SIZE,))
    return {"pairs": len(pairs), "means": {name: yardstick.means(found) for name, found in rows.items()},
            "differences": yardstick.differences(rows["further"], rows["shipped"], pairs)}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=yardstick.eval_folder, metavar="EVAL_FOLDER")
    parser.add_argument("weights", type=Path, metavar="WEIGHTS")
    parser.add_argument("record", type=Path, metavar="RECORD")
    given = parser.parse_args()
    files = {"shipped": st.weights.find(given.weights.stem), "further": given.weights}
    made = {"command": "python benchmarks/further.py EVAL_FOLDER WEIGHTS RECORD", **compared(given.folder, given.weights),
            "provenance": environment("cpu") | {"weights": {name: sha256(file)[:16] for name, file in files.items()}}}
    write_text(given.record / "judged.json", json.dumps(made, indent=1) + "\n")
    print(json.dumps(made["means"], indent=1))
