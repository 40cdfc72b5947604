"""Folding many texts at once, with the way back from folded units to characters.

The same as `folding.fold`, which says what is done; here with arrays. Most characters are clusters
of their own and fold to one unit or none, by table. Only clusters that may change as a whole (a
letter and a mark that are one character in another form, ß, ligatures) are looked at one by one,
each different one once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from exonym.linking.folding import fold_cluster
from exonym.linking.folding_tables import (
    APART,
    BREAK,
    COMPLEX,
    CONTINUING,
    DROPPED,
    JOINER,
    PICTURE,
    WATCHED,
    FoldingTables,
)

Places = NDArray[np.int64]
Units = NDArray[np.uint32]
Mask = NDArray[np.bool_]
_BLANK = ord(" ")
_PACKED = 3  # so many characters fit into one 64-bit number


@dataclass(frozen=True, slots=True)
class UnitStream:
    """The folded units of some texts, one after the other, a break after each.

    Args:
        units: (units,) folded code points; runs of white space are one blank.
        flags: (units,) `folding_tables.FoldingTables.flags` of the units.
        begins: (units,) whether a unit is the first of its cluster; None: all are.
        origin: (units,) the character that each unit comes from, counted over all texts with one
            for each break; None: units and characters are at the same places.
        clusters: (clusters + 1,) where the characters' clusters begin, and their number; None:
            each is one character.
        text_starts: (texts + 1,) where each text's characters start.
        breaks: (texts,) the places of the breaks among the units.
    """

    units: Units
    flags: NDArray[np.uint8]
    begins: Mask | None
    origin: Places | None
    clusters: Places | None
    text_starts: Places
    breaks: Places

    def first_characters(self, units: Places) -> Places:
        """The first characters of the clusters whose first units are at the given places."""
        if self.origin is None:
            return units
        first = self.origin[units]
        if self.clusters is None:
            return first
        return self.clusters[np.searchsorted(self.clusters, first, side="right") - 1]

    def end_characters(self, units: Places) -> Places:
        """One past the last characters of the clusters whose last units are at the given places."""
        last = units if self.origin is None else self.origin[units]
        if self.clusters is None:
            return last + 1
        return self.clusters[np.searchsorted(self.clusters, last, side="right")]


def unit_stream(texts: Sequence[str], tables: FoldingTables) -> UnitStream:
    """Fold texts: any strings, lone surrogates too."""
    joined = "\n".join([*texts, ""])
    text_starts = np.zeros(len(texts) + 1, np.int64)
    np.cumsum(np.fromiter(map(len, texts), np.int64, len(texts)) + 1, out=text_starts[1:])
    codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), np.uint32)
    units, flags = tables.units[codes], tables.flags[codes]
    units[text_starts[1:] - 1] = BREAK
    begins, origin, clusters = None, None, None
    if not joined.isascii():
        begins = cluster_begins(units, flags)
        if begins is not None:
            clusters = np.append(np.flatnonzero(begins), len(codes))
        changed = _changed_clusters(units, flags, begins, clusters, tables)
        if len(changed):
            ends = changed + 1
            if clusters is not None:
                changed, ends = clusters[changed], clusters[changed + 1]
            units, flags, origin = _replaced(joined, units, flags, (changed, ends), tables)
        elif not (kept := units <= BREAK).all():
            origin = np.flatnonzero(kept)
            units, flags = units[origin], flags[origin]
        begins = _unit_begins(begins, origin, bool(len(changed)))
    again = (units[1:] == _BLANK) & (units[:-1] == _BLANK)
    if again.any():
        kept = np.concatenate(([True], ~again))
        origin = np.flatnonzero(kept) if origin is None else origin[kept]
        units, flags, begins = units[kept], flags[kept], None if begins is None else begins[kept]
    breaks = text_starts[1:] - 1 if origin is None else np.flatnonzero(units == BREAK)
    return UnitStream(units, flags, begins, origin, clusters, text_starts, breaks)


def cluster_begins(units: Units, flags: NDArray[np.uint8]) -> Mask | None:
    """Whether each character (or unit, as if it were one) begins a cluster; None if all do.

    Args:
        units: (characters,) what each is folded to if it stands alone.
        flags: (characters,) of `FoldingTables`.
    """
    continuing = (flags & CONTINUING) != 0
    if not continuing.any():
        return None
    begins: Mask = ~continuing
    begins[:1] = True
    begins[1:] |= (flags[:-1] & APART) != 0
    # Dropped characters are passed over by one that belongs to what stands before them.
    passed = (units == DROPPED) & ~continuing
    late = np.flatnonzero(continuing[1:] & passed[:-1]) + 1
    if len(late):
        base = np.maximum.accumulate(np.where(passed, -1, np.arange(len(units))))[late - 1]
        bound = (base >= 0) & ((flags[base] & APART) == 0)
        begins[late] = True
        begins[ranges(base[bound] + 1, late[bound] - base[bound])] = False
    begins[picture_joints(flags)] = False
    return begins


def picture_joints(flags: NDArray[np.uint8]) -> Places:
    """Pictures that a joiner ties to what stands before it."""
    behind = np.flatnonzero(flags[:-1] & JOINER) + 1
    joints: Places = behind[(flags[behind] & PICTURE) != 0]
    return joints


def _changed_clusters(
    units: Units,
    flags: NDArray[np.uint8],
    begins: Mask | None,
    clusters: Places | None,
    tables: FoldingTables,
) -> Places:
    """The numbers of the clusters whose form is not that of their characters one by one."""
    places = np.flatnonzero(units == COMPLEX)
    if begins is None or clusters is None:
        return places
    places = np.concatenate((places, picture_joints(flags)))
    watched = np.flatnonzero((flags & WATCHED != 0) & ~begins)
    if len(watched):
        kept = np.flatnonzero(units <= BREAK)
        rank = np.searchsorted(kept, watched)
        before = kept[np.maximum(rank - 1, 0)]
        start = clusters[np.searchsorted(clusters, watched, side="right") - 1]
        inside = (rank > 0) & (before >= start)
        watched, before = watched[inside], before[inside]
        changing = watched[tables.changes(units[before], units[watched])]
        places = np.concatenate((places, changing))
    return np.unique(np.searchsorted(clusters, places, side="right") - 1)


def _replaced(
    joined: str,
    units: Units,
    flags: NDArray[np.uint8],
    changed: tuple[Places, Places],
    tables: FoldingTables,
) -> tuple[Units, NDArray[np.uint8], Places]:
    """Units with those of some clusters as they fold as a whole, and where each comes from.

    Args:
        joined: all characters.
        units: (characters,) one by one.
        flags: (characters,)
        changed: where those clusters begin and end.
        tables: of folding.
    """
    starts, ends = changed
    forms, number = _folded(joined, starts, ends)
    sizes = np.fromiter(map(len, forms), np.int64, len(forms))
    letters = np.frombuffer("".join(forms).encode("utf-32-le", "surrogatepass"), np.uint32)
    lengths = (units <= BREAK).astype(np.int64)
    lengths[ranges(starts, ends - starts)] = 0
    lengths[starts] = sizes[number]
    origin = np.repeat(np.arange(len(units)), lengths)
    first = np.cumsum(lengths)[starts] - sizes[number]
    units, flags = units[origin], flags[origin]
    targets = ranges(first, sizes[number])
    units[targets] = letters[ranges((np.cumsum(sizes) - sizes)[number], sizes[number])]
    flags[targets] = tables.flags[units[targets]]
    return units, flags, origin


def _folded(joined: str, starts: Places, ends: Places) -> tuple[list[str], NDArray[np.int64]]:
    """The different folded forms of some clusters, and the number of each cluster's form."""
    short = np.flatnonzero(ends - starts <= _PACKED)
    codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), np.uint32)
    keys = np.zeros(len(short), np.uint64)
    for place in range(_PACKED):
        inside = starts[short] + place < ends[short]
        keys[inside] <<= np.uint64(21)
        keys[inside] |= codes[starts[short][inside] + place] + np.uint32(1)  # 0 is no character
    _, example, inverse = np.unique(keys, return_index=True, return_inverse=True)
    number = np.empty(len(starts), np.int64)
    number[short] = inverse
    forms = [fold_cluster(joined[starts[i] : ends[i]]) for i in short[example].tolist()]
    for place in np.flatnonzero(ends - starts > _PACKED).tolist():
        number[place] = len(forms)
        forms.append(fold_cluster(joined[starts[place] : ends[place]]))
    return forms, number


def ranges(starts: Places, sizes: Places) -> Places:
    """The numbers of many ranges, one after the other."""
    before = np.cumsum(sizes) - sizes
    return np.repeat(starts - before, sizes) + np.arange(int(sizes.sum()))


def _unit_begins(begins: Mask | None, origin: Places | None, changed: bool) -> Mask | None:
    """Whether each unit begins a cluster, from whether each character does."""
    if origin is None or (begins is None and not changed):
        return begins
    cluster = origin if begins is None else np.cumsum(begins)[origin]
    result = np.ones(len(origin), np.bool_)
    result[1:] = cluster[1:] != cluster[:-1]
    return result
