"""Render the text lines of the OCR sample: `calibration/` (no labels) and `evaluation/` with `labels.csv`.

    apt-get install fonts-dejavu-core fonts-dejavu-extra fonts-liberation
    python -m sample_models.ocr.render_lines

from the root of the repository; needs Pillow and NumPy. The rule, the same for both sets and with no line
chosen or removed by what a model reads in it:

1. Text: eight of 13 lines are English words (words.txt) or a sentence's start, the others a number, a price,
   a date, a time, an address or a code; all of characters of the model. Codes leave out I, O, l and 0, which
   some faces draw alike. No kind has a space beside a figure or a unit ("$ 12.50", "3 Jan", "order 725"): the
   model leaves such spaces out, see the card.
2. Face: one of 16 DejaVu and Liberation faces, 20 to 40 pixels high, margins of 2 to 7 pixels.
3. Ink and paper: black on white in two lines of three; else random colours whose luminances differ by at
   least 90 of 255, so that half of those are light on dark.
4. Half of the lines are blurred (Gaussian, radius up to 0.8 pixel); half carry noise (sigma up to 6 of 255).
5. A line is drawn again only where its picture is wider than 320/48 of its height (it would not fit the
   input) or where its text was used before (so the two sets share no text).

Calibration is drawn with seed `--seed`, evaluation with `--seed` + 1. The same Pillow and font versions give
the same files; other versions differ by anti-aliasing.
"""

from __future__ import annotations

import argparse
import csv
import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

log = logging.getLogger("render_lines")

HERE = Path(__file__).resolve().parent
FONTS = Path("/usr/share/fonts/truetype")
WIDEST = 320 / 48  # width over height that the model's input holds without squeezing
FACES = (
    "dejavu/DejaVuSans.ttf",
    "dejavu/DejaVuSans-Bold.ttf",
    "dejavu/DejaVuSans-Oblique.ttf",
    "dejavu/DejaVuSansCondensed.ttf",
    "dejavu/DejaVuSansCondensed-Bold.ttf",
    "dejavu/DejaVuSansMono.ttf",
    "dejavu/DejaVuSerif.ttf",
    "dejavu/DejaVuSerif-Bold.ttf",
    "dejavu/DejaVuSerifCondensed.ttf",
    "liberation/LiberationSans-Regular.ttf",
    "liberation/LiberationSans-Bold.ttf",
    "liberation/LiberationSans-Italic.ttf",
    "liberation/LiberationSerif-Regular.ttf",
    "liberation/LiberationSerif-Bold.ttf",
    "liberation/LiberationSerif-Italic.ttf",
    "liberation/LiberationMono-Regular.ttf",
)
WORDS = (HERE / "words.txt").read_text(encoding="utf-8").split()
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
CODE_LETTERS, CODE_DIGITS = "ABCDEFGHJKLMNPQRSTUVWXYZ", "123456789"

Rng = np.random.Generator
Colour = tuple[int, int, int]


def words(rng: Rng) -> str:
    text = " ".join(rng.choice(WORDS, rng.integers(1, 4)))
    return (text, text.title(), text.upper())[rng.integers(3)]


def sentence(rng: Rng) -> str:
    first, *rest = rng.choice(WORDS, rng.integers(2, 4))
    comma = "," if rng.random() < 0.3 else ""
    return f"{first.capitalize()}{comma} {' '.join(rest)}{rng.choice(['.', '!', '?', ':'])}"


def number(rng: Rng) -> str:
    value, part = rng.integers(100, 10_000_000), rng.integers(1000)
    return (f"{value:,}", f"{part / 10:.1f}%", f"No.{value}", f"+{part}")[rng.integers(4)]


def price(rng: Rng) -> str:
    amount = f"{rng.integers(1, 2000)}.{rng.integers(100):02d}"
    return (f"${amount}", f"{amount}EUR", f"Total:{amount}")[rng.integers(3)]


def date(rng: Rng) -> str:
    day, month, year = rng.integers(1, 29), rng.integers(1, 13), rng.integers(1950, 2030)
    forms = f"{day}-{MONTHS[month - 1]}-{year}", f"{year}-{month:02d}-{day:02d}", f"{day}/{month}/{year}"
    return forms[rng.integers(3)]


def time(rng: Rng) -> str:
    hour, minute = rng.integers(24), rng.integers(60)
    return (f"{hour:02d}:{minute:02d}", f"{hour:02d}:{minute:02d}:{rng.integers(60):02d}")[rng.integers(2)]


def address_or_code(rng: Rng) -> str:
    if rng.random() < 0.5:
        return f"{rng.choice(WORDS)}@{rng.choice(WORDS)}.{rng.choice(['com', 'org', 'net'])}"
    letters = "".join(rng.choice(list(CODE_LETTERS), 3))
    return f"{letters}-{''.join(rng.choice(list(CODE_DIGITS), rng.integers(3, 6)))}"


KINDS: tuple[Callable[[Rng], str], ...] = (*4 * (words, sentence), number, price, date, time, address_or_code)


def luminance(colour: Colour) -> float:
    return 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]


def random_colour(rng: Rng) -> Colour:
    red, green, blue = (int(channel) for channel in rng.integers(0, 256, 3))
    return red, green, blue


def ink_and_paper(rng: Rng) -> tuple[Colour, Colour]:
    """Black on white in two of three calls; else two random colours, luminances at least 90 apart."""
    if rng.random() < 2 / 3:
        return (0, 0, 0), (255, 255, 255)
    while True:
        ink, paper = random_colour(rng), random_colour(rng)
        if abs(luminance(ink) - luminance(paper)) >= 90:
            return ink, paper


def draw(text: str, rng: Rng, fonts: Path) -> Image.Image:
    """One line as an RGB picture: face, size, margins, colours, blur and noise at random."""
    font = ImageFont.truetype(fonts / FACES[rng.integers(len(FACES))], int(rng.integers(20, 41)))
    left, top, right, bottom = font.getbbox(text)
    margins = rng.integers(2, 8, 4)
    ink, paper = ink_and_paper(rng)
    size = (int(right - left + margins[0] + margins[2]), int(bottom - top + margins[1] + margins[3]))
    picture = Image.new("RGB", size, paper)
    ImageDraw.Draw(picture).text((int(margins[0]) - left, int(margins[1]) - top), text, ink, font)
    radius, sigma = rng.uniform(0, 0.8), rng.uniform(0, 6)
    if rng.random() < 0.5:
        picture = picture.filter(ImageFilter.GaussianBlur(radius))
    if rng.random() < 0.5:
        noise = rng.normal(
            0, sigma, (size[1], size[0], 1)
        )  # of the luminance: the same in all three channels
        picture = Image.fromarray(np.clip(np.rint(np.asarray(picture) + noise), 0, 255).astype(np.uint8))
    return picture


def lines(count: int, seed: int, fonts: Path, used: set[str]) -> list[tuple[str, Image.Image]]:
    """`count` texts and their pictures; texts in `used` are not drawn again, new ones are added to it."""
    rng = np.random.default_rng(seed)
    drawn: list[tuple[str, Image.Image]] = []
    while len(drawn) < count:
        text = KINDS[rng.integers(len(KINDS))](rng)
        picture = draw(text, rng, fonts)
        if text not in used and picture.width <= WIDEST * picture.height:
            used.add(text)
            drawn.append((text, picture))
    return drawn


def write(drawn: list[tuple[str, Image.Image]], folder: Path, *, labelled: bool) -> None:
    """000.png, 001.png ... and, where labelled, labels.csv with the columns file and label."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.png"):
        old.unlink()
    for i, (_, picture) in enumerate(drawn):
        picture.save(folder / f"{i:03d}.png", optimize=True)
    if labelled:
        with (folder / "labels.csv").open("w", newline="", encoding="utf-8") as file:
            rows = csv.writer(file, lineterminator="\n")
            rows.writerow(("file", "label"))
            rows.writerows((f"{i:03d}.png", text) for i, (text, _) in enumerate(drawn))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=HERE)
    parser.add_argument("--fonts", type=Path, default=FONTS, help="folder with dejavu/ and liberation/")
    parser.add_argument("--calibration", type=int, default=48, help="number of lines")
    parser.add_argument("--evaluation", type=int, default=200, help="number of lines")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")

    used: set[str] = set()
    write(
        lines(options.calibration, options.seed, options.fonts, used),
        options.out / "calibration",
        labelled=False,
    )
    write(
        lines(options.evaluation, options.seed + 1, options.fonts, used),
        options.out / "evaluation",
        labelled=True,
    )
    log.info("%d lines in %s", len(used), options.out)


if __name__ == "__main__":
    main()
