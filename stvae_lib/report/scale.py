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
CAMERA = 12  # megapixels of a photograph as cameras take them


def others(rows: list[dict]) -> str:
    """How many commands ended in none of the two good ways, by kind."""
    counts = Counter(row["what"] for row in rows)
    rare = [name for name in RARER if counts[name]]
    return ", ".join(f"{counts[name]} {(KINDS | RARER)[name]}" for name in [*KINDS, *rare])


def withstands() -> str:
    """What the command withstood, as a list."""
    record, folders = read_benchmark("withstands"), read_benchmark("folders")
    return "\n".join(f"- {line}" for line in (*pictures(record["pictures"]), models(record["models"]),
                                              *trainings(record["trainings"]), *folders_lines(folders), *tiles_lines(),
                                              states(record, folders)))


def states(record: dict, folders: dict) -> str:
    """At which commits all that was measured: code that was changed since may withstand more, or less."""
    parts = {"test files": record["pictures"], "model files": record["models"], "trainings": record["trainings"],
             "killed commands and workers": folders}
    parts |= {f"large pictures by `{name}`": found for name, found in read_benchmark("tiles")["models"].items()}
    return "Measured at commits " + ", ".join(f"`{commit(part)}` ({what})" for what, part in parts.items()) + "."


def commit(part: dict) -> str:
    """Short name of the commit at which something was measured, with a + where files differed from it."""
    git = part["provenance"]["git"]
    return git[:7] + "+" * git.endswith("+")


def pictures(record: dict) -> list[str]:
    """Pillow's test images in both roles."""
    source = record["source"].capitalize()
    lines = [f"**{record['files']} test files of {source}**, pictures of all kinds, whole, damaged and none at all, as {role}, "
             f"by `{record['model']}`: {row['done'] + row['remarked']} drawn, {row['remarked']} of them with a remark in one "
             f"line, {row['refused']} refused in one line; {others(row['others'])}."
             for role, row in ((role, record[role]) for role in ("photograph", "style"))]
    return [*lines[:-1], f"{lines[-1]} At most {record['peak_memory_mb'] / 1000:.1f} GB of memory."]


def models(record: dict) -> str:
    """Damaged weights."""
    def ends(row):
        return f"{row['refused']} refused in one line, {row['done']} taken for whole and drawn with; {others(row['others'])}"

    beside, without = record["with its card"], record["without"]
    return (f"**{beside['tried']} damaged files of `{record['model']}`**, its card with its checksum beside them: "
            f"{ends(beside)}. Without the card nothing tells of a number that was changed into another: {ends(without)}. "
            f"No more than {record['peak_memory_mb']} MB.")


def trainings(record: dict) -> list[str]:
    """Trainings killed, ended and out of room."""
    killed, ended, full = (record[name] for name in ("SIGKILL", "SIGTERM", "full disk"))

    def same(row):
        return (f"{row['same_losses']} of {row['ended']} that were gone on with gave, step by step, the losses of an undisturbed "
                "one")

    return [f"**A training killed** without warning (SIGKILL) at {killed['kills']} random moments of its {record['steps']} small "
            f"steps: {killed['checkpoints_lost']} checkpoints lost, {same(killed)}.",
            f"**Asked to stop** (SIGTERM) {ended['signals']} times: {ended['told_and_kept']} wrote a checkpoint and said how to "
            f"go on, {same(ended)}.",
            f"**Out of room**, by {full['limits']} different limits on the size of files: {full['said']} said so in one line, "
            f"{full['checkpoints_lost']} checkpoints lost, {same(full)}."]


def folders_lines(record: dict) -> list[str]:
    """Folders whose workers, or whose command, were killed."""
    killed = next(row for row in record["speed"] if row["killed"])
    lines = [f"**A worker killed** amid {record['pictures']} photographs of {record['size']} px on {killed['workers']} workers, "
             f"by `{record['model']}`: {killed['lost']} lost."]
    for row in record["resumed"]:
        where = f"on {row['workers']} workers" if row["workers"] else "in one process"
        named = f"{row['named']} {'named as broken' if row['named_rightly'] else 'named, not all of them rightly'}"
        lines.append(f"**The command killed**, once, amid {row['pictures']} pictures of {record['small_size']} px {where}, "
                     f"{row['broken']} of them broken: "
                     f"`--resume` ends with {row['whole']} whole, {named}, {row['twice']} made twice.")
    return lines


def tiles_lines() -> list[str]:
    """Large pictures, a line a model."""
    record, lines = read_benchmark("tiles"), []
    for model, found in record["models"].items():
        rows, largest = found["rows"], found["rows"][-1]
        rates = [row["seconds_per_megapixel"] for row in rows]
        lines.append(f"**{largest['megapixels']} megapixels** by `{model}` at `--max-memory {found['max_memory']}`: "
                     f"{largest['seconds']:.0f} s; {min(rates):.1f} to {max(rates):.1f} s a megapixel "
                     f"({max(rates) / min(rates) - 1:.0%} from least to most), and at most "
                     f"{max(row['peak_memory_mb'] for row in rows) / 1000:.1f} GB of memory, for pictures from "
                     f"{rows[0]['megapixels']} to {largest['megapixels']}. On one photograph, enlarged to {found['side']} px, "
                     f"tiles are at most {found['levels']} of 255 grey levels off the picture drawn at once "
                     f"({found['levels_in_half_precision']} where what is kept between them is in half precision, for want of "
                     "memory).")
    return lines


def reduced() -> str:
    """How far off the moments of a reduced copy would be, for every model that normalises by moments."""
    return " ".join(f"With means and deviations of a copy of half the size, a square of {found['side']} px by `{model}` "
                    f"came out up to {found['levels_by_a_reduced_copy']} of 255 grey levels off the one drawn at once; with "
                    f"those summed up over the tiles, {found['levels']} at most."
                    for model, found in read_benchmark("tiles")["models"].items()
                    if found["levels_by_a_reduced_copy"] is not None)


def off() -> str:
    """How far tiles are off a picture drawn at once, by model."""
    return ", ".join(f"at most {found['levels']} of 255 grey levels off by `{model}`, {found['levels_in_half_precision']} in "
                     "half precision"
                     for model, found in read_benchmark("tiles")["models"].items())


def tiles_table() -> str:
    """Time and memory by model and size."""
    return figures.table([{"model": model, "megapixels": row["megapixels"], "seconds": row["seconds"],
                           "seconds a megapixel": row["seconds_per_megapixel"], "peak memory (GB)": row["peak_memory_mb"] / 1000,
                           "tiles (px)": row["tile"] or "none",
                           "kept between passes": ("on disk" if row["on disk"] else "in memory") if row["kept"] else "nothing"}
                          for model, found in read_benchmark("tiles")["models"].items() for row in found["rows"]], 1)


def folders_table() -> str:
    """Time of a folder by workers."""
    return figures.table([{"workers": row["workers"] or "none, without Dask", "killed on purpose": row["killed"],
                           "seconds": row["seconds"],
                           "pictures a second": row["pictures_per_second"], "lost": row["lost"]}
                          for row in read_benchmark("folders")["speed"]], 1)


def fastest() -> str:
    """How the folder was done most quickly on one machine."""
    undisturbed = [row for row in read_benchmark("folders")["speed"] if not row["killed"]]
    best = max(undisturbed, key=lambda row: row["pictures_per_second"])
    how = f"{best['workers']} workers" if best["workers"] else "one process without Dask, which had all cores"
    return f"The quickest on this one machine was {how}: {best['pictures_per_second']:.1f} pictures a second."


def camera() -> str:
    """What photographs as cameras take them cost by the models that were drawn large with: at full size by the rate of the next
    larger picture that was measured, and at `--size 1024` by that of one megapixel, of which such a photograph has three
    quarters."""
    rows = []
    for model, found in read_benchmark("tiles")["models"].items():
        rate = {row["megapixels"]: row["seconds_per_megapixel"] for row in found["rows"]}
        full, small = CAMERA * rate[min(size for size in rate if size >= CAMERA)], 0.75 * rate[min(rate)]
        rows.append({"model": model, "one, at full size (s)": f"{full:.0f}", "1,000 at full size (hours)": f"{full / 3.6:.0f}",
                     "1,000 with `--size 1024` (hours)": f"{small / 3.6:.1f}"})
    return figures.table(rows)


def core_seconds(record: dict) -> float:
    """Of one picture, by the fastest of the undisturbed runs on Dask's workers, which had all cores of the machine."""
    seconds = min(row["seconds"] for row in record["speed"] if row["workers"] and not row["killed"])
    return seconds * record["cores"] / record["pictures"]


def million() -> str:
    """What a million pictures take by every model that has been timed: as the folder's, and what another model takes longer for
    one picture of that size, on all cores. Files are read and written at the same cost by any model."""
    record, column = read_benchmark("folders"), f"{read_benchmark('folders')['size']} px (ms)"
    timed, rows = {row["model"]: row[column] / 1000 for row in read_benchmark("sizes")["rows"]}, []
    for model, seconds in timed.items():
        seconds = core_seconds(record) + record["cores"] * (seconds - timed[record["model"]])
        hours = MILLION * seconds / 3600
        rows.append({"model": model, "core seconds a picture": f"{seconds:.2f}", "core hours": f"{hours:,.0f}",
                     f"hours on {CORES} cores": f"{hours / CORES:.1f}"})
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
    figure = figures.curves(panels)
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

    panels = [("Time", "megapixels", "seconds a megapixel", lines("seconds_per_megapixel")),
              ("Peak memory of the process", "megapixels", "GB", lines("peak_memory_mb", 1000))]
    figure = figures.curves(panels)
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
        off=off(), bench_model=bench["model"],
        folders=folders_table(), fastest=fastest(), camera=camera(), million=million(),
        withstands=withstands(), cores=CORES, folder_cores=folders["cores"],
        **{name: folders[name] for name in ("pictures", "size", "model")})
    page.write_text(text, encoding="utf-8")
