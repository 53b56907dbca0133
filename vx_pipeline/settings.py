"""Which schools there are, where their secrets and files are. Read anew for each run, never at import.

One school needs only environment variables (``VERACROSS_SCHOOL_ROUTE`` and the rest); several are listed in
the TOML file that ``VX_CONFIG`` names, with their secrets still in the environment
(``VX_SCHOOLS__<SCHOOL>__ORAH_API_KEY``). Without any credentials the school is the bundled sandbox school.
"""

import json
import os
import re
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from vx_pipeline.addresses import secure_url
from vx_pipeline.errors import ConfigurationError
from vx_pipeline.policies import Policies

SANDBOX = "sandbox"
DEFAULT_TIMEZONE = "America/New_York"
ORAH_HOSTS = {
    "virginia": "https://open-api-virginia.orah.com",
    "sydney": "https://open-api-sydney.orah.com",
    "ireland": "https://open-api-ireland.orah.com",
}
"""Orah's hosts by region: the Americas; Asia-Pacific; Europe, Africa, the Middle East (Orah's API page)."""

KEY = r"^[a-z0-9][a-z0-9_-]*$"
"""A school's key is a folder, a partition and a part of the review page's addresses."""

OrahRegion = Literal["virginia", "sydney", "ireland"]


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError("not a time zone of the IANA list, such as America/New_York") from error
    return name


class School(BaseModel):
    """One school: where its two systems are, who we are there, and its rules."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str = Field(pattern=KEY)
    veracross_school_route: str = Field(pattern=r"^[A-Za-z0-9_-]+$")
    veracross_client_id: str = Field(repr=False, min_length=1)
    veracross_client_secret: SecretStr = Field(min_length=1)
    orah_api_key: SecretStr = Field(min_length=1)
    orah_region: OrahRegion = "virginia"
    timezone: Annotated[str, AfterValidator(_known_zone)] = DEFAULT_TIMEZONE
    veracross_api_url: str = "https://api.veracross.com"
    veracross_accounts_url: str = "https://accounts.veracross.com"
    orah_api_url: str = ""
    policies: Policies = Policies()
    sandbox: bool = False

    @property
    def zone(self) -> ZoneInfo:
        """The school's time zone: its dates and class times are meant in it."""
        return ZoneInfo(self.timezone)

    @property
    def orah_url(self) -> str:
        """Orah's address: the override if there is one, otherwise the region's host."""
        return self.orah_api_url or ORAH_HOSTS[self.orah_region]


class _OneSchool(BaseSettings):
    """The environment of a single school. Names are a stable interface."""

    model_config = SettingsConfigDict(case_sensitive=False, extra="ignore", env_ignore_empty=True)

    veracross_school_route: str | None = None
    veracross_client_id: str | None = None
    veracross_client_secret: SecretStr | None = None
    orah_api_key: SecretStr | None = None
    orah_region: str | None = None
    school_timezone: str | None = None
    veracross_api_url: str | None = None
    veracross_accounts_url: str | None = None
    orah_api_url: str | None = None

    def missing(self) -> list[str]:
        """The required variables that are not set."""
        required = (
            "veracross_school_route",
            "veracross_client_id",
            "veracross_client_secret",
            "orah_api_key",
            "orah_region",
            "school_timezone",
        )
        return [name.upper() for name in required if getattr(self, name) is None]

    @property
    def empty(self) -> bool:
        """Whether nobody configured a school here: no route, no credential."""
        named = (
            self.veracross_school_route,
            self.veracross_client_id,
            self.veracross_client_secret,
            self.orah_api_key,
        )
        return all(value is None for value in named)


class Settings(BaseSettings):
    """Everything the pipeline is told from outside."""

    model_config = SettingsConfigDict(
        env_prefix="VX_", env_nested_delimiter="__", extra="ignore", env_ignore_empty=True
    )

    home: Path = Path(".vx")
    config: Path | None = None
    journal_url: SecretStr | None = None
    wait_seconds: float = Field(60, ge=0)
    """How long to wait for another process that has a school's files."""
    review_url: str = "http://127.0.0.1:3010"
    """Where people reach the review page; shown beside what waits for them."""
    alert_url: Annotated[str, AfterValidator(lambda url: secure_url("VX_ALERT_URL", url) if url else "")] = (
        Field("", repr=False)
    )
    """Where an alert is posted as JSON, once for each change of state; such an address is often a secret itself."""
    # Unchecked until a school is asked for, so a secret among the values is still a plain string.
    schools: dict[str, dict[str, Any]] = Field({}, repr=False)
    policies: Policies = Policies()
    """The rules of every school, where a school has not its own."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over the TOML file, so that secrets can stay out of the file."""
        sources: tuple[PydanticBaseSettingsSource, ...] = (init_settings, env_settings)
        config = os.environ.get("VX_CONFIG")
        if config:
            sources += (TomlConfigSettingsSource(settings_cls, toml_file=config),)
        return sources

    @cached_property
    def _one_school(self) -> _OneSchool:
        return _OneSchool()

    @property
    def uses_sandbox(self) -> bool:
        """Whether no school is configured, so that the bundled sandbox school stands in."""
        return not self.schools and self._one_school.empty

    def school_keys(self) -> list[str]:
        """The schools' keys in the order of the file; each is a Dagster partition and a folder.

        Raises:
            ConfigurationError: the single school's environment is only partly set, or a school cannot have its key.
        """
        if self.schools:
            for key in self.schools:
                _check_key(key, f"[schools] has a school {key!r}, which cannot be a key.")
            return list(self.schools)
        if self.uses_sandbox:
            return [SANDBOX]
        missing = self._one_school.missing()
        if missing:
            raise ConfigurationError(
                f"The school's environment is only partly set: {', '.join(missing)} missing.",
                remedy="Set them, or unset all of them to work with the sandbox school.",
            )
        key = _key(str(self._one_school.veracross_school_route))
        _check_key(key, "VERACROSS_SCHOOL_ROUTE cannot be made a school's key.")
        return [key]

    def school(self, key: str) -> School:
        """The school with this key, with its secrets.

        Raises:
            ConfigurationError: no such school, a wrong or missing value, or the sandbox is not running.
        """
        keys = self.school_keys()
        if key not in keys:
            raise _unknown(key, keys)
        if self.schools:
            values = {**self.schools[key], "key": key}
            common = self.policies.model_dump(exclude_unset=True)
            values["policies"] = _over(common, values.get("policies", {}))
            return _checked(values)
        if self.uses_sandbox:
            return _checked({**read_sandbox_address(self.home), "policies": self.policies})
        one = self._one_school.model_dump(exclude_none=True)
        one["timezone"] = one.pop("school_timezone")
        return _checked({**one, "key": key, "policies": self.policies})

    def days_back(self, key: str) -> int:
        """A school's edit window for attendance, in days before today; needs no credentials.

        Raises:
            ConfigurationError: no such school, or rules that are none.
        """
        if not self.schools:
            return self.policies.attendance.days_back
        if key not in self.schools:
            raise _unknown(key, self.schools)
        common, own = self.policies.model_dump(exclude_unset=True), self.schools[key].get("policies", {})
        try:
            return Policies.model_validate(_over(common, own)).attendance.days_back
        except ValidationError as error:
            raise ConfigurationError(
                f"The policies of school {key!r} are wrong in {error.error_count()} places.",
                remedy="Correct them; `vx doctor` names each.",
            ) from None

    def timezone(self, key: str) -> str:
        """A school's time zone by name; needs no credentials, so schedules can be built without them.

        Raises:
            ConfigurationError: no such school, or no such time zone.
        """
        if self.schools and key not in self.schools:
            raise _unknown(key, self.schools)
        own = self.schools[key].get("timezone") if self.schools else self._one_school.school_timezone
        name = str(own or DEFAULT_TIMEZONE)
        try:
            return _known_zone(name)
        except ValueError as error:
            raise ConfigurationError(
                f"The time zone {name!r} of school {key!r} is {error}.", remedy="Correct it and run again."
            ) from None

    def school_folder(self, key: str) -> Path:
        """Where a school's files are."""
        return self.home / "schools" / key

    def warehouse_path(self, key: str) -> Path:
        """A school's DuckDB file."""
        return self.school_folder(key) / "warehouse.duckdb"


def load_settings() -> Settings:
    """The settings as they are now.

    Raises:
        ConfigurationError: the TOML file is missing or broken, or a value is wrong.
    """
    config = os.environ.get("VX_CONFIG")
    if config and not Path(config).is_file():
        raise ConfigurationError(
            f"VX_CONFIG names {config}, which is not a file.", remedy="Correct the path, or unset VX_CONFIG."
        )
    try:
        return Settings()
    except ValidationError as error:
        raise ConfigurationError(
            f"A setting is wrong: {_reasons(error)}.", remedy="Correct it and run again."
        ) from None
    except (ValueError, OSError) as error:
        raise ConfigurationError(
            f"VX_CONFIG names {config}, which cannot be read as TOML ({type(error).__name__}).",
            remedy="Correct the file and run again.",
        ) from None


def sandbox_address_file(home: Path) -> Path:
    """Where a running sandbox says how it is reached."""
    return home / "sandbox.json"


def read_sandbox_address(home: Path) -> dict[str, Any]:
    """The running sandbox as the values of a school.

    Raises:
        ConfigurationError: no sandbox is running.
    """
    path = sandbox_address_file(home)
    try:
        address = json.loads(path.read_text())
        return {
            "key": SANDBOX,
            "sandbox": True,
            "veracross_school_route": address["school_route"],
            "veracross_client_id": address["client_id"],
            "veracross_client_secret": address["client_secret"],
            "orah_api_key": address["orah_api_key"],
            "timezone": address["timezone"],
            "veracross_api_url": address["veracross_api_url"],
            "veracross_accounts_url": address["veracross_accounts_url"],
            "orah_api_url": address["orah_api_url"],
        }
    except (OSError, ValueError, KeyError, TypeError):
        raise ConfigurationError(
            "No school is configured, and the sandbox school is not running.",
            remedy="Start it with `vx sandbox` in another terminal, try `vx demo`, "
            "or set the credentials of a real school (README, 'Connect your school').",
        ) from None


def _unknown(key: str, known: Iterable[str]) -> ConfigurationError:
    return ConfigurationError(f"There is no school {key!r}.", remedy=f"Known: {', '.join(known)}.")


def _check_key(key: str, what: str) -> None:
    if not re.fullmatch(KEY, key):
        raise ConfigurationError(
            what,
            remedy="Use small letters a to z, digits, - and _, and begin with a letter or digit.",
        )


def _key(route: str) -> str:
    return re.sub(r"[^a-z0-9_-]", "-", route.lower())


def _over(common: Any, own: Any) -> Any:
    """What is common, with a school's own values over it; tables are merged, anything else is replaced."""
    if not (isinstance(common, dict) and isinstance(own, dict)):
        return own
    merged = {name: _over(common[name], value) if name in common else value for name, value in own.items()}
    return {**common, **merged}


def _checked(values: dict[str, Any]) -> School:
    try:
        return School.model_validate(values)
    except ValidationError as error:
        raise ConfigurationError(
            f"The settings of school {values.get('key')!r} are not complete or wrong: {_reasons(error)}.",
            remedy="Correct them and run `vx doctor`.",
        ) from None


def _reasons(error: ValidationError) -> str:
    """Where and why, without the values: one of them may be a secret."""
    return "; ".join(
        f"{'.'.join(str(part) for part in problem['loc'])}: {problem['msg']}" for problem in error.errors()
    )
