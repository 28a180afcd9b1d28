"""Sixty pairs by every arm of the experiment on published networks, by three unrelated judges (notebook 03).

    python benchmarks/substitution.py EVAL_FOLDER

EVAL_FOLDER as for benchmarks/yardstick.py. The arms' weights are read from runs/published, where benchmarks/sweep.py leaves
them; arms that are not there keep their recorded rows. Writes data/runs/published/judged.json: for every arm and judge a row
of values, one for each pair, for every seed.
"""

import json
import sys
from pathlib import Path

import yardstick

import stvae_lib as st
from stvae_lib.files import write_text
from stvae_lib.provenance import environment

ROOT = Path(__file__).resolve().parent.parent
WEIGHTS, OUT = ROOT / "runs" / "published", ROOT / "data" / "runs" / "published" / "judged.json"
STAGE = "-2-transform"
MEASURES = ("style", "texture", "kept", "find_t", "find_c")


def seeds() -> dict[str, list[Path]]:
    """Weights of every arm, its seeds in order."""
    files = sorted(WEIGHTS.glob(f"s*{STAGE}/*{STAGE}.safetensors"))
    found = {}
    for file in files:
        found.setdefault(file.stem.removesuffix(STAGE).split("-", 1)[1], []).append(file)
    return found


def judged(folder: Path, files: list[Path]) -> dict:
    """{judge: {measure: a row of values for every file}} of one arm."""
    judges = yardstick.module(folder / "judges.py")
    methods = {str(file): st.load(file).stylize for file in files}
    rows = yardstick.judge_all(judges, folder / "set", methods, sizes=(yardstick.SIZE,))
    return {judge: {measure: [[round(value, 4) for value in rows[file][judge][measure]] for file in methods]
                    for measure in MEASURES} for judge in judges.JUDGES}


def main(folder: Path) -> None:
    arms = json.loads(OUT.read_text())["arms"] if OUT.exists() else {}
    for arm, files in seeds().items():
        arms[arm] = judged(folder, files)
        print(arm, {judge: round(float(sum(values["style"][0]) / len(values["style"][0])), 3)
                    for judge, values in arms[arm].items()}, flush=True)
    pairs = json.loads((folder / "set" / "pairs.json").read_text())
    write_text(OUT, json.dumps({"pairs": pairs, "arms": arms, "provenance": environment("cpu")}) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
