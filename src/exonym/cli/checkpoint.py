"""``exonym checkpoint``: what is inside a model directory, and whether it is intact."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from exonym.cli.checkpoint_convert import convert
from exonym.cli.output import print_json

if TYPE_CHECKING:
    from pathlib import Path

app = typer.Typer(
    help="Look into model directories, test them, change them.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

app.command("convert")(convert)

_Model = Annotated[
    str,
    typer.Argument(metavar="DIR_OR_ID", help="A checkpoint directory, or a name on the hub."),
]
_Revision = Annotated[
    str | None, typer.Option(help="Branch, tag or commit on the hub. Default: the main branch.")
]
_Offline = Annotated[
    bool, typer.Option("--local-files-only", help="Take what the hub's cache has, ask nobody.")
]


@app.command("show")
def show(
    model: _Model,
    revision: _Revision = None,
    local_files_only: _Offline = False,
    json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Show what is inside a checkpoint: sizes, head, files, tokenizer, entity vocabulary.

    Example: exonym checkpoint show studio-ousia/mluke-base
    """
    from exonym.modeling.inspection import describe

    contents = describe(_located(model, revision, local_files_only))
    if json:
        print_json(contents.to_json())
        return
    for title, lines in contents.sections():
        typer.echo(title)
        width = max(len(name) for name, _ in lines)
        for name, text in lines:
            typer.echo(f"  {name:<{width}}  {text}")


@app.command("check")
def check(
    model: _Model,
    revision: _Revision = None,
    local_files_only: _Offline = False,
    json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Test whether a checkpoint is intact: tensors, ids, special rows, and that it computes.

    Exit status 0 if it is (warnings or not), 1 if it is not.

    Example: exonym checkpoint check studio-ousia/mluke-base
    """
    from exonym.modeling.selftest import FAIL, WARNING, check_checkpoint

    directory = _located(model, revision, local_files_only)
    findings = []
    for finding in check_checkpoint(directory):
        findings.append(finding)
        if not json:
            typer.echo(f"{finding.verdict:<7}  {finding.subject}: {finding.text}")
    failed = sum(finding.verdict == FAIL for finding in findings)
    warned = sum(finding.verdict == WARNING for finding in findings)
    if json:
        print_json(
            {
                "directory": str(directory),
                "intact": not failed,
                "findings": [finding.to_json() for finding in findings],
            }
        )
    else:
        verdict = "intact" if not failed else "not intact"
        typer.echo(
            f"{directory}: {verdict} ({len(findings)} checks, {failed} failed, {warned} warnings)"
        )
    if failed:
        raise typer.Exit(1)


def _located(model: str, revision: str | None, local_files_only: bool) -> Path:
    from exonym.foundation.hub import locate
    from exonym.modeling.inspection import FILES

    return locate(model, patterns=FILES, revision=revision, local_files_only=local_files_only)
