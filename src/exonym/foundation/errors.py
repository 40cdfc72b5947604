"""The one error tree. A message says what is wrong, where, and what to do about it, in one line."""

from __future__ import annotations


class ExonymError(Exception):
    """Base of every error that Exonym raises on purpose.

    Args:
        what: what was expected and what was seen.
        where: file, line or field; printed after ``what``.
        remedy: the call or command that would work.
    """

    exit_status = 1

    def __init__(self, what: str, *, where: object = None, remedy: str | None = None) -> None:
        self.what, self.where, self.remedy = what, where, remedy
        message = f"{where}: {what}" if where is not None else what
        super().__init__(f"{message}. {remedy}" if remedy else message)


class InputError(ExonymError):
    """The user's input (a file, an option, a value) cannot be used. Exit status 2."""

    exit_status = 2


class FormatError(InputError):
    """A file is damaged, truncated or not of the expected format."""


class VersionError(InputError):
    """A directory was written by another version of its format."""


class ExistsError(InputError):
    """The output is already there and would be overwritten."""


class ConfigError(InputError):
    """A recipe or an option has an impossible value or an unknown name."""


class MissingExtraError(InputError):
    """An optional dependency is needed and not installed."""


class ResourceError(ExonymError):
    """Something is not to be had now: memory, disk, the network."""


class StoppedError(ExonymError):
    """The user pressed Ctrl-C, and the command says how to go on. Exit status 130, as in shells."""

    exit_status = 130
