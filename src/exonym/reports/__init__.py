"""Reports: one HTML file per result, readable without a network."""

from exonym.reports.extras import require_report_extra
from exonym.reports.quickstart import write_quickstart_report
from exonym.reports.run_report import summarise, write_run_report
from exonym.reports.run_tables import state as run_state
from exonym.reports.runs import Run, read_run

__all__ = [
    "Run",
    "read_run",
    "require_report_extra",
    "run_state",
    "summarise",
    "write_quickstart_report",
    "write_run_report",
]
