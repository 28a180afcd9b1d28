"""Train every arm of a controlled experiment, one after the other; finished arms are skipped.

    python benchmarks/sweep.py ARMS_FOLDER CONTENT_DIR STYLE_DIR [STYLE_DIR …] [--only PATTERN …]

ARMS_FOLDER is data/runs/ablations (notebook 02) or data/runs/resnet50 (notebook 03). An arm is one of its folders with
a config.json; its log.csv, card and contact sheet are written there, its checkpoint and weights stay in runs/. Arms are
trained in the order of their names, an arm after the one that its config names as base; an interrupted sweep resumes.
"""

import argparse
import fnmatch
import shutil
from pathlib import Path

from stvae_lib.training import experiment


def main(arms: Path, sources: experiment.Sources, only: list[str]) -> None:
    for arm in sorted(path.parent for path in arms.glob("*/config.json")):
        if (arm / "card.json").exists() or not any(fnmatch.fnmatch(arm.name, pattern) for pattern in only):
            continue
        config = experiment.read_config(arm / "config.json")
        folder = Path("runs") / arms.name / arm.name
        card = experiment.train(config, sources, folder, "cpu")
        print(arm.name, card["validation"], flush=True)
        for name in ("log.csv", "config.json", "sheet.jpg"):
            if (folder / name).exists():  # recipe `encoder` draws no sheet
                shutil.copy(folder / name, arm / name)
        shutil.copy(folder / f"{config.name}.json", arm / "card.json")  # last: it marks the arm as finished


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("arms", type=Path)
    parser.add_argument("content_dir", type=Path)
    parser.add_argument("style_dirs", type=Path, nargs="+")
    parser.add_argument("--only", nargs="+", default=["*"], metavar="PATTERN", help="names of arms, * allowed")
    given = parser.parse_args()
    main(given.arms, experiment.Sources(given.content_dir, given.style_dirs), given.only)
