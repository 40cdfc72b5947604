"""Two headers: who asks, and how long a server wants to be left alone."""

from __future__ import annotations

import importlib.metadata
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from exonym.foundation.errors import InputError


def user_agent(contact: str | None) -> str:
    """Who is asking: ``exonym/0.1.0 (CONTACT) urllib3/2.8.0``, the form that Wikimedia asks for.

    Args:
        contact: a mail address or a page; None takes the package's home page, if it has one.

    Raises:
        InputError: the contact has characters that do not belong into a header.
    """
    contact = contact or _home_page() or "no contact given"
    if not re.fullmatch(r"[ -'*-~]+", contact):
        raise InputError(
            f"--contact is to be a mail address or a page, not {contact!r}",
            remedy="For example --contact you@example.org",
        )
    return f"exonym/{_version('exonym')} ({contact}) urllib3/{_version('urllib3')}"


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:  # run from a checkout that is not installed
        return "unknown"


def _home_page() -> str | None:
    try:
        places = importlib.metadata.metadata("exonym").get_all("Project-URL") or []
    except importlib.metadata.PackageNotFoundError:  # as above
        return None
    return next((p.split(",", 1)[1].strip() for p in places if p.lower().startswith("home")), None)


def retry_after(header: str | None) -> float | None:
    """Seconds that a ``Retry-After`` header asks for, given as seconds or as a date."""
    if header is None:
        return None
    if re.fullmatch(r"[0-9]+", header.strip()):
        return float(header)
    try:
        moment = parsedate_to_datetime(header)
    except ValueError:
        return None  # no time in it that could be kept
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
