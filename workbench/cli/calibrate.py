"""`workbench calibrate`: ranges of every tensor by every method, and what the doctor finds odd about the set."""

from __future__ import annotations

from argparse import Namespace

from workbench.cli.arguments import ranges_of
from workbench.cli.jobs import Jobs, check_writable, plain_request
from workbench.cli.output import Output
from workbench.core.calibration_report import CalibrateRequest, CalibrationReport
from workbench.core.json import write_json
from workbench.core.precision import CalibrationMethod, Precision, PrecisionPlan
from workbench.pipeline.calibration_text import coverage_text, findings_text, ranges_table, steady_text
from workbench.store import Store


def execute(arguments: Namespace, output: Output) -> int:
    """Exit code 0 where the set could be observed, whatever is odd about it."""
    check_writable(arguments.out)
    store = Store()
    job_id, folder = store.new_folder()
    jobs = Jobs(output)
    plan = PrecisionPlan(default=Precision.INT8, calibration=ranges_of(arguments))
    with jobs.until_interrupted():
        run = plain_request(arguments, plan, job_id, folder)
        result = jobs.calibrate(CalibrateRequest(job_id, str(folder), run))
    store.delete(job_id)
    if result.report is None:
        message, hint = (result.error.message, result.error.hint) if result.error else ("Calibration gave nothing.", "")
        output.gave_up(message, hint)
        return 1
    _tell(arguments, output, result.report)
    return 0


def _tell(arguments: Namespace, output: Output, report: CalibrationReport) -> None:
    output.document(report)
    output.text(ranges_table(report))
    output.text()
    output.text(steady_text(report, arguments.method or CalibrationMethod.PERCENTILE))
    if report.coverage is not None:
        output.text(coverage_text(report))
    output.text(findings_text(report))
    if arguments.out is not None:
        write_json(arguments.out, report)
        output.note(f"report: {arguments.out}")
