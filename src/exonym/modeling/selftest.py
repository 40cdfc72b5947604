"""Self-test of a checkpoint directory: is it intact, and does it compute?"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from torch import Tensor

from exonym.foundation.errors import ExonymError
from exonym.knowledge import EntityVocabulary
from exonym.modeling.checkpoint import CONFIG_FILE, PREFIX, read_config, read_shape, read_weights
from exonym.modeling.classifiers import load_model
from exonym.modeling.heads import EntityMaskedLM
from exonym.modeling.inspection import HEADS
from exonym.modeling.loading import renamed
from exonym.modeling.pretrained import Pretrained
from exonym.modeling.selftest_ids import (
    FAIL,
    OK,
    WARNING,
    Finding,
    check_entities,
    check_words,
)
from exonym.text import AnnotatedText, Mention
from exonym.tokenization import EncodedBatch, EntityTokenizer, WordTokenizer
from exonym.tokenization.markers import TASKS, Task

__all__ = ["FAIL", "OK", "WARNING", "Finding", "check_checkpoint"]

# Two names in each, which are the mentions.
_SENTENCES = (
    ("en", "Tokyo is the capital and the largest city of Japan.", "Tokyo", "Japan"),
    ("de", "München ist die Hauptstadt von Bayern.", "München", "Bayern"),
    ("fr", "Paris est la capitale de la France.", "Paris", "France"),
    ("ru", "Москва является столицей России.", "Москва", "России"),
    ("ja", "東京は日本の首都である。", "東京", "日本"),
    ("zh", "北京是中华人民共和国的首都。", "北京", "中华人民共和国"),
    ("ar", "القاهرة هي عاصمة مصر وأكبر مدنها.", "القاهرة", "مصر"),
    ("hi", "नई दिल्ली भारत की राजधानी है।", "नई दिल्ली", "भारत"),
    ("th", "กรุงเทพมหานครเป็นเมืองหลวงของประเทศไทย", "กรุงเทพมหานคร", "ประเทศไทย"),
    ("sw", "Nairobi ni mji mkuu wa Kenya.", "Nairobi", "Kenya"),
)
_TASKS: dict[str, Task] = {
    "LukeForEntityClassification": "entity_classification",
    "LukeForEntityPairClassification": "entity_pair_classification",
    "LukeForEntitySpanClassification": "entity_span_classification",
}
_CHUNK = 1 << 24  # numbers looked at at once
_STEP = 4  # every how many pieces one is masked
_GOOD = 0.10  # of the pieces score above the right one, at most


def check_checkpoint(directory: Path) -> Iterator[Finding]:
    """Test a checkpoint directory; what one finding makes impossible is not tried.

    Args:
        directory: with ``config.json``; see `exonym.foundation.hub.locate` for names on the hub.

    Yields:
        Findings in the order of the checks, each as soon as it is known.
    """
    try:
        config = read_shape(directory)
        architectures = read_config(directory).get("architectures")
    except ExonymError as error:
        yield Finding(FAIL, "configuration", str(error))
        return
    named = architectures[0] if isinstance(architectures, list) and architectures else None
    head = HEADS.get(str(named), "a head that Exonym does not have")
    yield Finding(OK, "configuration", f"{CONFIG_FILE} can be read; {named}: {head}")
    findings, tensors, model = _check_tensors(directory)
    yield from findings
    found, words = check_words(directory, config)
    yield from found
    findings += found
    found, entities = check_entities(directory, config, tensors)
    yield from found
    findings += found
    if model is not None:
        if isinstance(model, EntityMaskedLM):
            yield _decoders(model)  # these do not hinder the computation
        if all(finding.verdict != FAIL for finding in findings):
            if words is not None and entities is not None:
                yield from _check_computation(model, words, entities)
            else:
                yield _run_on_ids(model)
            return
    yield Finding(WARNING, "computation", "not tried, because of the above")


def _check_tensors(
    directory: Path,
) -> tuple[list[Finding], dict[str, Tensor], Pretrained | None]:
    """Check the tensors; also gives them and the model, if they can be read."""
    try:
        tensors = renamed(read_weights(directory), PREFIX)
    except ExonymError as error:
        return [Finding(FAIL, "tensors", str(error))], {}, None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of decoders, which have a check of their own
            model = load_model(directory)
    except ExonymError as error:
        return [Finding(FAIL, "tensors", str(error)), _finite(tensors)], tensors, None
    report = model.load_report
    assert report is not None, "a loaded model has one"
    numbers = sum(tensor.numel() for tensor in tensors.values())
    kept = f"; {len(report.kept)} are kept without being used" if report.kept else ""
    findings = [
        Finding(
            OK,
            "tensors",
            f"all there with the right shapes, {numbers:,} numbers in {len(report.files)} "
            f"file{'s' * report.sharded}{kept}",
        )
    ]
    if report.unexpected:
        shown = ", ".join(report.unexpected[:4]) + ", …" * (len(report.unexpected) > 4)
        text = f"{len(report.unexpected)} belong to no part of this model, not used: {shown}"
        findings.append(Finding(WARNING, "tensors", text))
    return [*findings, _dtype(report.stored_dtypes), _finite(tensors)], tensors, model


def _dtype(dtypes: tuple[torch.dtype, ...]) -> Finding:
    names = [str(dtype).removeprefix("torch.") for dtype in dtypes]
    if len(names) > 1:
        return Finding(WARNING, "dtype", f"mixed: {', '.join(names)}")
    return Finding(OK, "dtype", f"{names[0]} throughout")


def _finite(tensors: Mapping[str, Tensor]) -> Finding:
    """No tensor has a value that is not a number, or is infinite."""
    broken = [name for name, tensor in tensors.items() if not _is_finite(tensor)]
    if not broken:
        return Finding(OK, "values", "all finite")
    return Finding(
        FAIL,
        "values",
        f"{broken[0]!r} has values that are infinite or no numbers ({len(broken)} such tensors)",
    )


def _is_finite(tensor: Tensor) -> bool:
    flat = tensor.reshape(-1)  # of a contiguous tensor no copy
    return all(bool(part.isfinite().all()) for part in torch.split(flat, _CHUNK))


def _decoders(model: Pretrained) -> Finding:
    report = model.load_report
    assert report is not None, "a loaded model has one"
    if report.differing:
        return Finding(
            FAIL,
            "decoders",
            f"{', '.join(report.differing)} differ from the tables they are tied to. Exonym and "
            "transformers 4.57 take the tables; transformers 5 makes such decoders at random and "
            "writes them. `exonym checkpoint convert` leaves them out",
        )
    if report.tied:
        return Finding(OK, "decoders", "stored, and equal to the tables they are tied to")
    return Finding(OK, "decoders", "tied to their tables, not stored")


def _check_computation(
    model: Pretrained, words: WordTokenizer, entities: EntityVocabulary
) -> Iterator[Finding]:
    """Run the model on sentences in several languages."""
    task = _TASKS.get(model.architecture)
    tokenizer = EntityTokenizer(words, entities, task=task)
    most = TASKS[task] if task is not None else None
    texts = [_annotated(*sentence, most=most) for sentence in _SENTENCES]
    try:
        batch = tokenizer(texts, max_length=model.config.max_words, overflow="cut")
    except ExonymError as error:
        yield Finding(FAIL, "computation", f"sentences cannot be tokenized ({error})")
        return
    languages = " ".join(language for language, *_ in _SENTENCES)
    finding = _run(model, batch.to("cpu"), f"sentences in {languages}")
    yield finding
    if finding.verdict == OK and isinstance(model, EntityMaskedLM):
        yield _masked_words(model, batch, words)


def _run_on_ids(model: Pretrained) -> Finding:
    """Run the model on arbitrary ids, where there is no tokenizer to make some of a text."""
    length = min(16, model.config.max_words)
    ids = torch.arange(length)[None] * (model.config.vocab_size // length)
    rows = torch.arange(2)[None].clamp(max=model.config.entity_vocab_size - 1)
    places = torch.tensor([[[1, 2], [3, -1]]]).clamp(max=length - 1)
    batch = {
        "input_ids": ids,
        "attention_mask": torch.ones_like(ids, dtype=torch.bool),
        "entity_ids": rows,
        "entity_attention_mask": torch.ones_like(rows, dtype=torch.bool),
        "entity_position_ids": places,
    }
    if _TASKS.get(model.architecture) == "entity_span_classification":
        batch |= {"entity_start_positions": places[..., 0], "entity_end_positions": places[..., 0]}
    return _run(model, batch, "arbitrary ids")


def _run(model: Pretrained, batch: dict[str, Tensor], what: str) -> Finding:
    try:
        with torch.inference_mode():
            output = model(**batch)
    except (ExonymError, RuntimeError, IndexError) as error:
        reason = str(error).splitlines()[0]
        return Finding(FAIL, "computation", f"the model cannot be run on {what} ({reason})")
    values = {
        name: value
        for name in output.__slots__
        if isinstance(value := getattr(output, name), Tensor)
    }
    broken = [name for name, value in values.items() if not bool(value.isfinite().all())]
    if broken:
        return Finding(FAIL, "computation", f"{', '.join(broken)} are not finite on {what}")
    return Finding(OK, "computation", f"{', '.join(values)} are finite on {what}")


def _annotated(language: str, text: str, *names: str, most: int | None) -> AnnotatedText:
    places = [text.index(name) for name in names]
    mentions = [
        Mention(place, place + len(name)) for place, name in zip(places, names, strict=True)
    ]
    return AnnotatedText(text, language, tuple(mentions[:most]))


def _masked_words(model: EntityMaskedLM, batch: EncodedBatch, words: WordTokenizer) -> Finding:
    """How well the word head guesses masked pieces: a hint, since new models cannot."""
    ids, mask, targets, places = [], [], [], []
    for row, text in enumerate(batch.texts):
        for place in range(1, len(text.input_ids) - 1, _STEP):
            masked = torch.tensor(batch.input_ids[row], dtype=torch.long)
            if int(masked[place]) == words.unk_id:
                continue
            targets.append(int(masked[place]))
            masked[place] = words.mask_id
            ids.append(masked)
            mask.append(torch.from_numpy(batch.attention_mask[row]))
            places.append(place)
    if not places:
        return Finding(WARNING, "masked words", "not tried: the tokenizer knows none of the words")
    with torch.inference_mode():
        states = model(input_ids=torch.stack(ids), attention_mask=torch.stack(mask))
        hidden = states.last_hidden_state[torch.arange(len(places)), torch.tensor(places)]
        logits = model.word_logits(hidden)
    right = logits.gather(1, torch.tensor(targets)[:, None])
    above = (logits > right).float().mean(dim=1)
    share = float(above.median())
    shown = f"of all pieces {share:.1%} score above the right one (median of {len(targets)} masked)"
    if share <= _GOOD:
        return Finding(OK, "masked words", shown)
    return Finding(
        WARNING,
        "masked words",
        f"{shown}; by chance it is 50 %. An untrained model, or a word head or ids that do not "
        "belong to it",
    )
