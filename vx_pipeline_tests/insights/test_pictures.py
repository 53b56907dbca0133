"""The pictures: well-formed whatever people are called, each mark drawn once, and the same every time."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from itertools import pairwise
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from vx_pipeline.insights.legend import LOOKS, look_of, missed, percent, rate, worst
from vx_pipeline.insights.pictures import STYLE_SHEET, draw
from vx_pipeline.insights.term import lay_out_term
from vx_pipeline.insights.week import Session, lay_out_week

SVG = "{http://www.w3.org/2000/svg}"
FIRST = date(2026, 11, 19)
DAYS = [FIRST + timedelta(days=number) for number in range(7)]
KINDS = [look.kind for look in LOOKS]

names = st.text(max_size=60) | st.sampled_from(
    [
        'Ann "Al" O\'Neil & <b>Sons</b>',
        "x" * 255,
        "\N{HEBREW LETTER ALEF}\N{HEBREW LETTER BET}",
        "\N{RIGHT-TO-LEFT OVERRIDE}nna",
        "Ann \N{BABY}\N{EMOJI MODIFIER FITZPATRICK TYPE-4}\N{ZERO WIDTH JOINER}",
        "a\x00b\x1fc\ufffed",
        "]]>",
        "{{ picture }}",
    ]
)
sessions = st.tuples(
    st.sampled_from(["", "08:00", "08:00", "09:10", "13:15"]), st.integers(1, 2**62), st.sampled_from(KINDS)
)
weeks = st.dictionaries(st.sampled_from(DAYS), st.lists(sessions, max_size=5))
students = st.lists(st.tuples(names, weeks), max_size=6)


def parse(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg.encode())


def drawn(root: ElementTree.Element) -> list[tuple[str, str, str]]:
    """Kind, x and y of every mark."""
    cells = [use for group in root.iter(f"{SVG}g") if group.get("class") == "vx-cells" for use in group]
    return [
        (use.attrib["href"].removeprefix("#vx-"), use.attrib["x"], use.attrib["y"])
        for use in cells
        if use.tag == f"{SVG}use"
    ]


@given(names, students, st.booleans(), st.booleans())
def test_every_mark_of_a_week_is_drawn_once_under_any_name(
    heading: str,
    rows: Sequence[tuple[str, Mapping[date, Sequence[Session]]]],
    standalone: bool,
    hover: bool,
) -> None:
    svg = draw(lay_out_week(heading, rows, DAYS), standalone=standalone, hover=hover)
    root = parse(svg)
    marks = drawn(root)
    expected = Counter(kind for _, told in rows for day in told.values() for _, _, kind in day)
    assert Counter(kind for kind, _, _ in marks) == expected
    assert len({(x, y) for _, x, y in marks}) == len(marks)
    width, height = int(root.attrib["width"]), int(root.attrib["height"])
    assert all(0 <= int(x) <= width - 16 and 0 <= int(y) <= height - 16 for _, x, y in marks)
    assert svg == draw(lay_out_week(heading, rows, DAYS), standalone=standalone, hover=hover)


@given(names, weeks, st.booleans())
def test_every_day_of_a_term_is_drawn_once(
    heading: str, days: Mapping[date, Sequence[Session]], standalone: bool
) -> None:
    svg = draw(lay_out_term(heading, days, FIRST, DAYS[-1]), standalone=standalone)
    root = parse(svg)
    marks = drawn(root)
    expected = [worst(kind for _, _, kind in told).kind for told in days.values() if told]
    assert Counter(kind for kind, _, _ in marks) == Counter(expected)
    assert len({(x, y) for _, x, y in marks}) == len(marks)


def test_a_picture_tells_whoever_cannot_see_it() -> None:
    marks = {FIRST: [("08:00", 5, "late"), ("09:10", 6, "present")]}
    root = parse(draw(lay_out_week("North House", [("Ann", marks)], DAYS), standalone=True))
    title, told = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert root.attrib["role"] == "img"
    assert title is not None
    assert told is not None
    assert root.attrib["aria-labelledby"] == f"{title.attrib['id']} {told.attrib['id']}"
    assert title.text == "North House"
    assert told.text == "Class attendance from Thu 19 Nov to Wed 25 Nov, 1 student: 1 late; 1 present."
    hovers = [title.text for use in root.iter(f"{SVG}use") for title in use]
    assert hovers == ["Thu 19 Nov 08:00, class 5: Late", "Thu 19 Nov 09:10, class 6: Present"]


def test_who_had_no_class_meeting_has_an_empty_row() -> None:
    picture = lay_out_week("North House", [("Ann", {}), ("Ben", {FIRST: [("08:00", 5, "present")]})], DAYS)
    assert [(row.label, len(row.cells), row.rate) for row in picture.rows] == [
        ("Ann", 0, "–"),  # noqa: RUF001 - the dash is meant
        ("Ben", 1, "100\N{NO-BREAK SPACE}%"),
    ]


def test_no_two_kinds_share_a_letter_so_that_colour_is_not_all() -> None:
    assert len({look.letter for look in LOOKS}) == len(LOOKS)


def test_every_colour_of_the_style_sheet_has_a_light_and_a_dark_side() -> None:
    for line in STYLE_SHEET.read_text().splitlines():
        assert "#" not in line or "light-dark(#" in line, line
    svg = draw(lay_out_week("North House", [], DAYS), standalone=True)
    assert "color-scheme: light dark" in svg
    assert "<style" not in draw(lay_out_week("North House", [], DAYS), standalone=False)


def test_the_rate_leaves_out_what_says_nothing() -> None:
    assert rate(["present", "late", "excused", "unexcused"]) == 0.5
    assert rate(["present", "not_expected", "untaken", "unknown"]) == 1.0
    assert rate(["not_expected", "untaken"]) is None
    assert missed(["excused", "present", "untaken"]) == (1, 2)


def test_a_share_is_never_rounded_up_to_a_full_one() -> None:
    assert percent(0.999) == "99\N{NO-BREAK SPACE}%"
    assert percent(0.29) == "29\N{NO-BREAK SPACE}%"
    assert percent(1.0) == "100\N{NO-BREAK SPACE}%"


def test_a_kind_that_nobody_knows_is_shown_as_unknown() -> None:
    assert look_of("purple").kind == "unknown"
    assert worst(["present", "purple"]).kind == "unknown"


def test_months_stand_above_their_first_week_and_never_on_one_another() -> None:
    picture = lay_out_term("Ann", {}, date(2026, 8, 31), date(2027, 1, 15))
    assert [words for words, _ in picture.months] == ["Sep", "Oct", "Nov", "Dec", "Jan 2027"]
    places = [x for _, x in picture.months]
    assert all(later - earlier >= 48 for earlier, later in pairwise(places))


def test_a_week_without_a_rate_ends_the_line() -> None:
    first = date(2026, 9, 7)
    marks = {first + timedelta(weeks=week): [("08:00", 5, "present")] for week in (0, 1, 3)}
    marks[first + timedelta(weeks=3)] = [("08:00", 5, "present"), ("09:10", 5, "excused")]
    picture = lay_out_term("Ann", marks, first, first + timedelta(weeks=3, days=4))
    assert [point.words for point in picture.points] == ["100", "100", "50"]
    assert len(picture.lines) == 2
    assert picture.scale[1][0] == "50\N{NO-BREAK SPACE}%"
