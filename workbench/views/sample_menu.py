"""The menu of sample sets: the recipe's own, noise, a file or a folder of the user's."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtWidgets import QMenu, QWidget

from workbench.session.choices import RANDOM, samples_words
from workbench.session.session import Session
from workbench.views.files import ask_for_file, ask_for_folder
from workbench.views.widgets import menu_item

TITLES = {"calibration": "Calibration set", "evaluation": "Evaluation set"}
FILES = "Samples (*.npz *.npy *.csv)"


def choose_samples(session: Session, role: str, source: str) -> None:
    """One undoable choice. `role` is `calibration` or `evaluation`."""
    if source != RANDOM and source:
        source = str(Path(source).absolute())
    session.choose(f"{TITLES[role]} {samples_words(source)}", **{role: source})


def fill_sample_menu(menu: QMenu, session: Session, role: str, parent: QWidget) -> None:
    now = getattr(session.choices, role)
    known = dict.fromkeys(
        source for source in (getattr(session.choices.recipe, role), now) if source and source != RANDOM
    )
    for source in known:
        menu_item(menu, samples_words(source), partial(choose_samples, session, role, source), on=source == now)
    menu_item(
        menu,
        "Random noise: says nothing about accuracy",
        lambda: choose_samples(session, role, RANDOM),
        on=now == RANDOM,
    )
    menu_item(menu, "None", lambda: choose_samples(session, role, ""), on=not now)
    menu.addSeparator()
    folder = "Folder of pictures…"
    menu_item(menu, folder, lambda: ask_for_folder(parent, TITLES[role], lambda p: choose_samples(session, role, p)))
    file = "File (.npz, .npy, .csv)…"
    menu_item(menu, file, lambda: ask_for_file(parent, TITLES[role], FILES, lambda p: choose_samples(session, role, p)))
