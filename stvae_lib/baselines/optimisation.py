"""Pictures found by optimisation: one loop for every method of this kind."""

import math
import time
from dataclasses import dataclass, field

import torch
from tqdm.auto import tqdm

from ..errors import InputError

OPTIMISERS = ("lbfgs", "adam")


@dataclass
class History:
    """What happened on the way to a picture.

    losses: the objective's terms at every evaluation. snapshots: best images so far, `(1, 3, H, W)` in [0, 1], by the
    number of evaluations before them.
    stopped: "finished", "converged", "interrupted" or "diverged".
    """

    losses: list[dict[str, float]] = field(default_factory=list)
    snapshots: dict[int, torch.Tensor] = field(default_factory=dict)
    seconds: float = 0.0
    stopped: str = "finished"

    def extend(self, other: "History") -> None:
        """Append what a later part of the same work did; its snapshots are counted on."""
        done = len(self.losses)
        self.losses += other.losses
        self.snapshots |= {number + done: image for number, image in other.snapshots.items()}
        self.seconds, self.stopped = self.seconds + other.seconds, other.stopped


class _Stop(Exception):
    """Leaves the optimiser from within its closure; says why."""


@dataclass
class _Watcher:
    """Follows an optimisation: best image, losses, snapshots, and the reasons to stop early."""

    image: torch.Tensor
    objective: object
    history: History
    bar: tqdm
    snapshots: tuple
    iterations: int
    patience: int | None
    best: float = math.inf
    best_at: int = 0
    scale: float | None = None  # the first total: L-BFGS squares slopes, and those of published losses overflow float32

    def __post_init__(self):
        self.best_image = self.image.detach().clone()

    def evaluate(self) -> torch.Tensor:
        """Objective and gradient at the present image; notes both."""
        if len(self.history.losses) == self.iterations:
            raise _Stop("finished")
        self.image.grad = None
        terms = self.objective(self.image)
        total = sum(terms.values())
        values = {name: float(value.detach()) for name, value in terms.items()}
        value, done = sum(values.values()), len(self.history.losses)
        if not math.isfinite(value):
            raise _Stop("diverged")
        self.history.losses.append(values)
        if value < self.best:
            # a gain below a thousandth does not count as progress, yet the better image is kept
            self.best_at = done if value < 0.999 * self.best else self.best_at
            self.best, self.best_image = value, self.image.detach().clone()
        if done in self.snapshots:
            self.history.snapshots[done] = self.best_image.clamp(0, 1)
        if self.patience is not None and done - self.best_at > self.patience:
            raise _Stop("converged")
        self.scale = self.scale or abs(value) or 1.0
        total = total / self.scale
        total.backward()
        self.bar.set_postfix({name: f"{value:.3g}" for name, value in values.items()}, refresh=False)
        self.bar.update()
        return total


def progress(iterations: int) -> tqdm:
    """A progress bar over iterations."""
    return tqdm(total=iterations, mininterval=0.5, unit="it")


def total_variation(image: torch.Tensor, power: float = 1.0) -> torch.Tensor:
    """Roughness of an image `(N, C, H, W)` in units of its pixels: Σ (dx² + dy²)^power for power ≠ 1 (method 1 of
    notebook 04), else the sum of the means of dx² and dy² (method 2)."""
    down, across = image[..., 1:, :] - image[..., :-1, :], image[..., 1:] - image[..., :-1]
    if power == 1:
        return down.square().mean() + across.square().mean()
    return (down[..., :-1].square() + across[..., :-1, :].square() + 1e-8).pow(power).sum()


def optimise(start: torch.Tensor, objective, iterations: int, optimiser: str = "lbfgs", learning_rate: float | None = None,
             snapshots=(), patience: int | None = None, bar: tqdm | None = None) -> tuple[torch.Tensor, History]:
    """Change an image until `objective(image) -> {name: scalar term}` is small in sum.

    start: `(1, 3, H, W)`. iterations: evaluations of the objective. optimiser: "lbfgs" (memory 10, strong Wolfe line
    search) or "adam". learning_rate: 1 for L-BFGS and 0.02 for Adam where None. snapshots: iterations whose image is
    kept. patience: iterations without a gain of a thousandth after which to stop. Interrupting the kernel, or a loss that
    is no longer finite, ends the optimisation too. bar: a progress bar to go on with, where this is a part of more.
    Returns the best image so far, clamped to [0, 1], and its history.
    """
    if optimiser not in OPTIMISERS:
        raise InputError(f"optimiser {optimiser!r}", "is unknown", f"use one of {', '.join(OPTIMISERS)}")
    if iterations < 1:
        raise InputError(f"iterations {iterations}", "is too few", "give 1 or more")
    image = start.detach().clone(memory_format=torch.contiguous_format).requires_grad_(True)
    history, began = History(), time.perf_counter()
    own_bar = progress(iterations) if bar is None else None
    watcher = _Watcher(image, objective, history, bar or own_bar, tuple(snapshots), iterations, patience)
    try:
        _run(watcher, image, optimiser, learning_rate)
    except _Stop as reason:
        history.stopped = str(reason)
    except KeyboardInterrupt:
        history.stopped = "interrupted"
    finally:  # or the message of an error would stand in the bar's line
        if own_bar is not None:
            own_bar.close()
    history.seconds = time.perf_counter() - began
    return watcher.best_image.clamp(0, 1), history


def _run(watcher: _Watcher, image: torch.Tensor, optimiser: str, learning_rate: float | None) -> None:
    """Optimise until the watcher, or a minimum that cannot be told from its surroundings, ends it."""
    if optimiser == "adam":
        watcher.scale = 1.0  # its steps know no scale
        steps = torch.optim.Adam([image], lr=learning_rate or 0.02)
        while True:
            watcher.evaluate()
            steps.step()
    steps = torch.optim.LBFGS([image], lr=learning_rate or 1.0, max_iter=watcher.iterations, history_size=10,
                              max_eval=10 * watcher.iterations, tolerance_grad=0, tolerance_change=0,
                              line_search_fn="strong_wolfe")
    steps.step(watcher.evaluate)
    watcher.history.stopped = "converged"
