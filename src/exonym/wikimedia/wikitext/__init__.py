"""Wikitext to plain paragraphs and links, in time linear in the text, never with an exception.

The work is done in four passes over a whole page, each a module; `extract` runs them in order:

1. `removal`: comments, templates, references and other elements that carry no running text;
2. `blocks`: tables and files go, lines become paragraphs and list items;
3. `inline`: HTML tags, links, entities of all paragraphs at once (`brackets`: of those few whose
   brackets are nested or never closed);
4. `tidy`: blanks and what removed templates leave behind (`holes`); the spans are counted last.

A pass looks for what it treats with one regular expression or one search for a fixed string, so
that Python's own code runs once per template, link or paragraph, never once per character.
"""

from exonym.wikimedia.wikitext.extract import Link, Paragraph, extract_paragraphs

__all__ = ["Link", "Paragraph", "extract_paragraphs"]
