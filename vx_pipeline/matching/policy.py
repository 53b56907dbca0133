"""The matching policy: weights, patterns and guards, read from the versioned file beside this module."""

import tomllib
from datetime import date
from functools import cache
from importlib import resources
from itertools import product
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Corroboration = Literal[
    "nothing", "own e-mail", "person", "person or initial", "anything", "anything or initial"
]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Rarity(_Part):
    """Bits that depend on how common a name is: ``log2(share / frequency)``, between ``least`` and ``most``."""

    share: float
    least: float
    most: float


class Guards(_Part):
    """What holds for every pattern. Bits are log2 of a likelihood ratio."""

    margin: float
    evidence: float
    floor: float
    grades_apart: int
    common_date: int
    school_domain: int


class Placeholders(_Part):
    """Values that say nothing about a person."""

    dates: tuple[date, ...]
    first_names: tuple[str, ...]
    public_domains: tuple[str, ...]


class Pattern(_Part):
    """Levels of the three fields that identify people, and what else is asked where they agree like this."""

    name: str
    first_name: tuple[str, ...]
    last_name: tuple[str, ...]
    birth_date: tuple[str, ...]
    without_twin: bool = False
    corroborated_by: Corroboration = "nothing"


class Policy(_Part):
    """One version of the policy."""

    version: str
    guards: Guards
    placeholders: Placeholders
    weights: dict[str, dict[str, float | Rarity]]
    patterns: tuple[Pattern, ...] = Field(min_length=1)

    def weight_rows(self) -> list[tuple[Any, ...]]:
        """``field, level, bits, share, least, most``; either ``bits`` or the last three are null."""
        return [
            (field, level, None, weight.share, weight.least, weight.most)
            if isinstance(weight, Rarity)
            else (field, level, weight, None, None, None)
            for field, levels in self.weights.items()
            for level, weight in levels.items()
        ]

    def pattern_rows(self) -> list[tuple[Any, ...]]:
        """The first pattern that fits each combination of levels.

        Returns:
            ``first_name, last_name, birth_date, name, without_twin, corroborated_by``
        """
        rows: dict[tuple[str, str, str], tuple[Any, ...]] = {}
        for pattern in self.patterns:
            for levels in product(pattern.first_name, pattern.last_name, pattern.birth_date):
                rest = (pattern.name, pattern.without_twin, pattern.corroborated_by)
                rows.setdefault(levels, (*levels, *rest))
        return list(rows.values())


@cache
def current_policy() -> Policy:
    """The policy in force."""
    text = resources.files("vx_pipeline.matching").joinpath("policy_v3.toml").read_text()
    return Policy.model_validate(tomllib.loads(text))
