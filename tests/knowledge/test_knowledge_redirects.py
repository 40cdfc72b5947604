"""Redirects end where a reader of the wiki would."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from exonym.knowledge.building.redirects import resolve_redirects


def test_chains_lead_to_their_end_and_circles_and_dead_ends_are_counted() -> None:
    redirects = {
        "a": "b", "b": "Page",
        "c": "d", "d": "c", "into the circle": "c",
        "self": "self",
        "lost": "nowhere", "also lost": "lost",
    }  # fmt: skip
    resolved = resolve_redirects(redirects, {"Page": 7})
    assert resolved.targets == {"a": 7, "b": 7}
    assert resolved.loops == 4
    assert resolved.missing == 2


def test_a_chain_of_a_hundred_thousand_redirects_is_followed() -> None:
    chain = {str(number): str(number + 1) for number in range(100_000)}
    assert len(resolve_redirects(chain, {"100000": 0}).targets) == 100_000


TITLES = st.sampled_from([*"abcdefgh"])


@given(st.dictionaries(TITLES, TITLES), st.dictionaries(TITLES, st.integers(0, 5)))
def test_every_redirect_is_resolved_as_walking_step_by_step_would(
    redirects: dict[str, str], entities: dict[str, int]
) -> None:
    redirects = {title: target for title, target in redirects.items() if title not in entities}
    targets, loops, missing = {}, 0, 0
    for first in redirects:
        title = first
        for _ in range(20):
            title = redirects.get(title, title)
        if title in entities:
            targets[first] = entities[title]
        elif title in redirects:
            loops += 1
        else:
            missing += 1
    resolved = resolve_redirects(redirects, entities)
    assert (resolved.targets, resolved.loops, resolved.missing) == (targets, loops, missing)
