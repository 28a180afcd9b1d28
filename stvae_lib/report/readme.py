"""The parts of README that come from recorded figures, tables and a list, and pictures that notebook 00 left."""

from pathlib import Path

from ..baselines.refinement import PIXEL_BYTES
from ..files import write_text
from ..model.tiles import PROCESS
from . import diagram, showcase
from .archive import ROOT, read_benchmark
from .figures import table
from .scale import withstands
from .yardstick import AT_EQUAL_SIZE, DRAWN, OUTSIDE, PEERS, Yardstick, columns, refined_places

DEFAULT = "vgg16-half"
# model, peer, and the size that the model is drawn at beside it
COMPARED = [(model, peer, size) for model in (DEFAULT, DRAWN + DEFAULT) for peer, size in AT_EQUAL_SIZE.items()]


def yardstick_table() -> str:
    """Sixty pairs by three judges."""
    return table(Yardstick.committed().sixty())


def twenty_pairs_table() -> str:
    """The older pairs."""
    return table(Yardstick.committed().twenty())


def standing_rows() -> list[dict[str, str]]:
    """The default model against the published ones, as rows of a table."""
    measured = Yardstick.committed()
    return [measured.standing(*compared) for compared in COMPARED]


def sizes_table() -> str:
    """Size, time and memory of the models, from benchmarks/sizes.json."""
    return table(read_benchmark("sizes")["rows"], 1)


def refined_rows() -> list[dict[str, str]]:
    """The default model's pictures, refined, against those of one pass and of others, as rows of a table."""
    record = read_benchmark("refining")
    beside = {DEFAULT: "one pass", "recoloured photograph refined": "as many steps from the photograph in the style's colours",
              "microast": PEERS["microast"], "magenta": PEERS["magenta"]}
    found = {name: [f"{100 * row[judge]['find_t']:.0f}" for judge in OUTSIDE] for name, row in record["rows"].items()}
    return [{"model": f"`{record['model']}`, `--refine {record['steps']}`", "beside": label}
            | columns(refined_places(record, other))
            | {"own strokes found, % (beside)": f"{' / '.join(found['refined'])} ({' / '.join(found[other])})"}
            for other, label in beside.items()]


def refining_cost() -> str:
    """What the steps cost, in a sentence."""
    record = read_benchmark("refining")
    cost = record["cost"]
    return (f"{record['steps']} steps take {cost['steps (s)']:.0f} s for a picture of {cost['side']} px, where a pass takes "
            f"{cost['pass (s)']:.1f} s, and {cost['peak memory (MB)'] / 1000:.1f} GB of memory. They are not drawn in tiles: "
            f"`--max-memory 4GB` is enough for {(4e9 - PROCESS) / PIXEL_BYTES / 1e6:.1f} megapixels.")


PARTS = {"figure 1": diagram.table, "yardstick": yardstick_table, "standing": lambda: table(standing_rows()),
         "refined": lambda: table(refined_rows()), "refining cost": refining_cost, "twenty pairs": twenty_pairs_table,
         "sizes": sizes_table, "withstands": withstands}


def readme_with_results(text: str) -> str:
    """README text with its tables and lists rebuilt from the committed figures of `benchmarks/`."""
    return with_parts(text, PARTS)


def with_parts(text: str, parts: dict) -> str:
    """A text with its parts built anew. parts: name -> what builds the part between `<!-- NAME -->` and its end mark."""
    for name, build in parts.items():
        start, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
        text = f"{text.split(start)[0]}{start}\n{build()}\n{end}{text.split(end)[1]}"
    return text


def update_readme(run: Path) -> None:
    """Rebuild README's tables, and take the pictures that notebook 00 left in its folder `run`, as far as it did."""
    readme = ROOT / "README.md"
    write_text(readme, readme_with_results(readme.read_text(encoding="utf-8")))
    showcase.take(run, ROOT / "docs")
