"""What a report needs beyond Exonym's own dependencies."""

from __future__ import annotations

from importlib.util import find_spec

from exonym.foundation.errors import MissingExtraError

_MODULES = ("jinja2", "matplotlib")


def require_report_extra(*modules: str) -> None:
    """Check that the packages which draw and lay out reports are installed.

    Args:
        modules: those that are needed; all where none is named.

    Raises:
        MissingExtraError: one is not; the message has the command that installs them.
    """
    missing = [name for name in modules or _MODULES if find_spec(name) is None]
    if missing:
        raise MissingExtraError(
            f"a report needs {' and '.join(missing)}, not installed here",
            remedy="Run pip install 'exonym[report]'",
        )
