"""Bearer tokens of the one OAuth application: given out, expired, revoked."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

MOST_LIVE_TOKENS = 10
"""Live tokens of one application; one more revokes the oldest, silently. Source: Veracross's documentation."""


@dataclass
class Token:
    """A token.

    Args:
        id: ``token-1``, ``token-2``, ...; how the journal names it.
        value: the secret.
        scopes: what it is good for.
        created_at: epoch seconds.
        expires_at: epoch seconds.
        revoked: whether it was revoked.
    """

    id: str
    value: str = field(repr=False)
    scopes: tuple[str, ...]
    created_at: float
    expires_at: float
    revoked: bool = False


class TokenStore:
    """All tokens that were ever given out.

    Args:
        clock: epoch seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._tokens: dict[str, Token] = {}

    def issue(self, scopes: tuple[str, ...], life_seconds: float) -> Token:
        """A new token; the oldest live one is revoked if there are too many."""
        now = self._clock()
        live = [token for token in self._tokens.values() if self.is_live(token)]
        for token in live[: max(0, len(live) + 1 - MOST_LIVE_TOKENS)]:
            token.revoked = True
        number = len(self._tokens) + 1
        token = Token(f"token-{number}", secrets.token_urlsafe(32), scopes, now, now + life_seconds)
        self._tokens[token.value] = token
        return token

    def find(self, value: str | None) -> Token | None:
        """The token with this secret, live or not."""
        return self._tokens.get(value) if value else None

    def is_live(self, token: Token) -> bool:
        """Whether it is neither revoked nor expired."""
        return not token.revoked and self._clock() < token.expires_at
