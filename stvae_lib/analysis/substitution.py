"""Published networks against each other (notebook 03): the questions and the rules that decide them, as they stood before an
arm was trained (but for those that say that they were put afterwards), and what the recorded arms say to them.

The encoders are frozen and neither was ever taught by the other. Pictures are judged by networks of both families, and each
family is home to one side, so that verdicts rest on the mean over the two judges, where the home advantages cancel as far as
they are equal.
"""

from dataclasses import dataclass

import numpy as np

from ..evaluation.intervals import (
    FAILS,
    HOLDS,
    Claim,
    Interval,
    Rule,
    combined,
    crossed,
    difference_beyond,
    judge,
    no_difference_beyond,
    paired,
    single_runs,
)

HOME = {"vgg16": "VGG-16", "resnet50": "ResNet-50"}  # judges, each of the family that one side's encoder is of
DISTANCES = ("style", "texture")  # compared as ratios: judges differ in their scale
ARMS = {
    "vgg16": "VGG-16 to relu4_1: 512 channels, stride 8",
    "layer2": "ResNet-50 to layer2: 256 channels, stride 8",
    "layer1": "ResNet-50 to layer1: 128 channels, stride 4",
    "layer3": "ResNet-50 to layer3: 512 channels, stride 16",
    "layer4": "ResNet-50 to layer4: 1024 channels, stride 32",
    "vgg16-c256": "VGG-16, brought to 256 channels",
    "layer2-c256": "layer2, turned within its 256 channels",
    "layer2-c128": "layer2, brought to 128 channels",
    "layer2-c512": "layer2, spread to 512 channels",
    "layer1-c256": "layer1, spread to 256 channels",
    "layer3-c256": "layer3, brought to 256 channels",
    "vgg16-random": "VGG-16 with random weights",
    "layer2-random": "ResNet-50 with random weights, to layer2",
    "report-untrained": "the report's set-up, untrained",
    "report-trained": "the report's set-up, trained",
    "layer2-matrix16": "layer2 with a transform of 16 by 16",
    "layer2-matrix64": "layer2 with a transform of 64 by 64",
    "layer2-bf16": "layer2 trained again in bfloat16",
}
REDRAWS, FARTHER, KEPT, FOUND = 1.5, 0.10, 0.05, 0.10  # margins: dB, share of the distance, correlation, share of pictures


@dataclass(frozen=True)
class Question:
    """A statement about two arms: the measure's mean in `first` less that in `second`, signed by `sign` so that the statement
    makes it positive, decided by `rule`. control: what it is, and two arms of which the statement is not true;
    control_if_fails: two of which it is."""

    statement: str
    measure: str
    first: str
    second: str
    rule: Rule
    control: tuple[str, str, str]
    control_if_fails: tuple[str, str, str] | None = None
    sign: int = 1


TRAINED = {"report-trained": "the same network, trained", "layer2": "ResNet-50 to layer2, trained"}  # show a photograph for sure
SAME = "the same features, turned in their space", "layer2-c256", "layer2"
DEEPER = "the cut at layer4 in place of layer2", "layer4", "layer2"
UNTRAINED = "an untrained ResNet in the trained one's place", "layer2-random", "layer2"


def _sides() -> list[Question]:
    """VGG-16 to relu4_1 and ResNet-50 to layer2, each as the loser."""
    rows = []
    for loser, winner, name in (("layer2", "vgg16", "ResNet-50"), ("vgg16", "layer2", "VGG-16")):
        rows += [
            Question(f"{name} redraws worse than the other by more than {REDRAWS:g} dB", "psnr", loser, winner,
                     difference_beyond(REDRAWS), SAME, DEEPER, sign=-1),
            Question(f"{name} ends farther from the style than the other by more than {FARTHER:.0%}", "style", loser, winner,
                     difference_beyond(FARTHER), SAME, UNTRAINED),
            Question(f"{name} ends farther from the strokes (style in grey) by more than {FARTHER:.0%}", "texture", loser, winner,
                     difference_beyond(FARTHER), SAME, UNTRAINED),
            Question(f"{name} keeps less of the content's structure by more than {KEPT:g} of correlation", "kept", loser, winner,
                     difference_beyond(KEPT), SAME, DEEPER, sign=-1),
            Question(f"{name}'s own style is found less often in grey by more than {FOUND:.0%}", "find_t", loser, winner,
                     difference_beyond(FOUND), SAME, UNTRAINED, sign=-1),
        ]
    return rows


def _sizes() -> list[Question]:
    """Channels, stride and the transform's matrix, one at a time, and the two networks at each other's size."""
    rows = []
    for label, resnet, vgg in (("256", "layer2", "vgg16-c256"), ("512", "layer2-c512", "vgg16")):
        rows += [Question(f"At {label} channels each, ResNet-50 redraws worse by more than {REDRAWS:g} dB", "psnr", resnet, vgg,
                          difference_beyond(REDRAWS), SAME, DEEPER, sign=-1),
                 Question(f"At {label} channels each, ResNet-50 ends farther from the style by more than {FARTHER:.0%}", "style",
                          resnet, vgg, difference_beyond(FARTHER), SAME, UNTRAINED)]
    for channels in ("128", "512"):
        rows += [Question(f"{channels} channels of layer2 redraw as well as its 256, within {REDRAWS:g} dB", "psnr",
                          f"layer2-c{channels}", "layer2-c256", no_difference_beyond(REDRAWS), DEEPER, SAME),
                 Question(f"{channels} channels of layer2 come as close to the style as its 256, within {FARTHER:.0%}", "style",
                          f"layer2-c{channels}", "layer2-c256", no_difference_beyond(FARTHER), UNTRAINED, SAME)]
    for coarse, fine, strides in (("layer2-c256", "layer1-c256", "8 in place of 4"),
                                  ("layer3-c256", "layer2-c256", "16 in place of 8")):
        rows += [Question(f"Stride {strides}, at 256 channels, costs more than {REDRAWS:g} dB", "psnr", coarse, fine,
                          difference_beyond(REDRAWS), SAME, DEEPER, sign=-1),
                 Question(f"Stride {strides}, at 256 channels, ends farther from the style by more than {FARTHER:.0%}", "style",
                          coarse, fine, difference_beyond(FARTHER), SAME, UNTRAINED)]
    for size in ("16", "64"):
        claim = f"A transform of {size} by {size} comes as close to the style as one of 32 by 32, within {FARTHER:.0%}"
        rows.append(Question(claim, "style", f"layer2-matrix{size}", "layer2", no_difference_beyond(FARTHER), UNTRAINED, SAME))
    return rows


def _training() -> list[Question]:
    """What trained features are good for, and what the student report's set-up lacked."""
    rows = [Question(f"{name}: untrained features end farther from the style by more than {FARTHER:.0%}", "style",
                     f"{arm}-random", arm, difference_beyond(FARTHER), SAME, DEEPER)
            for name, arm in (("VGG-16", "vgg16"), ("ResNet-50", "layer2"))]
    return rows + [Question("The report's set-up (layer4, mirrored decoder) gains more than 3 dB by training", "psnr",
                            "report-trained", "report-untrained", difference_beyond(3), SAME)]


def _precision() -> list[Question]:
    """Whether arms trained on machines that multiply in bfloat16 can be compared with those trained in single precision."""
    again = "Trained again in bfloat16, layer2"
    return [Question(f"{again} redraws as well as in single precision, within {REDRAWS:g} dB", "psnr", "layer2-bf16", "layer2",
                     no_difference_beyond(REDRAWS), DEEPER, SAME),
            Question(f"{again} comes as close to the style as in single precision, within {FARTHER:.0%}", "style", "layer2-bf16",
                     "layer2", no_difference_beyond(FARTHER), UNTRAINED, SAME)]


def _afterwards() -> list[Question]:
    """Put when the arms' figures were known: whether what the first questions found is of a network's kind or of its training."""
    return [Question(f"With random weights in both, VGG-16 redraws worse than ResNet-50 by more than {REDRAWS:g} dB", "psnr",
                     "vgg16-random", "layer2-random", difference_beyond(REDRAWS), SAME, DEEPER, sign=-1)]


QUESTIONS = [*_sides(), *_sizes(), *_training(), *_precision(), *_afterwards()]
MARGINS = {"psnr": REDRAWS, "style": FARTHER, "texture": FARTHER, "kept": KEPT, "find_t": FOUND}
SIDES = {"layer2", "vgg16"}  # the two arms that the first questions set against each other
TRACE = 0.05  # margin of `Judged.trace`, in correlation


def told(by_loser: dict[str, Claim], what: str) -> str:
    """A sentence from the claims that one network, or the other, is worse. by_loser: name -> claim; what: "is worse in ..."."""
    loser, claim = max(by_loser.items(), key=lambda item: item[1].figure)  # who is worse, as far as was measured
    figures = f"({claim.amount()}; {claim.bound()})"
    if claim.verdict == HOLDS:
        return f"{loser} {what} by more than the margin {figures}."
    if {claim.verdict for claim in by_loser.values()} == {FAILS}:
        return f"Neither network {what} by more than the margin ({loser}: {claim.amount()}; {claim.bound()})."
    if claim.interval[0] > 0:
        return f"{loser} {what}; whether by more than the margin is not decided here {figures}."
    return f"Whether {loser} {what} by more than the margin is not decided here {figures}."


class Judged:
    """The arms' recorded figures: PSNR from their cards, and what the judges say of sixty pictures of each.

    arms: gives `values(arm, "psnr")`, one value for each seed. record: what `benchmarks/substitution.py` wrote: "pairs", a
    content and a style each, "arms": {arm: {judge: {measure: one row of values for every seed}}}, and "flat": the PSNR of one
    flat colour, each photograph's own mean, over the photographs of the cards.
    """

    def __init__(self, arms, record: dict):
        self.arms, self.record = arms, record
        self.contents, self.styles = zip(*record["pairs"])

    def rows(self, arm: str, judge_name: str, measure: str) -> np.ndarray:
        """`(seeds, pairs)`."""
        return np.array([by_judge[judge_name][measure] for _, by_judge in sorted(self.record["arms"][arm].items())])

    def by_judge(self, first: str, second: str, measure: str, judge_name: str) -> tuple[np.ndarray, np.ndarray]:
        """Both arms' values `(seeds, pairs)` by one judge; distances over the mean of the two arms' means."""
        one, other = (self.rows(arm, judge_name, measure) for arm in (first, second))
        scale = (one.mean() + other.mean()) / 2 if measure in DISTANCES else 1.0
        return one / scale, other / scale

    def difference(self, first: str, second: str, measure: str, sign: int = 1) -> Interval:
        """`first - second` in a measure, by the mean of both judges: over the pairs, clustered by contents and by styles, and
        over the seeds (paired where both arms have the same three or more: of two, an interval is 13 standard errors wide; else
        the spread of the arms that have several), combined."""
        if measure == "psnr":
            values = [sign * np.array(self.arms.values(arm, measure)) for arm in (first, second)]
            return self._over_seeds(first, second, *values, [self.arms.values(arm, measure) for arm in self.repeated()])
        one, other = (sign * np.mean(values, axis=0) for values in
                      zip(*[self.by_judge(first, second, measure, name) for name in HOME]))
        return self._both_ways(first, second, one, other, measure)

    def home_advantage(self, resnet: str, vgg: str, measure: str) -> Interval:
        """How much farther off a ResNet's pictures are than a VGG's by the VGG judge, less the same by the ResNet judge: 0
        where both judges agree, positive where each sees its own family's pictures as closer."""
        (one, other), (less, least) = (self.by_judge(resnet, vgg, measure, name) for name in ("vgg16", "resnet50"))
        return self._both_ways(resnet, vgg, one - less, other - least, measure)

    def _both_ways(self, first: str, second: str, one: np.ndarray, other: np.ndarray, measure: str) -> Interval:
        pairs = crossed(one.mean(0) - other.mean(0), self.contents, self.styles)
        spread = [self._seed_means(arm, measure) for arm in self.repeated()]
        return combined([pairs, self._over_seeds(first, second, one.mean(1), other.mean(1), spread)])

    def _seed_means(self, arm: str, measure: str) -> np.ndarray:
        means = [self.rows(arm, name, measure).mean(1) for name in HOME]
        return np.mean([values / values.mean() if measure in DISTANCES else values for values in means], axis=0)

    def _over_seeds(self, first: str, second: str, one, other, repeated) -> Interval:
        seeds, others = (sorted(self.record["arms"][arm]) for arm in (first, second))
        return paired(one, other) if seeds == others and len(seeds) > 2 else single_runs(one, other, repeated)

    def repeated(self) -> list[str]:
        """Arms with several seeds."""
        return [arm for arm, seeds in self.record["arms"].items() if len(seeds) > 1]

    def missing(self, question: Question) -> set[str]:
        """Arms that a question and its control need and that nobody has trained yet; those of `control_if_fails` where it
        comes to that."""
        known = set(self.record["arms"])
        needed = {question.first, question.second, *question.control[1:]}
        if needed <= known and question.control_if_fails and question.rule(self._measured(question)) == FAILS:
            needed |= set(question.control_if_fails[1:])
        return needed - known

    def beyond_flat(self, arm: str) -> Interval:
        """By how much an arm redraws better than one flat colour a photograph, in dB, over seeds."""
        return single_runs(self.arms.values(arm, "psnr"), [self.record["flat"]],
                           [self.arms.values(name, "psnr") for name in self.repeated()])

    def shapes(self) -> Claim:
        """Whether the student report's set-up, once it is trained, redraws more than a colour (a rule that was set when its PSNR
        was known)."""
        found, untrained, cut = map(self.beyond_flat, ("report-trained", "report-untrained", "layer2"))
        statement = f"The report's set-up, trained, redraws better than one flat colour a photograph, by more than {REDRAWS:g} dB"
        return judge(statement, "student report", found, "or more seeds each", difference_beyond(REDRAWS),
                     ("the same, untrained", untrained), ("ResNet-50 to layer2", cut))

    def traces(self) -> list[Claim]:
        """Whether something of the photograph is left in what the student report's set-up makes of it, redrawn and stylised
        (traces.py)."""
        return [self._trace("Redrawn", "redrawn", "photographs", Interval.of),
                self._trace("Stylised", "stylised", "or more contents and styles each",
                            lambda values: crossed(values, self.contents, self.styles))]

    def _trace(self, how: str, key: str, varies: str, interval) -> Claim:
        rows = {arm: np.array(values[key]) for arm, values in self.record["traces"].items()}
        found = rows["report-untrained"]
        signs = np.where(np.arange(len(found)) % 2, 1, -1)
        controls = [("own and others exchanged in every other picture", signs * found)]
        controls += [(what, rows[arm]) for arm, what in TRAINED.items() if arm in rows][:1]
        return judge(f"{how} by the report's set-up, untrained, a photograph shows faintly: luminance agrees better with its own "
                     f"than with others, by more than {TRACE:g} of correlation", "student report", interval(found), varies,
                     difference_beyond(TRACE), *[(what, interval(values)) for what, values in controls])

    def claim(self, question: Question) -> Claim:
        """What the arms say to a question; those of which `missing` is empty."""
        controls = [(what, self.difference(first, second, question.measure, question.sign)) for what, first, second in
                    filter(None, (question.control, question.control_if_fails)) if {first, second} <= set(self.record["arms"])]
        over = "or more seeds each, photographs fixed" if question.measure == "psnr" else "or more seeds, contents, styles each"
        return judge(question.statement, "student report", self._measured(question), over, question.rule, *controls)

    def _measured(self, question: Question) -> Interval:
        return self.difference(question.first, question.second, question.measure, question.sign)
