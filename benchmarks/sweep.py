"""Train every arm of a controlled experiment, one after the other; finished arms are skipped.

    python benchmarks/sweep.py ARMS_FOLDER CONTENT_DIR LOSS_NETWORK STYLE_DIR [STYLE_DIR …]

ARMS_FOLDER is data/runs/ablations (notebook 02) or data/runs/resnet50 (notebook 03). An arm is one of its folders with
a config.json; its log.csv, card and contact sheet are written there, its checkpoint and weights stay in runs/. Arms are
trained in the order of their names, an arm after the one that its config names as base; an interrupted sweep resumes.
"""

import shutil
import sys
from pathlib import Path

from stvae_lib import runs


def main(arms: Path, content_dir: Path, loss_network: str, style_dirs: list[Path]) -> None:
    sources = runs.Sources(content_dir, style_dirs, loss_network)
    for arm in sorted(path.parent for path in arms.glob("*/config.json")):
        if (arm / "card.json").exists():
            continue
        config = runs.read_config(arm / "config.json")
        folder = Path("runs") / arms.name / arm.name
        card = runs.train(config, sources, folder, "cpu")
        print(arm.name, card["validation"], flush=True)
        for name in ("log.csv", "config.json", "sheet.jpg"):
            if (folder / name).exists():  # recipe `encoder` draws no sheet
                shutil.copy(folder / name, arm / name)
        shutil.copy(folder / f"{config.name}.json", arm / "card.json")  # last: it marks the arm as finished


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], [Path(name) for name in sys.argv[4:]])
