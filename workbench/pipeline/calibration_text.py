"""The calibration report in words and a table."""

from __future__ import annotations

import msgspec

from workbench.core.calibration_report import CalibrationReport, ChosenRange, Finding, Severity, TensorRange
from workbench.core.precision import CalibrationMethod
from workbench.core.titles import method_label
from workbench.pipeline.table import aligned, shortened

NAME_MOST = 34


def ranges_table(report: CalibrationReport) -> str:
    """One line a tensor: what was seen, and each method's range with the share it clips and the SQNR it leaves."""
    labels = [_label(report, method) for method in CalibrationMethod]
    head = ("node", "tensor", "form", "seen", *labels)
    rows = [head, *(_row(tensor) for tensor in report.tensors)]
    title = f"{report.model}: {report.samples} samples of {report.source}; ranges in the forms of {report.dialect}"
    return f"{title}\n{aligned(rows, left={0, 1, 2})}"


def _row(tensor: TensorRange) -> tuple[str, ...]:
    seen = f"{tensor.low:.3g} … {tensor.high:.3g}"
    chosen = (_chosen(tensor, tensor.chosen(method)) for method in CalibrationMethod)
    return (tensor.nodes[0] if tensor.nodes else "", shortened(tensor.name, NAME_MOST), tensor.form, seen, *chosen)


def _chosen(tensor: TensorRange, one: ChosenRange) -> str:
    span = f"±{one.high:.3g}" if tensor.form == "int8" else f"{one.low:.3g} … {one.high:.3g}"
    return f"{span} {clipped_text(one.clipped)} {one.sqnr_db:.0f} dB"


def clipped_text(share: float) -> str:
    """A share in 0..1 in per cent, with the figures it needs: `0 %`, `0.0012 %`, `0.5 %`."""
    return "0 %" if share <= 0 else f"{100 * share:.2g} %"


def steady_text(report: CalibrationReport, method: CalibrationMethod) -> str:
    """`64 samples are enough: ranges moved < 1 % since 48`, or how far they still moved."""
    if not report.marks or method not in report.marks[0].moved:
        method = CalibrationMethod.PERCENTILE  # entropy's are not followed
    steady = report.steady_from(method)
    label = _label(report, method)
    if len(report.marks) < 2:
        return f"{report.samples} sample{'s' * (report.samples != 1)}: too few to tell whether ranges are steady."
    if steady is not None:
        return f"{report.samples} samples are enough: ranges ({label}) moved by less than 1 % since {steady}."
    last = report.marks[-2]
    moved = 100 * last.moved.get(method, 0.0)
    between = f"between sample {last.samples} and {report.samples}"
    return f"Ranges ({label}) are not steady: the worst moved by {moved:.0f} % {between}."


def coverage_text(report: CalibrationReport) -> str:
    """How much of the evaluation set lies within what was seen; empty where none was looked at."""
    one = report.coverage
    if one is None:
        return ""
    share = "more than 99.99 %" if 0.9999 < one.inside < 1.0 else f"{100 * one.inside:.4g} %"
    inside = f"{share} of the values in {one.samples} samples of {one.source} lie within what was seen"
    if not one.beyond:
        return f"{inside}."
    counted = f"{one.beyond} of {len(report.tensors)} tensors reach further"
    return f"{inside}; {counted}, {one.tensor!r} {one.factor:.3g} times as far."


def findings_text(report: CalibrationReport) -> str:
    """One paragraph a finding, or that there is none."""
    if not report.findings:
        return "Nothing odd was found."
    return "\n".join(_finding(one) for one in report.findings)


def _finding(one: Finding) -> str:
    mark = "warning" if one.severity is Severity.WARNING else "note   "
    where = f" [{', '.join(one.nodes[:3])}]" if one.nodes else ""
    return f"{mark}  {one.text}{where} {one.hint}".rstrip()


def _label(report: CalibrationReport, method: CalibrationMethod) -> str:
    return method_label(msgspec.structs.replace(report.calibration, method=method))
