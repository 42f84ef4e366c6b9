"""What a plan says besides its rules: the default, how ranges are found, kept types, clean-up passes."""

from __future__ import annotations

from functools import partial

from PySide6.QtWidgets import QCheckBox, QDoubleSpinBox, QMenu, QSpinBox, QWidget

from workbench.core.precision import CalibrationMethod, Precision
from workbench.session.choices import method_words
from workbench.session.session import Session
from workbench.views.controls import DropButton
from workbench.views.flow import Flow, labelled
from workbench.views.widgets import Words, connect_all, inset, menu_item, swatch_icon, tip


class PlanOptions(QWidget):
    """Fields in a row, or in two where a row has no room; each change is one undoable choice."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.default = DropButton(
            self._fill_default, "Default precision", "What runs where no rule says otherwise", 150
        )
        self.method = DropButton(self._fill_method, "Ranges", "How ranges of INT8 and FP8 are found", 150)
        self.percentile = QDoubleSpinBox()
        self.percentile.setRange(50.0, 100.0)
        self.percentile.setDecimals(4)
        self.percentile.setSingleStep(0.01)
        self.percentile.setSuffix(" %")
        self.percentile.setFixedWidth(96)
        self.percentile.setToolTip(tip("Share of the values that a range keeps"))
        self.percentile.setAccessibleName("Percentile")
        self.percentile.valueChanged.connect(self._set_percentile)
        self.samples = QSpinBox()
        self.samples.setRange(1, 1_000_000)
        self.samples.setSuffix(" samples")
        self.samples.setFixedWidth(112)
        self.samples.setToolTip(tip("Calibration samples"))
        self.samples.setAccessibleName("Calibration samples")
        self.samples.valueChanged.connect(self._set_samples)
        self.keep_io = QCheckBox("keep input and output types")
        self.keep_io.setToolTip(
            tip("Off: inputs and outputs next to FP16 or BF16 nodes take that type, without a cast between")
        )
        self.keep_io.clicked.connect(session.plan.set_keep_io)
        self.passes = DropButton(self._fill_passes, "Clean-up", "Clean-up passes before precision is written", 150)
        for spin in (self.percentile, self.samples):
            inset(spin)
        self.writer = DropButton(self._fill_writer, "Written by", "Who writes the plan into the ONNX", 170)
        self.block = DropButton(self._fill_block, "Block", "How many weights share a scale in INT4", 120)
        self._is_following = False
        parts = (
            labelled("default", self.default),
            labelled("ranges", self.method),
            *(self.percentile, self.samples, self.block),
            labelled("written by", self.writer),
            *(self.passes, self.keep_io),
        )
        row = Flow(self)
        for part in parts:
            row.addWidget(part)
        connect_all((session.choices_changed, session.model_changed), self._show)
        self._show()

    def _show(self, _news: object = None) -> None:
        plan = self._session.choices.plan
        self._is_following = True
        self.default.set_words(Words(plan.default.label, swatch=plan.default))
        self.method.set_words(Words(method_words(plan.calibration.method)))
        self.percentile.setValue(plan.calibration.percentile)
        self.samples.setValue(plan.calibration.samples)
        self.percentile.setVisible(plan.calibration.method is CalibrationMethod.PERCENTILE)
        for part in (self.method, self.percentile):
            part.setEnabled(plan.needs_calibration)
        self.samples.setEnabled(plan.needs_calibration or bool(plan.quantizer))
        asked = {plan.default, *(rule.precision for rule in plan.rules)}
        self.block.set_words(Words(f"blocks of {plan.block}"))
        self.block.setVisible(Precision.INT4_WEIGHTS in asked)
        quantizer = self._session.plan.quantizers.current
        self.writer.set_words(Words(quantizer.title if quantizer else plan.quantizer or "Workbench"))
        self.keep_io.setChecked(plan.keep_io)
        off = len(plan.skip)
        self.passes.set_words(Words("clean-up", f"{off} off" if off else "all on"))
        self._is_following = False

    def _fill_default(self, menu: QMenu) -> None:
        plan = self._session.plan
        for precision in Precision:
            item = menu_item(
                menu,
                precision.label,
                partial(plan.set_default, precision),
                on=precision is plan.value.default,
                remark=plan.remark(precision),
            )
            item.setIcon(swatch_icon(precision))

    def _fill_method(self, menu: QMenu) -> None:
        plan = self._session.plan
        for method in CalibrationMethod:
            run = partial(plan.set_calibration, f"ranges by {method.value}", method=method)
            menu_item(menu, method_words(method), run, on=method is plan.value.calibration.method)

    def _fill_writer(self, menu: QMenu) -> None:
        """Tools that are not installed say how to get them."""
        quantizers, chosen = self._session.plan.quantizers, self._session.plan.value.quantizer
        choose = quantizers.choose
        menu_item(menu, "Workbench", partial(choose, None), on=not chosen, remark="every precision, rule and backend")
        for one in quantizers.known.values():
            reason = one.reason()
            run = partial(choose, one)
            item = menu_item(menu, one.title, run, on=one.id == chosen, reason=reason and f"not installed. {one.hint}")
            item.setIcon(swatch_icon(one.precision))
            if not reason:
                item.setToolTip(tip(one.summary))

    def _fill_block(self, menu: QMenu) -> None:
        plan = self._session.plan
        for block in plan.blocks:
            menu_item(menu, f"{block} weights", partial(plan.set_block, block), on=block == plan.value.block)

    def _fill_passes(self, menu: QMenu) -> None:
        plan = self._session.plan
        for name, words in plan.passes.items():
            is_on = name not in plan.value.skip
            menu_item(menu, words, partial(plan.set_pass, name, not is_on), on=is_on)
        menu.addSeparator()
        clean, text = plan.value.clean, "Also where all is FP32"
        menu_item(menu, text, lambda: plan.set_fields("clean-up" + " off" * clean, clean=not clean), on=clean)

    def _set_percentile(self, value: float) -> None:
        if not self._is_following:
            self._session.plan.set_calibration(f"percentile {value:g}", "percentile", percentile=value)

    def _set_samples(self, value: int) -> None:
        if not self._is_following:
            self._session.plan.set_calibration(f"{value} samples", "samples", samples=value)
