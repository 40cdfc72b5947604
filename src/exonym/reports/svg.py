"""Figures as inline SVG: no reference leaves the page, and colours follow its light or dark.

Matplotlib draws in stand-in colours, which become the style sheet's variables here; text stays
text, in the page's own font.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

if TYPE_CHECKING:
    from markupsafe import Markup
    from matplotlib.figure import Figure

_VARIABLES = (
    "ink",
    "muted",
    "rule",
    "paper",
    "chance",
    "most_frequent",
    "words_only",
    "mluke_w",
    "mluke_e_y",
    "mluke_e_xy",
)
COLOURS = {name: f"#0102{number:02x}" for number, name in enumerate(_VARIABLES, start=1)}
"""The colour to draw in, by the name of the style sheet's variable (``--ink`` and so on)."""

RC: dict[Any, Any] = {
    "svg.hashsalt": "exonym",
    "svg.fonttype": "none",
    "text.parse_math": False,
    "font.family": "DejaVu Sans",
    "font.size": 11,
    "axes.edgecolor": COLOURS["rule"],
    "axes.labelcolor": COLOURS["muted"],
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "text.color": COLOURS["ink"],
    "xtick.color": COLOURS["rule"],
    "xtick.labelcolor": COLOURS["muted"],
    "ytick.color": COLOURS["rule"],
    "ytick.labelcolor": COLOURS["ink"],
    "grid.color": COLOURS["rule"],
    "grid.linewidth": 0.6,
    "legend.frameon": False,
}
"""Matplotlib's settings for every figure; they make equal figures equal bytes."""

_SVG = "{http://www.w3.org/2000/svg}"
_XLINK = "{http://www.w3.org/1999/xlink}href"
_FONT_FAMILY = re.compile(r"font-family:[^;]*;? ?")


@dataclass(frozen=True, slots=True)
class Drawing:
    """A figure to put into a page.

    Args:
        svg: the element, safe to insert.
        caption: printed under it.
    """

    svg: Markup
    caption: str


def draw(
    key: str, title: str, description: str, caption: str, plot: Callable[[], Figure]
) -> Drawing:
    """Draw a figure.

    Args:
        key: unlike that of any other figure of the page; letters, digits and hyphens.
        title: its short text alternative.
        description: what a reader who cannot see it should know.
        caption: printed under it.
        plot: makes the figure; called under `RC`.
    """
    import matplotlib
    from markupsafe import Markup

    buffer = io.BytesIO()
    with matplotlib.rc_context():
        matplotlib.rcdefaults()  # a user's own settings would change the bytes
        matplotlib.rcParams.update(RC)
        plot().savefig(buffer, format="svg", metadata={"Date": None})
    root = ElementTree.fromstring(buffer.getvalue())
    _clean(root, key)
    _describe(root, key, title, description)
    for element in root.iter():
        element.tag = element.tag.removeprefix(_SVG)  # bare names, which is how HTML writes SVG
    text = ElementTree.tostring(root, encoding="unicode")
    # Everything in it was written by matplotlib and ElementTree, which escape text.
    return Drawing(Markup(text), caption)


def _clean(root: ElementTree.Element, key: str) -> None:
    """Drop what has no use within a page, make ids its own, and let colours follow it."""
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in (f"{_SVG}metadata", f"{_SVG}style"):
                parent.remove(child)
    for name in ("width", "height", "version"):
        root.attrib.pop(name, None)
    used = {e.attrib[_XLINK].removeprefix("#") for e in root.iter() if _XLINK in e.attrib}
    for element in root.iter():
        attributes = element.attrib
        if attributes.get("id") in used or element.tag == f"{_SVG}clipPath":
            attributes["id"] = f"{key}-{attributes['id']}"
        else:
            attributes.pop("id", None)
        if _XLINK in attributes:
            attributes["href"] = f"#{key}-{attributes.pop(_XLINK).removeprefix('#')}"
        if "clip-path" in attributes:
            attributes["clip-path"] = attributes["clip-path"].replace("url(#", f"url(#{key}-")
        if "style" in attributes:
            attributes["style"] = _style(attributes["style"])


def _style(style: str) -> str:
    for name, colour in COLOURS.items():
        style = style.replace(colour, f"var(--{name.replace('_', '-')})")
    return _FONT_FAMILY.sub("", style)


def _describe(root: ElementTree.Element, key: str, title: str, description: str) -> None:
    root.set("role", "img")
    root.set("aria-labelledby", f"{key}-title {key}-description")
    for place, (tag, name, text) in enumerate(
        (("title", "title", title), ("desc", "description", description))
    ):
        element = ElementTree.Element(f"{_SVG}{tag}", {"id": f"{key}-{name}"})
        element.text = text
        root.insert(place, element)
