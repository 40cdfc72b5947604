"""`kb.surfaces`: the same as the knowledge base answers name by name."""

from __future__ import annotations

import numpy as np

from exonym.knowledge import KnowledgeBase


def test_each_row_is_a_name_of_a_language_with_what_the_knowledge_base_says(
    kb: KnowledgeBase,
) -> None:
    surfaces = kb.surfaces
    rows = np.arange(len(surfaces))
    languages = [kb.languages[number] for number in surfaces.languages(rows).tolist()]
    assert len(surfaces) > 10
    assert set(languages) == {"de", "ja"}
    probabilities = surfaces.link_probability(rows).tolist()
    occurrences, links = surfaces.occurrences(rows).tolist(), surfaces.links(rows).tolist()
    for row, language in enumerate(languages):
        text = surfaces.text(row)
        assert surfaces.language(row) == language
        assert surfaces.candidates(row) == kb.candidates(text, language) != ()
        assert occurrences[row] == kb.occurrences(text, language)
        assert links[row] == sum(candidate.count for candidate in kb.candidates(text, language))
        expected = kb.link_probability(text, language)
        assert np.isnan(probabilities[row]) if expected is None else probabilities[row] == expected
    assert surfaces.texts(0, len(rows)) == [surfaces.text(row) for row in range(len(rows))]
    assert surfaces.language_starts.tolist() == [0, languages.index("ja"), len(rows)]


def test_candidates_of_many_rows_come_row_by_row(kb: KnowledgeBase) -> None:
    surfaces = kb.surfaces
    rows = [len(surfaces) - 1, 0, 0, 3]
    owners, entities, counts = surfaces.candidate_rows(rows)
    for place, row in enumerate(rows):
        mine = owners == place
        found = [kb.key(entity) for entity in entities[mine].tolist()]
        assert found == [candidate.entity for candidate in surfaces.candidates(row)]
        assert counts[mine].tolist() == [one.count for one in surfaces.candidates(row)]
    assert owners.tolist() == sorted(owners.tolist())
    for part in (*surfaces.candidate_rows([]), surfaces.links([]), surfaces.link_probability([])):
        assert len(part) == 0
