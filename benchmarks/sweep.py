"""Train every arm of a controlled experiment; finished arms are skipped.

    python benchmarks/sweep.py ARMS_FOLDER CONTENT_DIR STYLE_DIR [STYLE_DIR …] [--only PATTERN …]
                               [--scheduler local|ADDRESS] [--workers N]

ARMS_FOLDER is data/runs/ablations (notebook 02) or data/runs/resnet50 (notebook 03). An arm is one of its folders with
a config.json; its log.csv, card and contact sheet are written there, its checkpoint and weights stay in runs/. Arms are
trained one after the other, or by Dask several at a time (the extra `cluster`), an arm after the one that its config names as
base. An interrupted sweep, and the arm of a worker that died, go on from the last checkpoint.
Workers elsewhere must see this folder under the same path.
"""

import argparse
import contextlib
import fnmatch
import graphlib
import shutil
import sys
from pathlib import Path

from stvae_lib import cluster
from stvae_lib.arguments import whole
from stvae_lib.errors import InputError
from stvae_lib.training import experiment
from stvae_lib.training.loop import TrainingDiverged


def train_arm(arm: Path, sources: experiment.Sources, root: Path) -> str:
    """Train an arm from the folder `root`, to which its base is relative; returns a line that says what came out. Nothing else
    may train in this process meanwhile."""
    with cluster.ALONE, contextlib.chdir(root):
        folder = Path("runs") / arm.parent.name / arm.name
        try:
            config = experiment.read_config(arm / "config.json")
            card = experiment.train(config, sources, folder, "cpu")
        except (InputError, TrainingDiverged) as error:
            return f"failed: {error}"
        for name in ("log.csv", "config.json", "sheet.jpg"):
            if (folder / name).exists():  # recipe `encoder` draws no sheet
                shutil.copy(folder / name, arm / name)
        shutil.copy(folder / f"{config.name}.json", arm / "card.json")  # last: it marks the arm as finished
        return str(card["validation"])


def base_of(arm: Path) -> str:
    """Name of the arm, or of another file, that a config names as base; empty where it names none, or is none."""
    try:
        return Path(experiment.read_config(arm / "config.json").base or "").stem
    except InputError:  # it will be told when its turn comes
        return ""


def in_order(arms: list[Path]) -> tuple[list[Path], dict[int, list[int]]]:
    """Arms with each after its base, and, by number, which one an arm has to wait for."""
    named = {arm.name: arm for arm in arms}
    bases = {arm.name: {base_of(arm)} & named.keys() for arm in arms}
    names = list(graphlib.TopologicalSorter(bases).static_order())
    return [named[name] for name in names], {number: [names.index(base) for base in bases[name]]
                                             for number, name in enumerate(names) if bases[name]}


def main(given) -> int:
    configs = sorted(given.arms.glob("*/config.json"))
    unfinished = [path.parent.resolve() for path in configs if not (path.parent / "card.json").exists()]
    if not configs:
        raise InputError(given.arms, "holds no folders with a config.json", "give a folder of arms, as data/runs/published")
    arms, after = in_order([arm for arm in unfinished if any(fnmatch.fnmatch(arm.name, pattern) for pattern in given.only)])
    sources = experiment.Sources(given.content_dir.resolve(), [folder.resolve() for folder in given.style_dirs])
    tasks, failed = [(arm, sources, Path.cwd()) for arm in arms], 0
    if given.scheduler:
        cluster.check_installed()
        ended = cluster.results(train_arm, tasks, given.scheduler, given.workers, after)
    else:
        ended = ((number, train_arm(*task), None) for number, task in enumerate(tasks))
    for number, said, lost in ended:
        said = said or f"failed: {type(lost).__name__}: {lost}"
        failed += said.startswith("failed")
        print(arms[number].name, said, flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("arms", type=Path)
    parser.add_argument("content_dir", type=Path)
    parser.add_argument("style_dirs", type=Path, nargs="+")
    parser.add_argument("--only", nargs="+", default=["*"], metavar="PATTERN", help="names of arms, * allowed")
    parser.add_argument("--scheduler", metavar="WHERE", help="several arms at a time by Dask: `local`, or a scheduler's address")
    parser.add_argument("--workers", type=whole(1, 1024), metavar="N", help="processes of --scheduler local (one a core)")
    try:
        sys.exit(main(parser.parse_args()))
    except InputError as error:
        sys.exit(f"sweep: {error}")
