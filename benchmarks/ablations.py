"""Train every arm of notebook 02's ablations, one after the other; finished arms are skipped.

    python benchmarks/ablations.py CONTENT_DIR LOSS_NETWORK STYLE_DIR [STYLE_DIR …]

An arm is a folder of data/runs/ablations with a config.json; its log.csv, card and contact sheet are written there,
its checkpoint and weights stay in runs/ablations.
"""

import shutil
import sys
from pathlib import Path

from stvae_lib import runs

ARMS = Path(__file__).resolve().parent.parent / "data" / "runs" / "ablations"


def main(content_dir: Path, loss_network: str, style_dirs: list[Path]) -> None:
    sources = runs.Sources(content_dir, style_dirs, loss_network)
    for arm in sorted(path.parent for path in ARMS.glob("*/config.json")):
        if (arm / "card.json").exists():
            continue
        config = runs.read_config(arm / "config.json")
        folder = Path("runs") / "ablations" / arm.name
        card = runs.train(config, sources, folder, "cpu")
        print(arm.name, card["validation"], flush=True)
        shutil.copy(folder / f"{config.name}.json", arm / "card.json")
        for name in ("log.csv", "config.json", "sheet.jpg"):
            shutil.copy(folder / name, arm / name)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], [Path(name) for name in sys.argv[3:]])
