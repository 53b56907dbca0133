"""The addresses that people's data may be sent to: https, or this machine."""

import ipaddress
import ssl
from functools import cache

import httpx

from vx_pipeline.errors import ConfigurationError


def secure_url(setting: str, url: str) -> str:
    """The address without a slash at its end.

    Args:
        setting: the environment variable that it comes from, for the message.
        url: the address.

    Raises:
        ConfigurationError: it is neither https nor on this machine.
    """
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        parsed = httpx.URL("")
    if parsed.host and (parsed.scheme == "https" or (parsed.scheme == "http" and _is_loopback(parsed.host))):
        return url.rstrip("/")
    raise ConfigurationError(
        f"{setting} is not an https address.",
        kept="Nothing was sent.",
        remedy="Use https; plain http is for a server on this machine.",
    )


@cache
def trusted_certificates() -> ssl.SSLContext:
    """The certificates we trust; reading them takes longer than many a request, so it is done once."""
    return httpx.create_ssl_context()


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
