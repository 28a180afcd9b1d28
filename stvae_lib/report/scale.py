"""What the benchmarks of size and of bad luck say: a list for README, and the book's chapter on large pictures, large folders
and many machines, with its figures."""

from collections import Counter
from pathlib import Path
from string import Template

from . import figures
from .archive import read_benchmark

KINDS = {"traceback": "tracebacks", "hang": "hangs", "partial": "partial files"}  # named also where there are none
RARER = {"crash": "crashes", "talkative": "remarks beside the result", "unclear": "other endings"}
MILLION, CORES = 10**6, 100
TIMED = "512 px (ms)"  # the column of benchmarks/sizes.json that models are compared by


def others(rows: list[dict]) -> str:
    """How many commands ended in none of the two good ways, by kind."""
    counts = Counter(row["what"] for row in rows)
    rare = [name for name in RARER if counts[name]]
    return ", ".join(f"{counts[name]} {(KINDS | RARER)[name]}" for name in [*KINDS, *rare])


def withstands() -> str:
    """What the command withstood, as a list."""
    record, folders = read_benchmark("withstands"), read_benchmark("folders")
    return "\n".join(f"- {line}" for line in (*pictures(record["pictures"]), models(record["models"]),
                                              *trainings(record["trainings"]), *folders_lines(folders), *tiles_lines()))


def pictures(record: dict) -> list[str]:
    """Pillow's test images in both roles."""
    source = record["source"].capitalize()
    return [f"**{record['files']} test images of {source}**, many of them damaged, as {role}: {row['done']} drawn, "
            f"{row['refused']} refused in one line; {others(row['others'])}."
            for role, row in ((role, record[role]) for role in ("photograph", "style"))]


def models(record: dict) -> str:
    """Damaged weights."""
    return (f"**{record['tried']} damaged model files**: {record['refused']} refused in one line, {record['done']} still a whole "
            f"model; {others(record['others'])}; no more than {record['peak_memory_mb']} MB.")


def trainings(record: dict) -> list[str]:
    """Trainings killed, ended and out of room."""
    killed, ended, full = (record[name] for name in ("SIGKILL", "SIGTERM", "full disk"))

    def same(row):
        return f"{row['same_losses']} of {row['ended']} went on to the losses of an undisturbed training"

    return [f"**A training killed** by SIGKILL at {killed['kills']} random moments: {killed['checkpoints_lost']} checkpoints "
            f"lost, {same(killed)}.",
            f"**Ended by SIGTERM** {ended['signals']} times: {ended['told_and_kept']} wrote a checkpoint and said how to go on, "
            f"{same(ended)}.",
            f"**A disk that fills**, at {full['limits']} sizes: {full['said']} said so in one line, {full['checkpoints_lost']} "
            f"checkpoints lost, {same(full)}."]


def folders_lines(record: dict) -> list[str]:
    """Folders whose workers, or whose command, were killed."""
    killed = next(row for row in record["speed"] if row["killed"])
    lines = [f"**A worker killed** amid {record['pictures']} photographs on {killed['workers']} workers: {killed['lost']} lost."]
    for row in record["resumed"]:
        where = f"on {row['workers']} workers" if row["workers"] else "in one process"
        named = f"{row['named']} {'named as broken' if row['named_rightly'] else 'named, not all of them rightly'}"
        lines.append(f"**The command killed** amid {row['pictures']} pictures {where}, {row['broken']} of them broken: "
                     f"`--resume` ends with {row['whole']} whole, {named}, {row['twice']} made twice.")
    return lines


def tiles_lines() -> list[str]:
    """Large pictures, a line a model."""
    record, lines = read_benchmark("tiles"), []
    for model, found in record["models"].items():
        rows, largest = found["rows"], found["rows"][-1]
        rates = [row["seconds_per_megapixel"] for row in rows]
        lines.append(f"**{largest['megapixels']} megapixels** by `{model}` at `--max-memory {found['max_memory']}`: "
                     f"{largest['peak_memory_mb'] / 1000:.1f} GB, {largest['seconds']:.0f} s; {min(rates):.1f} to "
                     f"{max(rates):.1f} s a megapixel from {rows[0]['megapixels']} on. At {found['side']} px, tiles are at most "
                     f"{found['levels']} of 255 grey levels off the picture drawn at once.")
    return lines


def reduced() -> str:
    """How far off the moments of a reduced copy would be, for every model that normalises by moments."""
    return " ".join(f"Normalised by the moments of a copy of half the size, a square of {found['side']} px by `{model}` is up to "
                    f"{found['levels_by_a_reduced_copy']} grey levels off, in tiles {found['levels']}."
                    for model, found in read_benchmark("tiles")["models"].items()
                    if found["levels_by_a_reduced_copy"] is not None)


def tiles_table() -> str:
    """Time and memory by model and size."""
    return figures.table([{"model": model, "megapixels": row["megapixels"], "seconds": row["seconds"],
                           "seconds a megapixel": row["seconds_per_megapixel"], "peak memory (GB)": row["peak_memory_mb"] / 1000,
                           "tiles (px)": row["tile"] or "none"}
                          for model, found in read_benchmark("tiles")["models"].items() for row in found["rows"]], 1)


def folders_table() -> str:
    """Time of a folder by workers."""
    return figures.table([{"workers": row["workers"] or "without Dask", "killed": row["killed"], "seconds": row["seconds"],
                           "pictures a second": row["pictures_per_second"], "lost": row["lost"]}
                          for row in read_benchmark("folders")["speed"]], 1)


def core_seconds(record: dict) -> float:
    """Of one picture, by the fastest of the undisturbed runs on Dask's workers, which had all cores of the machine."""
    seconds = min(row["seconds"] for row in record["speed"] if row["workers"] and not row["killed"])
    return seconds * record["cores"] / record["pictures"]


def million() -> str:
    """What a million pictures take by every model that has been timed, from the folder's and from the models' figures."""
    record, timed = read_benchmark("folders"), {row["model"]: row[TIMED] for row in read_benchmark("sizes")["rows"]}
    rows = []
    for model, milliseconds in timed.items():
        seconds = core_seconds(record) * milliseconds / timed[record["model"]]
        hours = MILLION * seconds / 3600
        rows.append({"model": model, "core seconds a picture": f"{seconds:.2f}", "core hours": f"{hours:,.0f}",
                     f"days on {CORES} cores": f"{hours / 24 / CORES:.1f}"})
    return figures.table(rows)


def growth(model: str, rows: list[dict], peers: list[dict]):
    """Milliseconds of a model's parts, and of peers where they were timed, and memory, by the picture's side."""
    sizes = [row["size"] for row in rows]
    parts = {name: (sizes, [row[f"{name}_ms"] for row in rows]) for name in ("encode", "transform", "decode", "whole")}
    panels = [(f"Parts of {model}", "pixels a side", "milliseconds", parts)]
    if peers:
        panels.append(("Beside published networks", "pixels a side", "milliseconds",
                       {name: (sizes, [row[name] for row in peers]) for name in peers[0] if name != "size"}))
    memory = {"memory": (sizes, [row["peak_memory_mb"] / 1000 for row in rows])}
    panels.append(("Peak memory of the process", "pixels a side", "GB", memory))
    figure = figures.curves(panels, height=2.9)
    for axis in figure.axes:
        axis.set_xscale("log", base=2)
        axis.set_xticks(sizes, sizes)
    for axis in figure.axes[:-1]:
        axis.set_yscale("log")
    return figure


def large(models: dict):
    """Seconds a megapixel, and memory, by megapixels."""
    def lines(column, scale=1):
        return {name: ([row["megapixels"] for row in found["rows"]], [row[column] / scale for row in found["rows"]])
                for name, found in models.items()}

    figure = figures.curves([("Time", "megapixels", "seconds a megapixel", lines("seconds_per_megapixel")),
                             ("Peak memory of the process", "megapixels", "GB", lines("peak_memory_mb", 1000))], height=2.9)
    ticks = sorted({row["megapixels"] for found in models.values() for row in found["rows"]})
    for axis in figure.axes:
        axis.set_xscale("log", base=2)
        axis.set_xticks(ticks, ticks)
        axis.set_ylim(bottom=0)
    return figure


def write_scale_page(pages: Path) -> None:
    """Fill the chapter's template in Sphinx's source folder, and put its figures beside it."""
    bench, tiles, folders = (read_benchmark(name) for name in ("results", "tiles", "folders"))
    shown = {"growth": growth(bench["model"], bench["sizes"], bench.get("peers", [])), "large": large(tiles["models"])}
    (pages / "pictures").mkdir(exist_ok=True)
    for name, figure in shown.items():
        (pages / "pictures" / f"scale-{name}.png").write_bytes(figures.png(figure))
    page, limits = pages / "scale.md", {found["max_memory"] for found in tiles["models"].values()}
    withstood = [part for part in read_benchmark("withstands").values() if isinstance(part, dict)]
    measured = (bench, folders, read_benchmark("sizes"), *withstood, *tiles["models"].values())
    machines = {record["provenance"]["device"] for record in measured}
    text = Template(page.read_text(encoding="utf-8")).substitute(
        machine=" or ".join(sorted(machines)), most=" or ".join(sorted(limits)), tiles=tiles_table(), reduced=reduced(),
        folders=folders_table(), million=million(), withstands=withstands(), cores=CORES, folder_cores=folders["cores"],
        **{name: folders[name] for name in ("pictures", "size", "model")})
    page.write_text(text, encoding="utf-8")
