"""From raw text to entities: names found, candidates weighed, links made."""

from exonym.linking.additions import add_alias, add_entity
from exonym.linking.linked import Link, Linked, ScoredCandidate
from exonym.linking.linker import Linker
from exonym.linking.name_index import NameIndex
from exonym.linking.options import LinkingOptions

__all__ = [
    "Link",
    "Linked",
    "Linker",
    "LinkingOptions",
    "NameIndex",
    "ScoredCandidate",
    "add_alias",
    "add_entity",
]
