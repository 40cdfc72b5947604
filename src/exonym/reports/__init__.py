"""Reports: one HTML file per result, readable without a network."""

from exonym.reports.extras import require_report_extra
from exonym.reports.quickstart import write_quickstart_report

__all__ = ["require_report_extra", "write_quickstart_report"]
