"""Choosing by a model: against slow twins that do one thing at a time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from linking_world import ATLANTA, COUNTRY, MAY, MONTH, MUNICH, STATE, TBILISI

from exonym.knowledge import KnowledgeBase
from exonym.linking import Linker, LinkingOptions, ScoredCandidate
from exonym.linking.disambiguation.cases import Case, Decision, combine
from exonym.linking.disambiguation.entities import EntityScorer
from exonym.linking.disambiguation.model import EntityRows, LinkingModel, in_batches
from exonym.linking.disambiguation.windows import cut_windows
from exonym.linking.disambiguation.words import WordScorer
from exonym.text import AnnotatedText, Mention

Candidates = tuple[ScoredCandidate, ...]
WEIGHT = 0.7


def candidates(**priors: float) -> Candidates:
    return tuple(ScoredCandidate(key, prior, prior, 1, "en") for key, prior in priors.items())


GEORGIA = candidates(**{COUNTRY: 0.6, STATE: 0.3, TBILISI: 0.1})
CAPITAL = candidates(**{TBILISI: 0.5, ATLANTA: 0.4})
MAYS = candidates(**{MAY: 0.7, MONTH: 0.3})


def make_case(text: str, *mentions: tuple[str, Candidates | str]) -> Case:
    """A case whose mentions are the first of these words; a key in place of candidates is given."""
    spans, options, place = [], [], 0
    for word, meant in mentions:
        place = text.index(word, place)
        given = meant if isinstance(meant, str) else None
        spans.append(Mention(place, place + len(word), given))
        options.append(() if isinstance(meant, str) else meant)
        place += len(word)
    return Case(AnnotatedText(text, "en", tuple(spans)), tuple(options))


CASES = (
    make_case("Georgia is not Tbilisi", ("Georgia", GEORGIA), ("Tbilisi", CAPITAL)),
    make_case(
        "In May Georgia has Atlanta in Munich",
        ("May", MAYS),
        ("Georgia", GEORGIA),
        ("Atlanta", CAPITAL),
        ("Munich", MUNICH),
    ),
    make_case("nothing here"),
    make_case("東京都 Georgia", ("Georgia", GEORGIA[:1])),
    make_case(
        "Georgia or Georgia " + "and one more word " * 30 + "Georgia in Atlanta, not Georgia",
        ("Georgia", GEORGIA),
        ("Georgia", GEORGIA),
        ("Georgia", GEORGIA),
        ("Atlanta", CAPITAL),
        ("Georgia", GEORGIA),
    ),
)
SHORT = [case for case in CASES if len(case.text.text) < 60]


def scorer(
    model: LinkingModel, kb: KnowledgeBase, order: str = "together", weight: float = WEIGHT
) -> EntityScorer:
    rows = EntityRows(kb, model.tokenizer.entities)
    return EntityScorer(model, rows, order=order, prior_weight=weight)  # type: ignore[arg-type]


@given(
    priors=st.lists(st.floats(0.01, 1), min_size=1, max_size=6),
    logits=st.data(),
    weight=st.floats(0, 2),
)
def test_what_the_model_does_not_know_keeps_its_prior(
    priors: list[float], logits: st.DataObject, weight: float
) -> None:
    total = sum(priors)
    options = candidates(**{f"Q{n}": prior / total for n, prior in enumerate(priors)})
    one = st.one_of(st.just(-np.inf), st.floats(-30, 30))
    opinion = logits.draw(st.lists(one, min_size=len(priors), max_size=len(priors)))
    decision = combine(options, opinion, weight)
    known = {c.entity for c, logit in zip(options, opinion, strict=True) if np.isfinite(logit)}
    assert decision.read == (len(known) >= 2)
    assert sum(c.score for c in decision.candidates) == pytest.approx(1)
    scores = [c.score for c in decision.candidates]
    assert not decision.read or scores == sorted(scores, reverse=True)
    assert {c.entity: c.prior for c in decision.candidates} == {c.entity: c.prior for c in options}
    for candidate in decision.candidates:
        if candidate.entity not in known:
            assert candidate.score == candidate.prior


def test_prior_and_opinion_are_multiplied() -> None:
    decision = combine(GEORGIA, [0.0, 2.0, -np.inf], 0.5)
    shares = np.array([0.6**0.5, 0.3**0.5 * np.exp(2.0)])
    first, second = shares / shares.sum() * 0.9
    found = {c.entity: c.score for c in decision.candidates}
    assert found == pytest.approx({STATE: second, COUNTRY: first, TBILISI: 0.1})
    assert decision.candidates[0].entity == STATE


def logits_of(
    model: LinkingModel, kb: KnowledgeBase, text: AnnotatedText, mention: int, options: Candidates
) -> list[float]:
    """The twin: one text alone, the whole table's logits, a candidate at a time."""
    batch = model.tokenizer(text).to("cpu")
    with torch.no_grad():
        states = model.model(**batch).entity_last_hidden_state
        assert states is not None
        table = model.model.entity_logits(states[0])[mention]
    rows = EntityRows(kb, model.tokenizer.entities)([c.entity for c in options]).tolist()
    return [float(table[row]) if row >= 0 else -np.inf for row in rows]


def assert_same(found: Decision, expected: Decision) -> None:
    assert found.read == expected.read
    assert [c.entity for c in found.candidates] == [c.entity for c in expected.candidates]
    assert [c.score for c in found.candidates] == pytest.approx(
        [c.score for c in expected.candidates], abs=1e-5
    )


def test_together_each_mention_is_masked_and_read_once(
    linking_model: LinkingModel, world: KnowledgeBase
) -> None:
    decisions = scorer(linking_model, world)(SHORT)
    read = 0
    for case, own in zip(SHORT, decisions, strict=True):
        for mention, options in enumerate(case.candidates):
            opinion = logits_of(linking_model, world, case.text, mention, options)
            assert_same(own[mention], combine(options, opinion, WEIGHT))
            read += own[mention].read
    assert read == 4  # not the one candidate, nor the two of which the model knows one


def test_the_most_confident_is_fixed_and_the_others_read_again(
    linking_model: LinkingModel, world: KnowledgeBase
) -> None:
    decisions = scorer(linking_model, world, "confident-first")(SHORT)
    for case, own in zip(SHORT, decisions, strict=True):
        for found, expected in zip(
            own, one_after_the_other(linking_model, world, case), strict=True
        ):
            assert_same(found, expected)


def one_after_the_other(model: LinkingModel, kb: KnowledgeBase, case: Case) -> list[Decision]:
    """The twin of "confident-first": mentions with one candidate first, encoded anew each time."""
    text = case.text
    rows = EntityRows(kb, model.tokenizer.entities)
    decisions = [Decision(options, read=False) for options in case.candidates]

    def fix(mention: int, entity: str) -> AnnotatedText:
        mentions = list(text.mentions)
        row = int(rows([entity])[0])
        key = None if row < 0 else model.tokenizer.entities.key(row)
        mentions[mention] = replace(mentions[mention], entity=key)
        return replace(text, mentions=tuple(mentions))

    waiting = set()
    for mention, options in enumerate(case.candidates):
        if len(options) == 1:
            text = fix(mention, options[0].entity)
        elif options:
            waiting.add(mention)
    while waiting:
        for mention in waiting:
            options = case.candidates[mention]
            opinion = logits_of(model, kb, text, mention, options)
            decisions[mention] = combine(options, opinion, WEIGHT)
        best = max(waiting, key=lambda m: (decisions[m].candidates[0].score, -m))
        waiting.discard(best)
        text = fix(best, decisions[best].candidates[0].entity)
    return decisions


def test_what_was_decided_before_changes_what_is_decided_after(
    linking_model: LinkingModel, world: KnowledgeBase
) -> None:
    case = CASES[0]
    known = make_case(case.text.text, ("Georgia", STATE), ("Tbilisi", CAPITAL))
    masked, given_state = (
        scorer(linking_model, world)([one])[0][1].candidates[0].score for one in (case, known)
    )
    assert abs(masked - given_state) > 1e-4


@pytest.mark.parametrize("order", ["together", "confident-first"])
def test_texts_do_not_disturb_each_other(
    order: str, linking_model: LinkingModel, world: KnowledgeBase
) -> None:
    together = scorer(linking_model, world, order)(CASES)
    for case, own in zip(CASES, together, strict=True):
        for found, expected in zip(
            own, scorer(linking_model, world, order)([case])[0], strict=True
        ):
            assert_same(found, expected)


def test_entities_are_known_by_titles_too(
    linking_model: LinkingModel, world: KnowledgeBase
) -> None:
    entities = linking_model.tokenizer.entities
    rows = EntityRows(world, entities)([STATE, COUNTRY, MAY, "Q5", "[MASK]"]).tolist()
    assert rows == [entities.row("de:Georgia"), entities.row(COUNTRY), -1, -1, -1]


def test_words_are_asked_for_by_their_labels(linking_model: LinkingModel) -> None:
    labels = {COUNTRY: "Tokyo", STATE: "Kenya", TBILISI: "Tokyo", MAY: "Berlin", MONTH: "of"}
    words = WordScorer(
        linking_model, lambda key, _: labels.get(key, "München"), prior_weight=WEIGHT
    )
    case = make_case("The May is in Georgia", ("May", MAYS), ("Georgia", GEORGIA))
    decisions = words([case])[0]
    for mention, options in enumerate(case.candidates):
        opinion = [
            word_logit(linking_model, case.text, mention, labels[option.entity])
            for option in options
        ]
        assert decisions[mention].read
        assert_same(decisions[mention], combine(options, opinion, WEIGHT))


def word_logit(model: LinkingModel, text: AnnotatedText, mention: int, label: str) -> float:
    """The twin: the pieces of the text with <mask>s in place of one mention, by hand."""
    words, own = model.tokenizer.words, text.mentions[mention]
    (name,) = words.encode_stretches([label], [True])
    cut = replace(text, mentions=(own,))
    (encoded,) = model.tokenizer.encode([cut])
    start, end = encoded.spans[0].tolist()
    masks = np.full(len(name), words.mask_id)
    ids = np.concatenate([encoded.input_ids[:start], masks, encoded.input_ids[end:]])
    batch = torch.from_numpy(ids[None]).long()
    with torch.no_grad():
        states = model.model(
            input_ids=batch, attention_mask=torch.ones_like(batch, dtype=torch.bool)
        ).last_hidden_state
        table = model.model.word_logits(states[0, start : start + len(name)]).log_softmax(-1)
    return float(np.mean([float(table[place, piece]) for place, piece in enumerate(name)]))


def test_names_that_are_alike_are_left_to_the_prior(linking_model: LinkingModel) -> None:
    alike = WordScorer(linking_model, lambda *_: "Georgia", prior_weight=WEIGHT)
    decision = alike(CASES[:1])[0][0]
    assert decision == Decision(GEORGIA, read=False)


LONG = st.lists(
    st.sampled_from(["Georgia", "東京都", "a", "Berlin ", " ", "\n", "\ud800", "ﷺ" * 30, "x" * 90]),
    min_size=1,
    max_size=30,
).map("".join)


@given(text=LONG, data=st.data(), most=st.integers(12, 62))
@settings(max_examples=40)
def test_every_mention_that_fits_is_decided_in_one_window(
    text: str, data: st.DataObject, most: int, linking_model: LinkingModel
) -> None:
    spans = st.tuples(st.integers(0, len(text) - 1), st.integers(1, 40))
    drawn = data.draw(st.lists(spans, max_size=8))
    mentions = tuple(Mention(a, min(a + size, len(text)), "Q1") for a, size in drawn)
    tokenizer = linking_model.tokenizer
    windows = cut_windows(tokenizer, [AnnotatedText(text, "en", mentions)], max_length=most)
    decided = [
        mention
        for window in windows
        for mention, here in zip(window.mentions, window.decided, strict=True)
        if here
    ]
    plain = text.replace("\ud800", "\ufffd")
    (_, pieces), *_ = tokenizer.pieces(
        [AnnotatedText(plain, "en", tuple(replace(m, entity=None) for m in mentions))]
    )
    sizes = (pieces[:, 1] - pieces[:, 0]).tolist()
    fitting = [place for place, size in enumerate(sizes) if 0 < size <= most - 2]
    assert sorted(decided) == fitting
    for window in windows:
        assert len(window.encoded.input_ids) <= most
        assert set(window.encoded.entity_ids.tolist()) == {tokenizer.entities.mask_row}
        assert len(window.mentions) == len(window.encoded.spans) == len(window.decided)


def test_a_mention_is_decided_where_it_has_most_context(linking_model: LinkingModel) -> None:
    words = [f"Berlin{number} " for number in range(40)]
    mentions, place = [], 0
    for word in words:
        mentions.append(Mention(place, place + len(word) - 1))
        place += len(word)
    text = AnnotatedText("".join(words), "en", tuple(mentions))
    windows = cut_windows(linking_model.tokenizer, [text], max_length=40)
    seen: dict[int, list[tuple[int, bool]]] = {}
    for window in windows:
        length = len(window.encoded.input_ids)
        for (start, end), mention, here in zip(
            window.encoded.spans.tolist(), window.mentions, window.decided, strict=True
        ):
            seen.setdefault(mention, []).append((min(start, length - end), here))
    assert any(len(own) > 1 for own in seen.values())
    for own in seen.values():
        assert sum(here for _, here in own) == 1
        assert max(own)[0] == next(distance for distance, here in own if here)


def test_very_many_mentions_are_read_in_turns(
    linking_model: LinkingModel, world: KnowledgeBase
) -> None:
    text = "Georgia " * 6
    mentions = tuple(Mention(8 * (n % 6), 8 * (n % 6) + 7) for n in range(1000))
    case = Case(AnnotatedText(text, "en", mentions), (GEORGIA,) * 1000)
    windows = cut_windows(linking_model.tokenizer, [case.text], max_length=60)
    assert max(len(window.mentions) for window in windows) <= 128
    assert all(decision.read for decision in scorer(linking_model, world)([case])[0])


@given(st.lists(st.integers(1, 9000), max_size=50))
def test_batches_hold_every_item_once_and_not_too_much(sizes: list[int]) -> None:
    batches = in_batches(sizes)
    assert sorted(place for batch in batches for place in batch) == list(range(len(sizes)))
    for batch in batches:
        longest = max(sizes[place] for place in batch)
        assert len(batch) == 1 or len(batch) * longest <= 8192


@pytest.mark.parametrize("name", ["words", "entities"])
@pytest.mark.parametrize("order", ["together", "confident-first"])
def test_a_linker_uses_the_model(
    name: str, order: str, world: KnowledgeBase, linking_model: LinkingModel, linker: Linker
) -> None:
    options = LinkingOptions(scorer=name, order=order, nil_threshold=0.2)  # type: ignore[arg-type]
    by_model = Linker.open(world, model=linking_model, options=options)
    texts = ["Georgia in May, \ud800 Atlanta", "", "München \0" + " Georgia" * 200]
    found = by_model.link(texts, language="en")
    by_prior = linker.link(texts, language="en")
    assert [[link.start for link in one.links] for one in found] == [
        [link.start for link in one.links] for one in by_prior
    ]
    scores = [[c.score for c in link.candidates] for one in found for link in one.links]
    assert scores != [[c.score for c in link.candidates] for one in by_prior for link in one.links]
    assert all(sum(own) == pytest.approx(1) for own in scores)
    georgia, may = found[0].links[:2]
    # Both Georgias have one English name, and of the two Mays the model has one entity.
    by_context, by_prior_alone = (georgia, may) if name == "entities" else (may, georgia)
    assert by_context.why.startswith(f"by name and context ({name})")
    assert by_prior_alone.why.endswith("for the model cannot choose between them")


def test_without_saying_more_a_model_means_entities(
    world: KnowledgeBase, linking_model: LinkingModel
) -> None:
    assert Linker.open(world, model=linking_model).scorer == "entities"
    by_prior = Linker.open(world, model=linking_model, options=LinkingOptions(scorer="prior"))
    assert by_prior.scorer == "prior"
