"""The dataset card of a text directory: a README with the settings that dataset libraries read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from exonym.foundation.files import JSON

_SIZES = ((10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M"),
          (10**7, "1M<n<10M"), (10**8, "10M<n<100M"), (10**9, "100M<n<1B"))  # fmt: skip
_BODY = """
# Wikipedia paragraphs with their entities

Running text of Wikipedia, one row per paragraph, with the entities that its links name. Made by
`exonym corpus export`; `manifest.json` has the counts and the digest of every file.

| column | type | what |
| --- | --- | --- |
| `text` | string | the paragraph, without markup |
| `language` | string | Wikipedia's language code |
| `source` | string | title key of the page, such as `ja:東京都` |
| `page_id` | int64 | the wiki's id of the page |
| `mentions` | list of struct | the links, in the order of the text: |
| | `start`, `end`: int32 | characters (code points) [start, end) of `text` |
| | `entity`: string | a Wikidata item (`Q1490`), or the title key of a page without one |
| | `score`: float64 | null: links have none |

Rows are in the order of the dumps; a page's paragraphs follow each other, in one file.

```python
import datasets

texts = datasets.load_dataset("PATH_OR_NAME", "{example}", split="train")
row = texts[0]
for mention in row["mentions"]:
    print(row["text"][mention["start"] : mention["end"]], mention["entity"])
```

## Counts

{counts}

## Sources

{sources}

## Licence

The text is by the authors of Wikipedia, under the Creative Commons Attribution-ShareAlike licence
(CC BY-SA 4.0; also under the GNU Free Documentation License). `source` and `page_id` name the page
of every row, whose history names the authors; who passes the text on must name it, too, and keep
the licence. Changed: markup, tables and templates are left out. Wikidata's identifiers are CC0.
"""


def dataset_card(languages: Mapping[str, JSON], sources: Sequence[JSON]) -> str:
    """A card in Markdown, with YAML in front.

    Args:
        languages: counts (``pages``, ``texts``, ``bytes``, ``mentions``) by language code.
        sources: the dumps: ``name``, ``language``, ``date`` (None where the file does not say).
    """
    rows = [
        [code, *(f"{counts[name]:,}" for name in ("pages", "texts", "mentions", "bytes"))]
        for code, counts in languages.items()
    ]
    total = sum(counts["texts"] for counts in languages.values())
    body = _BODY.format(
        example=next(iter(languages)),
        counts=_table(["language", "pages", "rows", "mentions", "bytes of text"], rows),
        sources=_table(
            ["file", "language", "date"],
            [[str(source[name] or "-") for name in ("name", "language", "date")]
             for source in sources],
        ),
    )  # fmt: skip
    return f"---\n{_settings(languages, total)}---\n{body}"


def _settings(languages: Mapping[str, JSON], rows: int) -> str:
    """The YAML; codes are quoted, since ``no`` alone is a truth value."""
    size = next((name for limit, name in _SIZES if rows < limit), "n>1B")
    lines = ["license: cc-by-sa-4.0", "language:"]
    lines += [f'- "{code}"' for code in languages]
    lines += ["size_categories:", f"- {size}", "tags:", "- entity-linking", "- wikipedia"]
    lines += ["configs:"]
    for code in languages:
        lines += [
            f'- config_name: "{code}"',
            "  data_files:",
            "  - split: train",
            f'    path: "data/{code}/train-*.parquet"',
        ]
    return "".join(f"{line}\n" for line in lines)


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
