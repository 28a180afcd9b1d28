"""Seeded generators of style pictures: shipped as sample styles, and more colours and textures for training.

Every generator is `name(height, width, rng) -> float array (height, width, 3)` in [0, 1]. Lengths inside are
fractions of the shorter side, so a seed gives the same composition at every size.
"""

import colorsys
from pathlib import Path

import numpy as np
import torch
from scipy.ndimage import gaussian_filter, map_coordinates
from scipy.spatial import cKDTree

from ..errors import InputError
from ..files import make_folder
from .images import MIN_SIDE, save_image

PALETTES = [  # six colours each, dark to light
    ("#10163a", "#1f4e9c", "#b3202a", "#d98c1f", "#2c7d4f", "#f2d98b"),
    ("#1d1128", "#5b2a86", "#c0305f", "#e8793a", "#2b9c9c", "#f6e3b4"),
    ("#0b2027", "#134e6f", "#40798c", "#cfae4a", "#a63d40", "#f0ead2"),
    ("#20140f", "#7b2d1e", "#c65d21", "#e3a53a", "#4d6b3c", "#f3e6c9"),
    ("#141b2d", "#2a4d8f", "#5f9ed1", "#e8c547", "#c8553d", "#f4f1de"),
    ("#16211f", "#1f5f4a", "#6aa67e", "#d9b44a", "#8c3b6a", "#efe9d0"),
]


def _palette(rng) -> np.ndarray:
    """Six colours `(6, 3)` from a random palette, its hues turned a little."""
    turn, colours = rng.uniform(-0.08, 0.08), []
    for code in PALETTES[rng.integers(len(PALETTES))]:
        red, green, blue = (int(code[i:i + 2], 16) / 255 for i in (1, 3, 5))
        hue, saturation, value = colorsys.rgb_to_hsv(red, green, blue)
        colours.append(colorsys.hsv_to_rgb((hue + turn) % 1, saturation, value))
    return np.array(colours)


def _grid(height, width):
    """Pixel centres as coordinates `y, x (H, W)` in units of the shorter side."""
    return np.mgrid[:height, :width].astype(float) / min(height, width)


def _noise(y, x, rng, cells: float = 4, octaves: int = 3) -> np.ndarray:
    """Smooth noise about 0 with deviation near 1, `cells` bumps per shorter side at the coarsest octave."""
    total = np.zeros(np.shape(y))
    for octave in range(octaves):
        scale = cells * 2**octave
        values = rng.standard_normal((64, 64))
        total += map_coordinates(values, [np.asarray(y) * scale, np.asarray(x) * scale], order=3, mode="grid-wrap") / 2**octave
    return total / 0.85


def _shade(palette, value) -> np.ndarray:
    """Palette colours interpolated at `value` in [0, 1], dark to light."""
    position = np.clip(value, 0, 1) * (len(palette) - 1)
    low = np.minimum(position.astype(int), len(palette) - 2)
    part = (position - low)[..., None]
    return palette[low] * (1 - part) + palette[low + 1] * part


def _nearest(y, x, points, count: int = 2):
    """Distances `(H, W, count)` and indices to the nearest points `(n, 2)`."""
    distance, index = cKDTree(points).query(np.stack([y.ravel(), x.ravel()], 1), k=count)
    return distance.reshape(*y.shape, count), index.reshape(*y.shape, count)


def _jittered_points(y, x, rng, step: float, jitter: float = 0.45) -> np.ndarray:
    rows, columns = (np.arange(-step, axis.max() + 2 * step, step) for axis in (y, x))
    points = np.stack(np.meshgrid(rows, columns, indexing="ij"), -1).reshape(-1, 2)
    return points + rng.uniform(-jitter, jitter, points.shape) * step


def _leaded(colour, edge, width: float, y, x, rng) -> np.ndarray:
    """Glass colours with lead cames where `edge` (distance to a pane's border) is small, and light bleeding over them."""
    glass = colour * (1 + 0.13 * _noise(y, x, rng, 7)[..., None] + 0.05 * _noise(y, 5 * x, rng, 12, 2)[..., None])
    lead = 1 / (1 + np.exp((edge - width) / (0.18 * width)))[..., None]
    rounded = 0.10 + 0.16 * np.exp(-((edge / width - 0.35) ** 2) * 12)[..., None]
    picture = glass * (1 - lead) + rounded * lead
    reach = 0.02 * min(edge.shape)
    glow = gaussian_filter(glass * (1 - lead), (reach, reach, 0))
    return picture + 0.28 * glow**1.5


def stained_glass(height, width, rng):
    """Voronoi panes in lead cames, light bleeding over the lead, uneven colour within a pane."""
    y, x = _grid(height, width)
    palette, step = _palette(rng), rng.uniform(0.1, 0.17)
    bent_y, bent_x = y + 0.02 * _noise(y, x, rng, 3), x + 0.02 * _noise(y, x, rng, 3)
    points = _jittered_points(y, x, rng, step)
    distance, index = _nearest(bent_y, bent_x, points)
    region = _noise(points[:, 0], points[:, 1], rng, 2, 1)
    choice = np.clip(np.digitize(region + 0.55 * rng.standard_normal(len(points)), [-0.9, -0.3, 0.3, 0.9]) + 1, 1, 5)
    brightness = rng.uniform(0.75, 1.15, len(points))
    colour = (palette[choice] * brightness[:, None])[index[..., 0]]
    colour = colour * (1.12 - 0.9 * distance[..., :1] / step * 0.5)
    return _leaded(colour, distance[..., 1] - distance[..., 0], 0.016, y, x, rng)


def rose_window(height, width, rng):
    """Rings of petals about a centre, in lead."""
    y, x = _grid(height, width)
    palette, petals = _palette(rng), int(rng.choice([8, 10, 12, 16]))
    dy, dx = y - y.max() / 2, x - x.max() / 2
    radius, angle = np.hypot(dy, dx) * 2, np.arctan2(dy, dx)
    scallop = radius + 0.05 * np.cos(petals * angle) * np.clip(radius, 0, 1)
    borders = np.array([0.0, 0.14, 0.36, 0.64, 0.93, 1.18, 3.0])
    ring = np.clip(np.digitize(scallop, borders) - 1, 0, 5)
    count = petals * np.array([1, 1, 2, 1, 2, 2])[ring]
    turn = (angle / (2 * np.pi) * count + 0.5 * (ring % 2)) % count
    sector = np.floor(turn).astype(int)
    across = np.minimum(turn % 1, 1 - turn % 1) * 2 * np.pi * radius / count / 2
    across = np.where(ring == 0, 1.0, across)
    along = np.min(np.abs(scallop[..., None] - borders[1:-1]), axis=-1) / 2
    choice = (ring * 2 + (sector % 2) * (1 + ring % 3) + rng.integers(5)) % 5 + 1
    brightness = rng.uniform(0.8, 1.15, (6, 64))[ring, sector % 64]
    colour = palette[choice] * brightness[..., None]
    colour = np.where((ring == 5)[..., None], palette[0] * 0.9 + 0.08, colour)
    return _leaded(colour, np.minimum(across, along) * 2, 0.012, y, x, rng)


def mosaic(height, width, rng):
    """Small tiles in bent rows, pale grout, colours in broad waves."""
    y, x = _grid(height, width)
    palette, step = _palette(rng), rng.uniform(0.03, 0.042)
    bend = 0.05 * _noise(y, x, rng, 2, 1)
    points = _jittered_points(y + 0.1, x + 0.1, rng, step, 0.16)
    distance, index = _nearest(y + bend + 0.05, x + 0.7 * bend + 0.05, points)
    field = 0.5 + 0.28 * _noise(points[:, 0], points[:, 1], rng, 1.6, 2) + 0.1 * np.sin(points.sum(1) * rng.uniform(9, 16))
    field = np.round(np.clip(field, 0, 1) * 5) / 5 + rng.normal(0, 0.05, len(points))
    tiles = np.clip(_shade(palette, field) * rng.uniform(0.82, 1.15, (len(points), 1)), 0, 1)
    gap = 1 / (1 + np.exp((distance[..., 1] - distance[..., 0] - 0.2 * step) / (0.05 * step)))[..., None]
    bevel = 1 + 0.12 * np.clip((distance[..., 1:] - distance[..., :1]) / step - 0.4, -0.3, 0.3)
    grout = np.array([0.78, 0.75, 0.69]) * (0.95 + 0.06 * _noise(y, x, rng, 30, 1)[..., None])
    return tiles[index[..., 0]] * bevel * (1 - gap) + grout * gap


def brush_strokes(height, width, rng):
    """Short loaded strokes that follow a swirling flow, in broken colour."""
    y, x = _grid(height, width)
    palette = _palette(rng)
    angle = np.pi * _noise(y, x, rng, 1.3, 2) + rng.uniform(0, np.pi)
    scale = min(height, width)
    bristles = gaussian_filter(rng.standard_normal((height, width)), 0.004 * scale)
    broken = gaussian_filter(rng.standard_normal((height, width)), 0.011 * scale)
    row, column = np.mgrid[:height, :width].astype(float)
    sums, weight = np.zeros((2, height, width)), 0.0
    for direction in (1, -1):
        r, c = row.copy(), column.copy()
        for position in range(9):
            ends = 1 - position / 9
            for layer, field in enumerate((bristles, broken)):
                sums[layer] += ends * map_coordinates(field, [r, c], order=1, mode="reflect")
            weight += ends
            local = map_coordinates(angle, [r, c], order=1, mode="nearest")
            r, c = r + direction * 0.0065 * scale * np.sin(local), c + direction * 0.0065 * scale * np.cos(local)
    fine, coarse = (layer / layer.std() for layer in sums)
    tone = 0.5 + 0.3 * _noise(y, x, rng, 1.7, 2)
    colour = _shade(palette, tone + 0.16 * coarse)
    light = fine - np.roll(fine, (max(1, scale // 200), max(1, scale // 200)), (0, 1))
    return colour * (1 + 0.10 * fine[..., None]) + 0.07 * light[..., None]


def pointillism(height, width, rng):
    """Layers of small dots of pure colour whose mixture makes the tone."""
    y, x = _grid(height, width)
    palette = _palette(rng)
    seed = rng.integers(2**32)

    def tone(py, px):
        field = np.random.default_rng(seed)
        return 0.5 + 0.27 * _noise(py, px, field, 1.5, 2) - 0.12 * py

    picture = _shade(palette, tone(y, x)) * 0.5 + 0.45
    for step, spread in ((0.034, 0.10), (0.026, 0.16), (0.021, 0.22), (0.018, 0.3)):
        points = _jittered_points(y, x, rng, step, 0.5)
        distance, index = _nearest(y, x, points, 1)
        colours = _shade(palette, tone(points[:, 0], points[:, 1]) + rng.normal(0, spread, len(points)))
        colours = np.clip(colours + rng.normal(0, 0.06, colours.shape), 0, 1)
        size = step * rng.uniform(0.28, 0.5, len(points))
        inside = 1 / (1 + np.exp((distance[..., 0] - size[index[..., 0]]) / (0.06 * step)))[..., None]
        picture = picture * (1 - inside) + colours[index[..., 0]] * inside
    return picture


def woodcut(height, width, rng):
    """Cut lines that swell with the tone and follow its contours, ink and two tints on paper."""
    y, x = _grid(height, width)
    palette = _palette(rng)
    tone = 0.5 + 0.3 * _noise(y, x, rng, 1.5, 2)
    turned = rng.uniform(0, np.pi)
    phase = (y * np.sin(turned) + x * np.cos(turned)) * rng.uniform(32, 46) + 2.6 * _noise(y, x, rng, 1.4, 2)
    lines = 0.5 + 0.5 * np.sin(2 * np.pi * phase)
    crossed = 0.5 + 0.5 * np.sin(2 * np.pi * ((y * np.cos(turned) - x * np.sin(turned)) * 34 + 1.5 * _noise(y, x, rng, 1.4, 1)))
    rough = 0.06 * _noise(y, x, rng, 40, 1)
    ink = np.maximum(_step(lines - 0.15 - tone + rough), _step(crossed - 0.5 - tone + rough) * (tone < 0.4))
    paper = palette[5] * (1 + 0.02 * _noise(y, x, rng, 25, 2)[..., None])
    tint = np.where((tone > 0.62)[..., None], paper, np.where((tone > 0.38)[..., None], palette[3] * 0.5 + 0.5 * paper,
                                                              palette[1] * 0.55 + 0.4 * paper))
    return tint * (1 - ink[..., None]) + palette[0] * 0.75 * ink[..., None]


def _step(value) -> np.ndarray:
    """A soft threshold at 0."""
    return 1 / (1 + np.exp(-np.clip(value / 0.05, -40, 40)))


def marbling(height, width, rng):
    """Inks on water, drawn out by combs and whorls."""
    y, x = _grid(height, width)
    palette = _palette(rng)
    for _ in range(4):
        centre, reach = rng.uniform(0.1, 0.9, 2) * (y.max(), x.max()), rng.uniform(0.15, 0.4)
        dy, dx = y - centre[0], x - centre[1]
        turn = rng.choice([-1, 1]) * 2.6 * np.exp(-np.hypot(dy, dx) / reach)
        y, x = centre[0] + dy * np.cos(turn) - dx * np.sin(turn), centre[1] + dy * np.sin(turn) + dx * np.cos(turn)
    comb = np.abs((x * rng.uniform(5, 8)) % 1 - 0.5)
    bands = y * rng.uniform(5, 8) + 1.3 * comb**1.5 + 0.35 * _noise(y, x, rng, 2.5, 2)
    order = rng.permutation(len(palette))
    part = bands % len(palette)
    low = part.astype(int) % len(palette)
    edge = _step((part % 1 - 0.9) * 2)[..., None]
    colour = palette[order][low] * (1 - edge) + palette[order][(low + 1) % len(palette)] * edge
    vein = np.exp(-((part % 1 - 0.12) / 0.05) ** 2)[..., None]
    veined = np.clip(colour * (1 - 0.5 * vein) + palette[5] * 0.5 * vein, 0, 1)
    return veined * (0.97 + 0.03 * _noise(y, x, rng, 20, 1)[..., None])


def cubist(height, width, rng):
    """Facets cut by straight lines and arcs, each shaded from one edge."""
    y, x = _grid(height, width)
    palette = _palette(rng)
    code, edge, shade = np.zeros((height, width), dtype=np.int64), np.full((height, width), 9.0), 0.5
    for _ in range(int(rng.integers(11, 15))):
        angle, centre = rng.uniform(0, 2 * np.pi), rng.uniform(0.05, 0.95, 2) * (y.max(), x.max())
        signed = (y - centre[0]) * np.sin(angle) + (x - centre[1]) * np.cos(angle)
        if rng.random() < 0.35:
            signed = np.hypot(y - centre[0], x - centre[1]) - rng.uniform(0.15, 0.45)
        active = (code * 2654435761 >> 3) % 3 != 0 if rng.random() < 0.5 else np.ones_like(code, dtype=bool)
        code = np.where(active, code * 2 + (signed > 0), code * 2)
        edge = np.where(active, np.minimum(edge, np.abs(signed)), edge)
        shade = np.where(active & (signed > 0), 0.5 * shade + 0.5 * np.clip(signed * 4, 0, 1), shade)
    names, facet = np.unique(code, return_inverse=True)
    facet = facet.reshape(code.shape)
    base = np.clip(rng.normal(0.5, 0.28, len(names)), 0, 1)[facet]
    colour = _shade(palette, base + 0.35 * (shade - 0.5)) * (0.78 + 0.4 * shade[..., None])
    strokes = _noise(y + 0.3 * x, x - 0.3 * y, rng, 22, 2)[..., None]
    line = np.exp(-((edge / 0.005) ** 2))[..., None]
    return colour * (1 + 0.06 * strokes) * (1 - 0.75 * line)


GENERATORS = {function.__name__: function for function in
              (stained_glass, rose_window, mosaic, brush_strokes, pointillism, woodcut, marbling, cubist)}


def generate(name: str, size=256, seed: int = 0) -> torch.Tensor:
    """A style picture `(1, 3, H, W)`. size: H = W, or (H, W). The same seed gives the same picture."""
    if name not in GENERATORS:
        raise InputError(f"style {name!r}", "is unknown", f"use one of {', '.join(GENERATORS)}")
    height, width = (size, size) if isinstance(size, int) else size
    if min(height, width) < MIN_SIDE:
        raise InputError(f"size {height}x{width}", "is too small", f"give at least {MIN_SIDE} pixels")
    rng = np.random.default_rng([seed, list(GENERATORS).index(name)])
    picture = np.clip(GENERATORS[name](height, width, rng), 0, 1)
    return torch.from_numpy(picture).permute(2, 0, 1)[None].float()


def write_styles(folder, size: int = 256, seeds: int = 1, first_seed: int = 0) -> list[Path]:
    """Write `seeds` pictures of every kind as `kind_SEED.png`; returns the files."""
    folder = Path(folder)
    make_folder(folder)
    return [save_image(generate(name, size, seed), folder / f"{name}_{seed}.png")
            for seed in range(first_seed, first_seed + seeds) for name in GENERATORS]
