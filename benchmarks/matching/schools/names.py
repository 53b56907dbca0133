"""Names by origin: who is called what, how often, and how else a person or a clerk writes it."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Texts = NDArray[np.object_]

SHARES = {
    "english": 0.58,
    "chinese": 0.12,
    "spanish": 0.09,
    "korean": 0.06,
    "vietnamese": 0.03,
    "indian": 0.04,
    "german": 0.025,
    "french": 0.025,
    "japanese": 0.015,
    "nigerian": 0.015,
}
"""Shares of origins in a school that boards; an assumption like the rates."""

_LISTS: dict[str, Any] = tomllib.loads(Path(__file__).with_name("names.toml").read_text())

CALLED: Mapping[str, Sequence[str]] = _LISTS["called"]
RESPELLED: Mapping[str, str] = _LISTS["respelled"]
ALIKE: Sequence[tuple[str, str]] = [(one, two) for one, two in _LISTS["twins"]["alike"]]
STREETS: Sequence[str] = _LISTS["address"]["streets"]
KINDS: Sequence[str] = _LISTS["address"]["kinds"]
CHARACTERS: Mapping[str, str] = {
    romanised: written for part in _LISTS["chinese"].values() for romanised, written in part.items()
}
"""Chinese syllables and one way of writing each."""

EAST_ASIA = ("chinese", "korean", "vietnamese", "japanese")


@dataclass(frozen=True)
class Names:
    """The names of one origin, each with its share (they add up to 1)."""

    girls: Texts
    girls_shares: NDArray[np.float64]
    boys: Texts
    boys_shares: NDArray[np.float64]
    last: Texts
    last_shares: NDArray[np.float64]


def _zipf(count: int, power: float) -> NDArray[np.float64]:
    weights = 1.0 / (np.arange(count, dtype=np.float64) + 3.0) ** power
    return np.asarray(weights / weights.sum(), dtype=np.float64)


def _texts(values: Sequence[str]) -> Texts:
    made = np.empty(len(values), dtype=object)
    made[:] = list(values)
    return made


def _faker(locale: str) -> Any:
    return import_module(f"faker.providers.person.{locale}").Provider


def _of(girls: Any, boys: Any, last: Any, *, power: float = 0.8, last_power: float = 0.8) -> Names:
    """Names with the frequencies that Faker has for them; else by Zipf's law with these powers.

    Given names without frequencies come in the order of the alphabet, so they are ranked by chance, once.
    """
    return Names(
        *_weighted(girls, power, by_chance=True),
        *_weighted(boys, power, by_chance=True),
        *_weighted(last, last_power),
    )


def _weighted(values: Any, power: float, *, by_chance: bool = False) -> tuple[Texts, NDArray[np.float64]]:
    names = list(dict.fromkeys(values))
    if isinstance(values, dict) and all(isinstance(weight, float) for weight in values.values()):
        weights = np.array(list(values.values()))
        return _texts(names), weights / weights.sum()
    if by_chance or names == sorted(names):
        np.random.default_rng(len(names)).shuffle(names)
    return _texts(names), _zipf(len(names), power)


@cache
def names_of(origin: str) -> Names:
    """The names of an origin in ``SHARES``."""
    if origin == "english":
        provider = _faker("en_US")
        return _of(provider.first_names_female, provider.first_names_male, provider.last_names)
    if origin == "chinese":
        return _chinese(_LISTS["chinese"])
    if origin == "korean":
        return _korean(_LISTS["korean"])
    if origin == "vietnamese":
        provider = _faker("vi_VN")
        both = list(provider.first_names_unisex)
        return _of(
            [*provider.first_names_female, *both],
            [*provider.first_names_male, *both],
            _LISTS["vietnamese"]["last"],
            last_power=1.4,
        )
    locale = {
        "spanish": "es_MX", "indian": "en_IN", "german": "de_DE", "french": "fr_FR", "nigerian": "yo_NG",
        "japanese": "ja_JP",
    }[origin]  # fmt: skip
    provider = _faker(locale)
    if origin == "japanese":
        return _of(
            provider.first_romanized_names_female,
            provider.first_romanized_names_male,
            provider.last_romanized_names,
        )
    return _of(provider.first_names_female, provider.first_names_male, provider.last_names)


def _chinese(lists: Mapping[str, Mapping[str, str]]) -> Names:
    girls, boys = [
        [*lists[part], *(f"{one} {two}" for one in lists[part] for two in lists[part] if one != two)]
        for part in ("girls", "boys")
    ]
    return _of(girls, boys, lists["last"], power=0.5, last_power=1.0)


def _korean(lists: Mapping[str, Sequence[str]]) -> Names:
    girls, boys = [
        [f"{one}-{two}" for one in lists[f"{part}_first"] for two in lists[f"{part}_second"]]
        for part in ("girls", "boys")
    ]
    return _of(girls, boys, lists["last"], power=0.6, last_power=1.3)
