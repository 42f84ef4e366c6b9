"""The bar on top: what is chosen for the next build, and the buttons that start and end it."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QMenu, QPushButton, QWidget

from workbench.core.precision import CalibrationMethod, Precision
from workbench.core.titles import backend_title
from workbench.session.choices import RANDOM, plan_words, samples_words
from workbench.session.questions import BackendInfo, SamplesInfo
from workbench.session.session import Session
from workbench.views.controls import DropButton
from workbench.views.guard import guarded
from workbench.views.icons import icon
from workbench.views.sample_menu import fill_sample_menu
from workbench.views.search import SearchField
from workbench.views.target_menu import fill_several, offered
from workbench.views.widgets import Words, button, connect_all, menu_head, menu_item, swatch_icon

METHODS = {
    CalibrationMethod.MSE: "MSE: least error of what is kept and what is cut off",
    CalibrationMethod.PERCENTILE: "Percentile: cuts off the rarest values",
    CalibrationMethod.MAX: "Max: keeps every value, however rare",
}
HEIGHT = 48
COMPACT_BELOW = 1360  # pixels; a narrower bar says everything shorter


class TopBar(QWidget):
    """Shows the session's choices; every change goes to the session."""

    def __init__(self, session: Session, actions: dict[str, QAction], menu: QMenu) -> None:
        super().__init__()
        self.setObjectName("topbar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedHeight(HEIGHT)
        self._session = session
        self._is_compact = False
        self.title = button("", "title", "Menu: everything the program does")
        self.title.setMenu(menu)
        self.open = self._button(actions["open"])
        self.backend = DropButton(self._fill_backends, "Backend", "Who builds and runs the engine")
        self.target = DropButton(self._fill_targets, "Target", "The GPU to build for", 170)
        self.precision = DropButton(
            self._fill_precisions, "Precision", "Default precision of the plan, and how INT8 ranges are found"
        )
        self.calibration = DropButton(
            self._fill_calibration, "Calibration set", "Samples that INT8 ranges are found on", 190
        )
        self.evaluation = DropButton(
            self._fill_evaluation, "Evaluation set", "Samples that accuracy is checked on", 190
        )
        self.build = self._button(actions["build"], "primary")
        self.cancel = self._button(actions["cancel"])
        self.race = self._button(actions["race"])
        self.search = SearchField()
        self._lay_out()
        news = (session.choices_changed, session.backends_changed, session.samples_changed, session.compared_changed)
        connect_all((*news, session.model_changed), self.refresh)
        self.refresh()

    @guarded
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        is_compact = self.width() < COMPACT_BELOW
        if is_compact != self._is_compact:
            self._is_compact = is_compact
            self.refresh()

    def tint(self) -> None:
        """Icons in the colours of the theme in force."""
        self.title.setIcon(icon("menu"))

    def _lay_out(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 0, 14, 0)
        row.setSpacing(8)
        for part in (
            self.title,
            self.open,
            self.backend,
            self.target,
            self.precision,
            self.calibration,
            self.evaluation,
        ):
            row.addWidget(part)
        for part in (self.build, self.cancel, self.race):
            row.addWidget(part)
        row.addStretch(1)
        row.addWidget(self.search, 4)

    def _button(self, action: QAction, kind: str = "") -> QPushButton:
        made = button(action.text(), kind)
        made.setFixedHeight(30)
        made.clicked.connect(action.trigger)

        def follow() -> None:
            made.setEnabled(action.isEnabled())
            made.setToolTip(action.toolTip())

        action.changed.connect(follow)
        follow()
        return made

    def refresh(self, _news: object = None) -> None:
        """Shows what is chosen now."""
        session, choices = self._session, self._session.choices
        info = session.backends.get(choices.backend)
        title = info.title if info else backend_title(choices.backend)
        if choices.optimize:
            tuned = " tuned" if choices.tuned else ""
            self.backend.set_words(Words(title.removesuffix(" (CPU)") + tuned, _device_words(info)))
        else:
            self.backend.set_words(Words("Source graph, unfused", tip=title))
        targets = info.targets if info else {}
        self.target.setVisible(bool(targets))
        self.target.set_words(self._target_words(targets))
        plan = plan_words(choices.plan)
        problem = session.chosen_targets.problem
        shown = plan if self._is_compact else f"{plan} plan"
        tone, why = ("bad", problem.reason) if problem is not None else ("", "")
        self.precision.set_words(Words(shown, swatch=choices.plan.default, tone=tone, tip=why))
        needs = choices.plan.needs_calibration
        self.calibration.setVisible(needs)
        self.calibration.set_words(self._set_words("calibrate", choices.calibration, needed=needs))
        self.evaluation.set_words(self._set_words("check", choices.evaluation, needed=False))
        count = f" {len(session.races.racers)}" if session.races.is_possible else ""
        self.race.setText(f"Compare{count}" if self._is_compact else f"Compare{count} runs")
        self.title.setText("" if self._is_compact else "  Workbench")
        for part in (self.backend, self.target, self.precision, self.calibration, self.evaluation):
            part.setEnabled(session.has_model)

    def _set_words(self, verb: str, source: str, *, needed: bool) -> Words:
        if not source:
            return Words(f"{verb}: none", tone="bad" if needed else "soft")
        info = self._session.preview(source)
        size = f"· {info.size:,}" if isinstance(info, SamplesInfo) and not self._is_compact else ""
        return Words(samples_words(source), size if source != RANDOM else "· loud", tip=source)

    # menus

    def _fill_backends(self, menu: QMenu) -> None:
        session, choices = self._session, self._session.choices
        if not session.backends:
            menu_item(menu, "Looking at this machine…", lambda: None, reason="Asked in a process of its own")
        for name, info in session.backends.items():
            if name == "null" and choices.backend != "null":
                continue
            chosen = name == choices.backend and choices.optimize
            text = f"{info.title}  {info.version}".strip()
            menu_item(
                menu,
                text,
                partial(self._choose_backend, name),
                on=chosen,
                reason="" if info.available else info.reason,
                remark="" if info.can_run else f"builds only: {info.run_reason}",
            )
        menu.addSeparator()
        menu_item(menu, "Source graph, unfused (ONNX Runtime)", self._choose_unfused, on=not choices.optimize)
        menu.addSeparator()
        remark = "what Tune options (Run menu) found for the model, plan and machine; else the default"
        flip = partial(session.tunings.choose, not choices.tuned)
        menu_item(menu, "Tuned options", flip, on=choices.tuned, remark=remark)

    def _choose_backend(self, name: str) -> None:
        info = self._session.backends[name]
        target = self._session.chosen_targets.kept(info)
        self._session.choose(f"Backend {info.title}", backend=name, target=target, optimize=True)

    def _choose_unfused(self) -> None:
        plan = self._session.choices.with_plan(default=Precision.FP32, rules=()).plan
        self._session.choose("Source graph, unfused", backend="onnxruntime", target="", optimize=False, plan=plan)

    def _fill_targets(self, menu: QMenu) -> None:
        info = self._session.backends.get(self._session.choices.backend)
        for name, words in (info.targets if info else {}).items():
            chosen = name == self._session.choices.target
            menu_item(
                menu, f"{words} · {name}", partial(self._session.choose, f"Target {name}", target=name), on=chosen
            )

        fill_several(menu, self._session)

    def _target_words(self, targets: dict[str, str]) -> Words:
        """`sm86 RTX 30 series, …`; of several their names, and whether they share an engine."""
        chosen = self._session.chosen_targets.chosen
        if len(chosen) < 2:
            return Words(chosen[0] if chosen else "target", targets.get(chosen[0], "") if chosen else "")
        how = "· an engine each" if self._session.choices.apart else "· one engine"
        return Words(", ".join(chosen), how, tip="\n".join(f"{name}: {targets.get(name, '')}" for name in chosen))

    def _fill_precisions(self, menu: QMenu) -> None:
        choices = self._session.choices
        info = self._session.backends.get(choices.backend)
        for precision in offered(info):
            reason = info.precisions.get(precision, "") if info else ""
            reason = reason or self._session.chosen_targets.reason(precision)
            item = menu_item(
                menu,
                precision.label,
                partial(self._choose_precision, precision),
                on=precision is choices.plan.default,
                reason=reason,
                remark=info.remarks.get(precision, "") if info else "",
            )
            item.setIcon(swatch_icon(precision))
        menu_head(menu, "Ranges of INT8")
        for method, words in METHODS.items():
            chosen = method is choices.plan.calibration.method
            menu_item(menu, words, partial(self._choose_method, method), on=chosen)

    def _choose_precision(self, precision: Precision) -> None:
        after = self._session.choices.with_plan(default=precision)
        self._session.choose_all(after, f"Default {precision.label}")

    def _choose_method(self, method: CalibrationMethod) -> None:
        self._session.choose_all(self._session.choices.with_calibration(method=method), f"Ranges by {method.value}")

    def _fill_calibration(self, menu: QMenu) -> None:
        fill_sample_menu(menu, self._session, "calibration", self)

    def _fill_evaluation(self, menu: QMenu) -> None:
        fill_sample_menu(menu, self._session, "evaluation", self)


def _device_words(info: BackendInfo | None) -> str:
    """`· CPU` for a long processor name; a GPU keeps its name; nothing where one builds for a target."""
    if info is None or info.targets or not info.device:
        return ""
    device = info.device.split("(")[0].strip()
    is_cpu = any(word in device.lower() for word in ("cpu", "xeon", "epyc", "core", "ryzen", "amd", "intel"))
    return "· CPU" if is_cpu else f"· {device}"


def short_path(path: str) -> str:
    """A path with the home folder as `~`."""
    try:
        return "~/" + str(Path(path).relative_to(Path.home()))
    except ValueError:
        return path
