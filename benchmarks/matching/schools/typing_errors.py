"""What hands and systems do to a text or a date. Each function makes one mistake in one value."""

import unicodedata
from collections.abc import Callable
from datetime import date

import numpy as np

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_KEYBOARD = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_BESIDE = {
    letter: "".join(row[max(0, at - 1) : at] + row[at + 1 : at + 2])
    for row in _KEYBOARD
    for at, letter in enumerate(row)
}


def mistyped(text: str, rng: np.random.Generator) -> str:
    """One letter left out, doubled, put beside, exchanged with its neighbour, or hit on the next key."""
    at = int(rng.integers(len(text)))
    letter = text[at]
    kind = rng.integers(5)
    if kind == 0 and len(text) > 2:
        return text[:at] + text[at + 1 :]
    if kind == 1:
        return text[:at] + letter + text[at:]
    if kind == 2 and at + 1 < len(text) and letter.lower() != text[at + 1].lower():
        return text[:at] + text[at + 1] + letter + text[at + 2 :]
    near = _BESIDE.get(letter.lower()) or _LETTERS
    other = near[int(rng.integers(len(near)))]
    other = other.upper() if letter.isupper() else other
    return text[:at] + other + text[at if kind == 3 else at + 1 :]


def plain_letters(text: str) -> str:
    """The text without accents, as a system shows it that keeps plain letters only."""
    apart = unicodedata.normalize("NFD", text.replace("Đ", "D").replace("đ", "d").replace("ß", "ss"))
    return "".join(letter for letter in apart if not unicodedata.combining(letter))


def truncated(text: str, rng: np.random.Generator) -> str:
    """The text cut off."""
    least = min(3, len(text) - 1)
    return text[: int(rng.integers(least, len(text)))]


def joined(text: str, rng: np.random.Generator) -> str:
    """A name of two syllables written with a hyphen, a blank, or as one word."""
    parts = text.replace("-", " ").split(" ")
    return (" ".join(parts), "-".join(parts), parts[0] + "".join(parts[1:]).lower())[int(rng.integers(3))]


def digit_wrong(day: date, rng: np.random.Generator) -> date:
    """One digit of the day, the month or the year is another one."""
    text = day.isoformat()
    while True:
        at = int(rng.choice([3, 5, 6, 8, 9]))
        tried = text[:at] + str(rng.integers(10)) + text[at + 1 :]
        try:
            other = date.fromisoformat(tried)
        except ValueError:
            continue
        if other != day:
            return other


def day_and_month_exchanged(day: date) -> date | None:
    """The date read in the other order; None where that is no other date."""
    if day.day > 12 or day.day == day.month:
        return None
    return date(day.year, day.day, day.month)


def some(count: int, share: float, rng: np.random.Generator) -> list[int]:
    """The positions of about ``share`` of ``count`` things."""
    positions: list[int] = np.flatnonzero(rng.random(count) < share).tolist()
    return positions


def change(
    values: list[str | None], share: float, rng: np.random.Generator, how: Callable[[str], str]
) -> None:
    """Changes about ``share`` of the values that are there, in place."""
    for at in some(len(values), share, rng):
        value = values[at]
        if value is not None and len(value) > 1:
            values[at] = how(value)
