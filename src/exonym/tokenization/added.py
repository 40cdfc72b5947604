"""Added tokens of a checkpoint directory: which they are, their ids, and the relation markers.

Two styles are around. Since transformers 4.34 ``tokenizer_config.json`` has all of them in
``added_tokens_decoder``; repositories of 2021 have ``special_tokens_map.json`` and
``added_tokens.json`` (or the entries of ``tokenizer.json``). What is not listed gets the next free
id, in the order of XLM-R's special tokens, then ``<ent>`` and ``<ent2>``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from exonym.foundation.errors import FormatError
from exonym.foundation.files import JSON, read_json
from exonym.tokenization.layout import MASK_PIECE

TOKENIZER_CONFIG_FILE = "tokenizer_config.json"
SPECIAL_TOKENS_FILE = "special_tokens_map.json"
ADDED_TOKENS_FILE = "added_tokens.json"
TOKENIZER_FILE = "tokenizer.json"
MARKERS = ("<ent>", "<ent2>")
ROLES = {
    "bos_token": "<s>",
    "eos_token": "</s>",
    "unk_token": "<unk>",
    "sep_token": "</s>",
    "pad_token": "<pad>",
    "cls_token": "<s>",
    "mask_token": MASK_PIECE,
}
"""The roles of special tokens in ``tokenizer_config.json``, with XLM-R's pieces."""


@dataclass(frozen=True, slots=True)
class AddedToken:
    """A token that is found in a text as it stands, before the word pieces are.

    Args:
        content: its characters.
        lstrip: whether it swallows the blanks before it.
        rstrip: whether it swallows the blanks behind it.
        special: whether it is markup rather than language.
    """

    content: str
    lstrip: bool = False
    rstrip: bool = False
    special: bool = True

    def to_json(self) -> JSON:
        """Its fields as transformers writes them."""
        return {**asdict(self), "single_word": False, "normalized": False}


@dataclass(frozen=True, slots=True)
class AddedTokens:
    """The added tokens of a tokenizer.

    Args:
        by_id: id to token, special pieces of XLM-R included.
        markers: ids of the markers around the first and the second entity of a relation.
    """

    by_id: Mapping[int, AddedToken]
    markers: tuple[int, int]

    @property
    def ids(self) -> dict[str, int]:
        """Content to id."""
        return {token.content: identifier for identifier, token in self.by_id.items()}


def read_added_tokens(
    directory: Path | None, piece_id: Callable[[str], int | None], size: int
) -> AddedTokens:
    """Read the added tokens of a directory as transformers 4.57 does.

    Args:
        directory: with the files named above, all optional; None stands for an empty one.
        piece_id: gives the id of a piece, or None.
        size: ids of the word pieces, ``<mask>`` included; added tokens begin there.

    Raises:
        FormatError: a file is damaged, or two added tokens claim one id.
    """
    config = _read(directory, TOKENIZER_CONFIG_FILE)
    try:
        tokens, additional = _listed(directory, config)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        where = None if directory is None else directory / TOKENIZER_CONFIG_FILE
        raise FormatError(f"the added tokens cannot be read ({error!r})", where=where) from error
    ids = {token.content: identifier for identifier, token in tokens.items()}
    following = size + sum(piece_id(content) is None for content in ids)
    markers = [config.get(f"entity_token_{number}", MARKERS[number - 1]) for number in (1, 2)]
    additional += [_token(marker) for marker in markers]
    roles = [_role(config, role) for role in ROLES]
    for token in (*roles, *additional):
        if token.content in ids:
            continue
        identifier = piece_id(token.content)
        if identifier is None:
            identifier, following = following, following + 1
        if identifier in tokens:
            raise FormatError(
                f"id {identifier} is claimed by {tokens[identifier].content!r} and "
                f"{token.content!r}",
                where=directory,
            )
        tokens[identifier], ids[token.content] = token, identifier
    first, second = (ids[token.content] for token in additional[:2])
    return AddedTokens(dict(sorted(tokens.items())), (first, second))


def _listed(directory: Path | None, config: JSON) -> tuple[dict[int, AddedToken], list[AddedToken]]:
    """The tokens that come with their ids, and the additional special ones in order."""
    additional = [_token(value) for value in config.get("additional_special_tokens") or ()]
    if "added_tokens_decoder" in config:
        decoder = config["added_tokens_decoder"]
        return {int(identifier): _token(value) for identifier, value in decoder.items()}, additional
    special = _read(directory, SPECIAL_TOKENS_FILE)
    for value in special.get("additional_special_tokens") or ():
        token = _token(value)
        if token.content not in [known.content for known in additional]:
            additional.append(token)
    config.update({role: special[role] for role in ROLES if role in special})
    tokens = {
        int(identifier): AddedToken(content)
        for content, identifier in _read(directory, ADDED_TOKENS_FILE).items()
    }
    for value in _read(directory, TOKENIZER_FILE).get("added_tokens", ()):
        tokens[int(value["id"])] = _token(value)
    return tokens, additional


def _read(directory: Path | None, name: str) -> JSON:
    if directory is None or not (directory / name).is_file():
        return {}
    value = read_json(directory / name)
    if not isinstance(value, dict):
        raise FormatError("expected a JSON object", where=directory / name)
    return value


def _role(config: JSON, role: str) -> AddedToken:
    value = config.get(role) or ROLES[role]
    if isinstance(value, str):
        return AddedToken(value, lstrip=role == "mask_token")
    return _token(value)


def _token(value: Any) -> AddedToken:
    if isinstance(value, str):
        return AddedToken(value)
    if value.get("single_word"):
        raise ValueError(f"{value['content']!r} has single_word, which is not supported")
    return AddedToken(
        str(value["content"]),
        lstrip=bool(value.get("lstrip", False)),
        rstrip=bool(value.get("rstrip", False)),
        special=bool(value.get("special", True)),
    )


def tokenizer_config(added: AddedTokens, **fields: object) -> JSON:
    """The content of ``tokenizer_config.json`` in the style of transformers 4.57."""
    first, second = (added.by_id[identifier].content for identifier in added.markers)
    return {
        "tokenizer_class": "MLukeTokenizer",
        "added_tokens_decoder": {
            str(identifier): token.to_json() for identifier, token in added.by_id.items()
        },
        "additional_special_tokens": additional_tokens(added),
        "clean_up_tokenization_spaces": False,
        **ROLES,
        "entity_token_1": first,
        "entity_token_2": second,
        "entity_pad_token": "[PAD]",
        "entity_unk_token": "[UNK]",
        "entity_mask_token": "[MASK]",
        "entity_mask2_token": "[MASK2]",
        **fields,
    }


def special_tokens_map(added: AddedTokens) -> JSON:
    """The content of ``special_tokens_map.json``."""
    mask = added.by_id[added.ids[MASK_PIECE]]
    return {
        **ROLES,
        "mask_token": mask.to_json(),
        "additional_special_tokens": additional_tokens(added),
    }


def additional_tokens(added: AddedTokens) -> list[str]:
    """The special tokens that are not XLM-R's own, the markers first."""
    own = set(ROLES.values())
    markers = [added.by_id[identifier].content for identifier in added.markers]
    return [*markers, *_others(added.by_id.values(), own.union(markers))]


def _others(tokens: Iterable[AddedToken], known: set[str]) -> list[str]:
    return [token.content for token in tokens if token.special and token.content not in known]
