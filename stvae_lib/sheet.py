"""`stvae sheet`: every photograph in every style of a folder, on one labelled picture."""

import io
import warnings

from tqdm.auto import tqdm

from .files import refuse_overwriting, shortened
from .model import weights
from .model.stvae import check_strength
from .pictures.images import check_output, list_images, load_image, save_image
from .reading import HUGE
from .report import figures
from .stylizing import style_code


def write_sheet(arguments) -> None:
    """Every photograph in every style of a folder, labelled by their files' names: a row a photograph, a column a style."""
    read = [*arguments.photos, *list_images(arguments.styles), *weights.given_files(arguments.model)]
    refuse_overwriting([arguments.out], read)
    check_strength(arguments.strength)
    check_output(arguments.out)
    size = arguments.size
    photos = [load_image(file, size, most=HUGE) for file in arguments.photos]
    styles = {file: load_image(file, size, most=HUGE) for file in list_images(arguments.styles)}
    check_output(arguments.out, [size * (len(each) + 1) for each in (styles, photos)])
    model = weights.load_stvae(arguments.model, arguments.device)
    codes = [style_code(file, model) for file in styles]
    rows = [[None, *styles.values()]]
    for photo in tqdm(photos, unit="photo"):
        rows.append([photo, *(model.stylize(photo, code, strength=arguments.strength) for code in codes)])
    labels = [shortened(file.stem, size // 8).replace("$", r"\$") for file in (*styles, *arguments.photos)]
    figure = figures.grid(rows, ["", *labels[:len(styles)]], ["", *labels[len(styles):]], width=len(rows[0]) * size / 100)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from")  # of names in scripts that the font lacks: boxes are seen
        sheet = figures.png(figure)
    save_image(load_image(io.BytesIO(sheet)), arguments.out)
