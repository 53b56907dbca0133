"""Pictures of attendance as SVG: a house's week and a student's term.

One drawing serves the page, the files and Dagster. It carries its own colours where it stands alone; on the page
they come from the same style sheet, because the page's policy lets no inline style in. The same marks always give
the same text.
"""

import re
from functools import cache
from pathlib import Path

import jinja2
from markupsafe import Markup

from vx_pipeline.insights.legend import LOOKS
from vx_pipeline.insights.term import Term
from vx_pipeline.insights.week import Week

STYLE_SHEET = Path(__file__).with_name("pictures.css")
"""The colours, for a page that shows pictures without ``standalone``."""

_LEGEND_PLACES = (12, 160, 232, 360, 420, 548, 624, 716)
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def draw(picture: Week | Term, *, standalone: bool, hover: bool = True) -> str:
    """A picture as SVG.

    Args:
        picture: what is drawn where.
        standalone: with its own colours, for a file; otherwise ``STYLE_SHEET`` must be at hand.
        hover: with the words of each mark, which a pointer brings up.
    """
    name = "week.svg.jinja" if isinstance(picture, Week) else "term.svg.jinja"
    return (
        _templates()
        .get_template(name)
        .render(
            picture=picture,
            style=_style() if standalone else "",
            hover=hover,
            looks=LOOKS,
            legend=list(zip(LOOKS, _LEGEND_PLACES, strict=True)),
        )
    )


@cache
def _style() -> Markup:
    # It stands at the root of its own document, where nobody else says that both schemes are meant.
    colours = re.sub(r"/\*.*?\*/\s*", "", STYLE_SHEET.read_text(encoding="utf-8"), flags=re.DOTALL)
    return Markup(f"svg {{ color-scheme: light dark; }}\n{colours}")


@cache
def _templates() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        finalize=_xml_text,
    )


def _xml_text(value: object) -> object:
    """Text without the few characters that XML cannot hold; a name may have come with one."""
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", value) if type(value) is str else value
