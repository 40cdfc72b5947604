"""``exonym dumps``: fetch dumps from Wikimedia's site or a mirror, and list what was fetched."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from exonym.cli.options import language_codes
from exonym.cli.output import on_interrupt, print_json, print_table
from exonym.foundation.errors import FormatError, InputError

if TYPE_CHECKING:
    from exonym.wikimedia.estimate import Estimate
    from exonym.wikimedia.fetching import (
        Client,
        DumpFolder,
        FetchReport,
        Plan,
        Request,
        Room,
    )

app = typer.Typer(
    help="Fetch dumps of Wikipedia and Wikidata: resumed, checked, one connection at a time.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

_JSON = typer.Option("--json", help="Print JSON for machines.")
_VERIFY = typer.Option("--verify", help="Read the checksums of files that are there.")
_DRY_RUN = typer.Option("--dry-run", help="Print what it would take, and fetch nothing.")
_LANGLINKS = typer.Option("--langlinks", help="Fetch the tables langlinks and page_props, too.")
_WIKIDATA_DATE = typer.Option(help="Of Wikidata's dump, or latest. [default: nearest to --date]")
_CONTACT = typer.Option(help="Your mail address or page, which the site's rules ask for.")


@app.command()
def fetch(
    out: Annotated[Path, typer.Option(help="The directory to fetch to.")],
    languages: Annotated[
        str, typer.Option(help="Wikipedias, such as de,ja,sw; mluke: the 24 of the paper.")
    ] = "mluke",
    date: Annotated[
        str, typer.Option(help="Of the dumps, such as 20260101; latest: the newest complete ones.")
    ] = "latest",
    layout: Annotated[
        str, typer.Option(help="classic, content, or auto: classic where there is one.")
    ] = "auto",
    wikidata: Annotated[str, typer.Option(help="bz2, gz (larger, read faster) or none.")] = "bz2",
    wikidata_date: Annotated[str | None, _WIKIDATA_DATE] = None,
    langlinks: Annotated[bool, _LANGLINKS] = False,
    contact: Annotated[str | None, _CONTACT] = None,
    base_url: Annotated[
        str | None, typer.Option(help="A mirror of the site. [default: Wikimedia's own]")
    ] = None,
    connections: Annotated[int, typer.Option(help="Files at a time, at most 3.")] = 1,
    timeout: Annotated[float, typer.Option(help="Seconds without bytes: stalled.")] = 60.0,
    retries: Annotated[int, typer.Option(help="Vain repetitions before giving up.")] = 8,
    verify: Annotated[bool, _VERIFY] = False,
    dry_run: Annotated[bool, _DRY_RUN] = False,
    rate: Annotated[float, typer.Option(help="MB per second, for the estimate.")] = 5.0,
    processes: Annotated[int, typer.Option(help="Of `kb build`, for the estimate.")] = 1,
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """Fetch dumps of Wikipedias and Wikidata's JSON dump.

    Example: exonym dumps fetch --out dumps/ --languages sw,el --contact you@example.org --dry-run

    Every file gets its name only when its checksum is the published one. After Ctrl-C, a crash or
    a lost network the same command goes on where it stopped, and fetches only what is missing.
    """
    from exonym.wikimedia.fetching import Client, Patience, Request

    _require_positive(timeout=timeout, retries=retries + 1, rate=rate, processes=processes)
    address = {} if base_url is None else {"base_url": base_url}
    codes = language_codes(languages) or ()
    request = Request(codes, date, layout, wikidata, wikidata_date, langlinks, **address)
    patience = Patience(read_seconds=timeout, retries=retries)
    client = Client(contact=contact, patience=patience, connections=connections)
    if contact is None and base_url is None:
        typer.echo("No --contact: the site asks for one, and may refuse without.", err=True)
    with on_interrupt("What came is kept; the same command goes on where it stopped"):
        _carry_out(
            client,
            request,
            out,
            _Assumed(rate * 1e6, processes),
            connections=connections,
            verify=verify,
            dry_run=dry_run,
            as_json=as_json,
        )


@app.command(name="list")
def list_files(
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="A directory made by `exonym dumps fetch`.")
    ],
    verify: Annotated[bool, _VERIFY] = False,
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """List the dumps in a directory, and which of them are whole.

    Example: exonym dumps list dumps/

    The exit status is 2 if a file that was fetched is missing or damaged.
    """
    from exonym.wikimedia.fetching import DumpFolder

    folder = DumpFolder(directory)
    beginnings = folder.beginnings()
    held = folder.held(verify=verify) if folder.has_records or not beginnings else []
    rows = [(file.place, file.date, file.size, file.state) for file in held]
    if as_json:
        names = ("place", "date", "size", "state")
        files = [dict(zip(names, row, strict=True)) for row in rows]
        parts = [{"place": place, "size": size} for place, size in beginnings]
        print_json({"files": files, "beginnings": parts})
    else:
        rows += [(place, "", size, "not whole yet") for place, size in beginnings]
        print_table(f"Dumps in {directory}", ("file", "date", "bytes", "state"), rows)
    if bad := [file for file in held if file.state != "complete"]:
        raise FormatError(
            f"{len(bad)} of {len(held)} files are missing or damaged, first {bad[0].place}",
            where=directory,
            remedy="exonym dumps fetch gets them again; with --verify it looks at all",
        )


@dataclass(frozen=True, slots=True)
class _Assumed:
    """What the estimate rests on: bytes per second of the network, processes of the build."""

    rate: float
    processes: int


def _carry_out(
    client: Client,
    request: Request,
    out: Path,
    assumed: _Assumed,
    *,
    connections: int,
    verify: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    from exonym.wikimedia.fetching import DumpFolder, fetch, make_plan, room

    folder = DumpFolder(out)
    plan = make_plan(client, request)
    space = room(plan, folder)
    planned = _plan_as_dict(plan, space, assumed)
    if not as_json:
        _print_plan(plan, folder, space)
        _print_estimate(plan, space, assumed)
    elif dry_run:
        print_json(planned)
    if dry_run:
        space.require(folder)
        return
    report = fetch(client, plan, folder, connections=connections, verify=verify)
    if as_json:
        print_json({**planned, "fetched": report.as_dict()})
    else:
        _print_report(report, out)
    report.require_all()


def _require_positive(**values: float) -> None:
    for name, value in values.items():
        if not value > 0:
            raise InputError(f"--{name} is too small", remedy=f"For example --{name} 5")


def _print_plan(plan: Plan, folder: DumpFolder, space: Room) -> None:
    rows: dict[tuple[str, str], list[int]] = {}
    for file in plan.files:
        row = rows.setdefault((file.wiki, file.date), [0, 0, 0])
        for index, amount in enumerate((1, file.size, folder.present(file))):
            row[index] += amount
    lines: list[tuple[object, ...]] = [(*key, *row) for key, row in rows.items()]
    lines.append(("all", None, len(plan.files), plan.bytes, space.there))
    print_table("Dumps", ("wiki", "date", "files", "bytes", "there already"), lines)
    for note in plan.notes:
        typer.echo(note)


def _print_estimate(plan: Plan, space: Room, assumed: _Assumed) -> None:
    from exonym.wikimedia.fetching import in_bytes

    build = _estimate(plan, assumed)
    lines = [
        ("to fetch", in_bytes(space.needed)),
        (f"time for that, at {in_bytes(assumed.rate)}/s", _duration(space.needed / assumed.rate)),
        ("free on this disk", in_bytes(space.free)),
        ("disk for the knowledge base, with scratch", in_bytes(build.disk_bytes)),
        (f"time for `kb build`, {assumed.processes} process(es)", _duration(build.seconds)),
        ("memory for it", in_bytes(build.memory_bytes)),
    ]
    print_table("Estimate", ("what", "how much"), lines)
    short = space.needed + build.disk_bytes - space.free
    if space.needed <= space.free < space.needed + build.disk_bytes:
        typer.echo(
            f"The dumps fit; for a knowledge base beside them {in_bytes(short)} are missing."
        )


def _print_report(report: FetchReport, out: Path) -> None:
    from exonym.wikimedia.fetching import in_bytes

    counts: dict[str, int] = {}
    for file in report.files:
        counts[file.how] = counts.get(file.how, 0) + 1
    if report.failures:
        counts["failed"] = len(report.failures)
    if report.troubles:
        print_table("On the way", ("trouble", "times"), sorted(report.troubles.items()))
    for place, error in report.failures.items():
        typer.echo(f"Failed: {place}: {error.what}")
    what = ", ".join(f"{count} {how}" for how, count in counts.items())
    typer.echo(f"{what}; {in_bytes(report.received)} in {_duration(report.seconds)}.")
    if not report.failures:
        typer.echo(f"Dumps in {out}. Next: exonym kb build --dumps {out} --out KB")


def _plan_as_dict(plan: Plan, space: Room, assumed: _Assumed) -> dict[str, Any]:
    return {
        "files": [asdict(file) for file in plan.files],
        "notes": list(plan.notes),
        "bytes": plan.bytes,
        "there": space.there,
        "needed": space.needed,
        "free": space.free,
        "estimate": {
            "rate": assumed.rate,
            "seconds_to_fetch": space.needed / assumed.rate,
            "build": asdict(_estimate(plan, assumed)),
        },
    }


def _estimate(plan: Plan, assumed: _Assumed) -> Estimate:
    from exonym.wikimedia.estimate import estimate_build

    return estimate_build(plan.wiki_bytes, plan.wikidata_bytes, assumed.processes)


def _duration(seconds: float) -> str:
    """In the unit that people would use."""
    for unit, length, upto in (("s", 1, 120), ("minutes", 60, 7_200), ("hours", 3_600, 172_800)):
        if seconds < upto:
            return (
                f"{seconds / length:.0f} {unit}"
                if unit == "s"
                else f"{seconds / length:.1f} {unit}"
            )
    return f"{seconds / 86_400:.1f} days"
