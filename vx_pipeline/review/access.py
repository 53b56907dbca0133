"""Who may open the review page: the settings, passwords, and the pause after wrong ones."""

import base64
import hashlib
import hmac
import ipaddress
import os
import secrets
import threading
import tomllib
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from vx_pipeline.errors import ConfigurationError

_COST, _BLOCK, _LANES = 15, 8, 1
_MEMORY = 96 * 1024 * 1024
_TRIES = 5
_PAUSE_SECONDS = 60.0
_MOST_REMEMBERED = 10_000


def _readable(text: str) -> str:
    try:
        _parts(text)
    except ValueError as error:
        raise ValueError("not a hash as `vx review --hash-password` prints it") from error
    return text


PasswordHash = Annotated[str, AfterValidator(_readable)]


class AccessSettings(BaseSettings):
    """Who may open the page, and by which names it is reached.

    From the environment (``VX_REVIEW_USERS`` as JSON), or from ``[review]`` in the file that ``VX_CONFIG`` names.
    """

    model_config = SettingsConfigDict(env_prefix="VX_REVIEW_", extra="ignore", env_ignore_empty=True)

    users: dict[str, PasswordHash] = Field({}, repr=False)
    """Name to hash. Where there is any, everybody has to log in."""

    hosts: tuple[str, ...] = ()
    """Names that the page may be asked for by, beside this machine's own; with a reverse proxy its public name."""

    proxies: tuple[str, ...] = ()
    """Addresses of reverse proxies on other machines. What they and, with a public name, a proxy on this machine
    write into X-Forwarded-For is where somebody comes from; nobody else's word is taken for it."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over the TOML file."""
        return init_settings, env_settings, InitSettingsSource(settings_cls, _file_table())


def load_access() -> AccessSettings:
    """The settings as they are now.

    Raises:
        ConfigurationError: a value is wrong, or the file cannot be read.
    """
    try:
        return AccessSettings()
    except ValidationError as error:
        places = "; ".join(".".join(str(part) for part in problem["loc"]) for problem in error.errors())
        raise ConfigurationError(
            f"A setting of the review page is wrong: {places}.",
            remedy="Users are a mapping of name to hash; make one with `vx review --hash-password`.",
        ) from None
    except (ValueError, OSError) as error:
        raise ConfigurationError(
            f"The settings of the review page cannot be read ({type(error).__name__}).",
            remedy="VX_REVIEW_USERS and VX_REVIEW_HOSTS are JSON; VX_CONFIG is TOML.",
        ) from None


def check_address(host: str, access: AccessSettings) -> None:
    """Refuses an address that others can reach while nobody has to log in.

    Raises:
        ConfigurationError: the address is not loopback, and there are no users.
    """
    if not is_loopback(host) and not access.users:
        raise ConfigurationError(
            f"The review page would be open to everybody who reaches {host}.",
            kept="It was not started.",
            remedy="Configure users (VX_REVIEW_USERS, hashes from `vx review --hash-password`), "
            "or leave --host at 127.0.0.1.",
        )


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches the address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def signing_key(home: Path) -> str:
    """The key that signs session cookies: a file for its owner only, made when it is missing.

    Raises:
        ConfigurationError: the file is there, but it holds no key.
    """
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = home / "review.key"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        key = path.read_text().strip()
        if len(key) < 32:
            raise ConfigurationError(
                f"{path} holds no signing key.", remedy="Delete it; a new one is made, and all log in again."
            ) from None
        return key
    key = secrets.token_urlsafe(48)
    with os.fdopen(descriptor, "w") as file:
        file.write(key)
    return key


def hash_password(password: str) -> str:
    """The password's salted scrypt hash (RFC 7914), with its parameters."""
    salt = secrets.token_bytes(16)
    digest = _scrypt(password, salt, _COST, _BLOCK, _LANES)
    encoded = (base64.urlsafe_b64encode(part).decode() for part in (salt, digest))
    return ":".join(("scrypt", str(_COST), str(_BLOCK), str(_LANES), *encoded))


@cache
def _nobodys() -> str:
    return hash_password(secrets.token_urlsafe())


def check_password(access: AccessSettings, name: str, password: str) -> bool:
    """Whether this is the user's password. An unknown name takes as long as a wrong password."""
    cost, block, lanes, salt, digest = _parts(access.users.get(name) or _nobodys())
    fits = hmac.compare_digest(_scrypt(password, salt, cost, block, lanes), digest)
    return fits and name in access.users


def came_from(client: str, forwarded: str, access: AccessSettings) -> str:
    """The address that somebody comes from: the proxy's word for it where one stands before the page.

    Args:
        client: the address of the connection.
        forwarded: X-Forwarded-For; its last entry is the proxy's own, the others are whatever it was sent.
        access: which proxies there are.
    """
    trusted = client in access.proxies or (bool(access.hosts) and is_loopback(client))
    return forwarded.rsplit(",", 1)[-1].strip()[:64] or client if trusted else client


class Tries:
    """Passwords tried by name and address. After five wrong ones in a row there is a pause of a minute."""

    def __init__(self) -> None:
        self._tried: dict[tuple[str, str], tuple[int, float]] = {}
        self._lock = threading.Lock()

    def begin(self, name: str, address: str, now: float) -> float:
        """Counts a try before the password is looked at, as others may come at the same moment.

        Returns:
            Seconds to wait before the next try; 0 when this one may go on.
        """
        with self._lock:
            count, last = self._tried.pop((name, address), (0, 0.0))
            if now - last > _PAUSE_SECONDS:
                count = 0
            pause = last + _PAUSE_SECONDS - now if count >= _TRIES else 0.0
            self._tried[name, address] = (count, last) if pause > 0 else (count + 1, now)
            while len(self._tried) > _MOST_REMEMBERED:
                # The one that was tried longest ago.
                del self._tried[next(iter(self._tried))]
        return max(0.0, pause)

    def right(self, name: str, address: str) -> None:
        """Forgets the wrong ones."""
        with self._lock:
            self._tried.pop((name, address), None)


class Sessions:
    """Who is logged in, by the id in their cookie. Held here alone: a cookie that was kept opens nothing later."""

    def __init__(self) -> None:
        self._users: dict[str, str] = {}
        self._lock = threading.Lock()

    def begin(self, user: str) -> str:
        """A new session's id."""
        made = secrets.token_urlsafe(24)
        with self._lock:
            self._users[made] = user
            while len(self._users) > _MOST_REMEMBERED:
                del self._users[next(iter(self._users))]
        return made

    def user(self, session: object) -> str | None:
        """Whose session it is; None when it ended."""
        return self._users.get(session) if isinstance(session, str) else None

    def end(self, session: object) -> None:
        """Ends a session."""
        if isinstance(session, str):
            with self._lock:
                self._users.pop(session, None)


def _file_table() -> dict[str, Any]:
    config = os.environ.get("VX_CONFIG")
    if not config:
        return {}
    table = tomllib.loads(Path(config).read_text(encoding="utf-8")).get("review", {})
    if not isinstance(table, dict):
        raise ValueError("[review] is no table")
    return table


def _parts(text: str) -> tuple[int, int, int, bytes, bytes]:
    scheme, cost, block, lanes, salt, digest = text.split(":")
    if scheme != "scrypt":
        raise ValueError("another scheme")
    decoded = (base64.b64decode(part, altchars=b"-_", validate=True) for part in (salt, digest))
    numbers = int(cost), int(block), int(lanes)
    if not (10 <= numbers[0] <= 16 and 1 <= numbers[1] <= 8 and 1 <= numbers[2] <= 4):
        raise ValueError("parameters out of bounds")
    return (*numbers, *decoded)  # type: ignore[return-value]


def _scrypt(password: str, salt: bytes, cost: int, block: int, lanes: int) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=2**cost, r=block, p=lanes, maxmem=_MEMORY, dklen=32)
