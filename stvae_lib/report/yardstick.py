"""What `benchmarks/yardstick.json` says: sixty pairs by three judges, and the older twenty by a sibling of a loss network."""

from ..evaluation.intervals import Interval
from .archive import read_benchmark

JUDGES = {"resnet50": "ResNet-50", "vgg16": "VGG-16", "vgg19d": "VGG-19, distilled"}
LABELS = {"content": "the content itself", "style": "the style itself", "microast": "MicroAST, published weights",
          "magenta": "Magenta, published weights (works at 384 px)"}
PEERS = {"microast": "MicroAST", "microast@384": "MicroAST at 384 px too", "magenta": "Magenta's, which works at 384 px"}
AT_EQUAL_SIZE = {"microast": "", "microast@384": "@384", "magenta": "@384"}  # peer -> size that a model is drawn at beside it
MEASURES = {"style": "style", "texture": "strokes in grey", "kept": "structure kept"}
FOUND = "own style / strokes / content found, %"  # among all of the set: a copy of either side is found by that side alone
# whose rows at a larger working size the tables show
SHOWN_LARGER = ("vgg16-half", "as drawn in vgg16-half", "vgg19-slim", "resnet50-slim", "microast")
DRAWN_LARGER = ("vgg16-half@384", "microast@384")  # that figures show beside themselves at 256 pixels
# before a model's name: unfinished; finished by colours alone, with none of the photograph; and, as a control, in wrong colours
DRAWN, COLOURS, EXCHANGED = "as drawn in ", "colours alone in ", "colours exchanged in "
OUTSIDE = ("resnet50", "vgg19d")  # judges that neither train the default model nor refine its pictures
RECOLOURED = "the photograph in the style's colours"  # finished, and nothing drawn
FINISHED = ", finished"  # behind a peer's name


def short(method: str) -> str:
    """A method's label as far as its comma."""
    return LABELS.get(method, method).split(",")[0]


def sized(method: str) -> str:
    """`short`, with the size that the method's pictures were drawn at, where one is named."""
    name, _, size = method.partition("@")
    return short(name) + (f", {size} px" if size else "")


def place(lead: Interval) -> str:
    """"ahead", "behind" or "undecided": what a lead over another method says."""
    return "ahead" if lead.low > 0 else "behind" if lead.high < 0 else "undecided"


def by_place(places: list[tuple[str, str, str]]) -> dict[str, list[str]]:
    """What `Yardstick.places` finds, by place: measures with their judges."""
    found = {"ahead": [], "behind": [], "undecided": []}
    for name, title, where in places:
        found[where].append(f"{name} ({title})")
    return {where: names for where, names in found.items() if names}


def in_words(places: dict[str, list[str]]) -> str:
    """`by_place` as a part of a sentence."""
    return "; ".join(f"{where} in {', '.join(names)}" for where, names in places.items())


def columns(places: list[tuple[str, str, str]]) -> dict[str, str]:
    """`Yardstick.places` as columns of a table: the judges, and where the method stands in each measure by each of them."""
    judges = {"by": " / ".join(dict.fromkeys(title for _, title, _ in places))}
    return judges | {name: " / ".join(where for other, _, where in places if other == name) for name in MEASURES.values()}


def refined_lead(record: dict, other: str, judge: str, measure: str, who: str = "refined") -> Interval:
    """How far refined pictures, or a control, are ahead of others in `benchmarks/refining.json`: positive is better."""
    return Yardstick.gain(record["ahead"][who][other], judge, measure)


def refined_places(record: dict, other: str) -> list[tuple[str, str, str]]:
    """`Yardstick.places` of refined pictures, by the judges that had no part in them."""
    return [(name, title, place(refined_lead(record, other, judge, measure)))
            for measure, name in MEASURES.items() for judge, title in JUDGES.items() if judge in OUTSIDE]


class Yardstick:
    """Figures as the benchmark wrote them. A method drawn at a larger size and shrunk is called `NAME@SIZE`."""

    def __init__(self, record: dict):
        self.record = record
        self.judged = record["sixty"]["ours"] | record["sixty"]["published"]

    @classmethod
    def committed(cls) -> "Yardstick":
        """The figures in the repository."""
        return cls(read_benchmark("yardstick"))

    def own_judge(self, method: str) -> str | None:
        """The judge that a model was trained with, or a relative of that: it ranks nobody there."""
        return self.record["own_judge"].get(method.split("@")[0].split(" in ")[-1])

    def trade(self, judge: str) -> dict[str, tuple[float, float]]:
        """Structure kept and style distance by a judge, of every method at 256 pixels and of some at 384, by its label, but for
        those that the judge trained."""
        shown = [name for name in self.judged if ("@" not in name or name in DRAWN_LARGER)
                 and not name.startswith((COLOURS, EXCHANGED)) and self.own_judge(name) != judge]
        return {sized(name): (self.judged[name][judge]["kept"], self.judged[name][judge]["style"]) for name in shown}

    def sixty(self) -> list[dict]:
        """Style, strokes and kept structure of every method by each judge, and how often the ResNet-50 finds its pictures' own
        styles and contents, as rows of text, best style by the ResNet-50 first. In brackets: by a method's own judge."""
        rows = []
        for name, judged in self.judged.items():
            method, _, size = name.partition("@")
            if size and method not in SHOWN_LARGER or method.startswith((COLOURS, EXCHANGED)):
                continue
            label = LABELS.get(method, method) + (f", drawn at {size} px" if size else "")
            row = {"method": f"**{label}**" if name in self.record["sixty"]["ours"] else label}
            for judge, title in JUDGES.items():
                figures = " / ".join(f"{judged[judge][measure]:.2f}" for measure in ("style", "texture", "kept"))
                row[f"{title}: style ↓ / strokes ↓ / kept ↑"] = f"({figures})" if judge == self.own_judge(name) else figures
            row[FOUND] = " / ".join(f"{100 * judged['resnet50'][key]:.0f}" for key in ("find_s", "find_t", "find_c"))
            rows.append((judged["resnet50"]["style"], row))
        return [row for _, row in sorted(rows, key=lambda pair: pair[0])]

    def twenty(self) -> list[dict]:
        """Style, Gram and content distance on the older pairs, by the distilled VGG-19's sibling."""
        rows = [{"method": name, "style": row[3], "Gram": row[4], "content": row[5], "from": origin}
                for origin, group in (("this project", "ours"), ("reference", "published"))
                for name, row in self.record[group].items() if not name.startswith((COLOURS, EXCHANGED))]
        return sorted(rows, key=lambda row: row["style"])

    def ahead(self, method: str, peer: str, judge: str, measure: str) -> Interval:
        """How far a method, or a control, is ahead of a peer, paired over the sixty pairs and clustered over contents and
        styles: positive is better (more for kept structure and retrieval, less for distances)."""
        return self.gain(self.record["sixty"]["differences"][method][peer], judge, measure)

    def finishing(self, model: str, judge: str, measure: str, kind: str = "") -> Interval:
        """How much better a model's pictures are for being finished, over the same pairs. kind: "", COLOURS or EXCHANGED."""
        return self.gain(self.record["sixty"]["finishing"][model][kind], judge, measure)

    def peer_finished(self, model: str, peer: str, judge: str, measure: str) -> tuple[Interval, Interval]:
        """On the pairs whose pictures are there: how much better a peer's are for being finished as the model finishes its own,
        and how far the model is ahead then."""
        found = self.record["peers_finished"][model]
        return tuple(self.gain(found[part][f"{peer}{FINISHED}"], judge, measure) for part in ("gains", "ahead"))

    @staticmethod
    def gain(differences: dict, judge: str, measure: str) -> Interval:
        """Recorded differences of two methods, by judge and measure, so that positive is better."""
        mean, half, n = differences[judge][measure]
        more_is_better = measure in ("kept", "find_s", "find_t", "find_c")
        return Interval(mean if more_is_better else -mean, half, n)

    def places(self, model: str, peer: str, size: str = "") -> list[tuple[str, str, str]]:
        """Measure, judge and whether a model is ahead of a peer, behind, or neither, by the judges that it was not trained with.
        size: "" or "@384", what the model is drawn at."""
        found = []
        for measure, name in MEASURES.items():
            for judge, title in JUDGES.items():
                if judge != self.own_judge(model):
                    found.append((name, title, place(self.ahead(model + size, peer, judge, measure))))
        return found

    def standing(self, model: str, peer: str, size: str = "") -> dict[str, str]:
        """`places` as a row of a table, a column for each measure."""
        row = {"model": f"`{model}`{size.replace('@', ' at ') + ' px' if size else ''}", "beside": PEERS[peer]}
        return row | columns(self.places(model, peer, size))

    def over_peer(self, model: str) -> dict[str, float]:
        """Style distance of a model over MicroAST's, by pairs and judge: on the older twenty by a sibling of the distilled
        VGG-19 and by that network itself, on the sixty by the three judges, that network first."""
        ours, peer = self.record["ours"][f"{model}, z = mu"], self.record["published"]["MicroAST, published weights"]
        named = {judge: title.replace(", ", "\n") for judge, title in JUDGES.items()}  # side by side they would run together
        found = {f"20 pairs\n{judge}": ours[column] / peer[column]
                 for judge, column in (("its sibling", 3), (named["vgg19d"], 0))}
        return found | {f"60 pairs\n{named[judge]}": self.judged[model][judge]["style"] / self.judged["microast"][judge]["style"]
                        for judge in ("vgg19d", "resnet50", "vgg16")}
