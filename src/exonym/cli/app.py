"""The ``exonym`` command: sub-commands, and errors as one line with the right exit status."""

from __future__ import annotations

import errno
import sys
from typing import Annotated, NoReturn

import typer

import exonym
from exonym.cli import (
    atlas,
    checkpoint,
    corpus,
    data,
    dumps,
    evaluate,
    finetune,
    kb,
    link,
    predict,
    pretrain,
    quickstart,
    report,
    reproduce,
)
from exonym.foundation.errors import ExonymError

INTERRUPTED = 130  # what shells expect after Ctrl-C

_WRONG_PATH = (
    FileExistsError,
    FileNotFoundError,
    IsADirectoryError,
    NotADirectoryError,
    PermissionError,
)

app = typer.Typer(
    name="exonym",
    help="Language models that know the same entity by every name.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    add_completion=False,
)
app.add_typer(atlas.app, name="atlas")
app.add_typer(dumps.app, name="dumps")
app.add_typer(kb.app, name="kb")
app.command("link")(link.link)
app.add_typer(corpus.app, name="corpus")
app.add_typer(data.app, name="data")
app.command("pretrain")(pretrain.pretrain)
app.command("report")(report.report)
app.command("finetune")(finetune.finetune)
app.command("predict")(predict.predict)
app.add_typer(evaluate.app, name="evaluate")
app.add_typer(checkpoint.app, name="checkpoint")
app.command("quickstart")(quickstart.quickstart)
app.add_typer(reproduce.app, name="reproduce")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"exonym {exonym.__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Language models that know the same entity by every name."""


def run() -> None:
    """Run a command and exit: 0 on success, 2 on wrong input, 1 otherwise, 130 on Ctrl-C."""
    try:
        app()
    except SystemExit as done:
        if done.code == INTERRUPTED:
            _fail("interrupted; nothing half-written was left under a final name", INTERRUPTED)
        raise
    except KeyboardInterrupt:
        _fail("interrupted; nothing half-written was left under a final name", INTERRUPTED)
    except ExonymError as error:
        _fail(str(error), error.exit_status)
    except MemoryError:
        _fail("the machine ran out of memory", 1)
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output has gone; there is nobody to tell
        sys.exit(1)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            _fail(f"the disk is full ({error.filename or 'while writing'}). Free some space", 1)
        if error.filename is None:
            raise  # not about a file of the user's: a fault of ours, and the trace tells where
        _fail(f"{error.filename}: {error.strerror}", 2 if isinstance(error, _WRONG_PATH) else 1)


def _fail(message: str, status: int) -> NoReturn:
    print(f"exonym: {message}", file=sys.stderr, flush=True)
    sys.exit(status)
