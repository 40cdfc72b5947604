"""Fetching dumps from Wikimedia's site or a mirror: found, resumed, and checked.

client = Client(contact="you@example.org")
plan = make_plan(client, Request(languages=("sw",), date="latest"))
fetch(client, plan, DumpFolder(Path("dumps"))).require_all()
"""

from exonym.wikimedia.fetching.catalog import DumpFile, NotThereError
from exonym.wikimedia.fetching.client import Client, Patience, RefusedError, UnreachableError
from exonym.wikimedia.fetching.fetch import MOST_CONNECTIONS, FetchReport, Obtained, fetch
from exonym.wikimedia.fetching.folder import DumpFolder, Held
from exonym.wikimedia.fetching.plan import (
    LAYOUTS,
    WIKIDATA_FORMS,
    WIKIMEDIA,
    Plan,
    Request,
    Room,
    in_bytes,
    make_plan,
    room,
)
from exonym.wikimedia.fetching.transfer import BadContentError

__all__ = [
    "LAYOUTS",
    "MOST_CONNECTIONS",
    "WIKIDATA_FORMS",
    "WIKIMEDIA",
    "BadContentError",
    "Client",
    "DumpFile",
    "DumpFolder",
    "FetchReport",
    "Held",
    "NotThereError",
    "Obtained",
    "Patience",
    "Plan",
    "RefusedError",
    "Request",
    "Room",
    "UnreachableError",
    "fetch",
    "in_bytes",
    "make_plan",
    "room",
]
