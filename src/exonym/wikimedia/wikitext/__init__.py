"""Wikitext to plain paragraphs and links, in time linear in the text, never with an exception.

The work is done in four passes, each a module:

1. `removal`: comments, templates, references and other elements that carry no running text;
2. `blocks`: tables and files go, lines become paragraphs and list items;
3. `inline`: links, emphasis, HTML, entities of one paragraph;
4. `tidy`: blanks and what removed templates leave behind; the spans are counted here, last.
"""

from exonym.wikimedia.wikitext.extract import Link, Paragraph, extract_paragraphs

__all__ = ["Link", "Paragraph", "extract_paragraphs"]
