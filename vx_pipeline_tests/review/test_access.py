"""Logging in, where the page is for more than this machine."""

import json
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from vx_pipeline import clock
from vx_pipeline.errors import ConfigurationError
from vx_pipeline.journal import Journal
from vx_pipeline.journal.audit import audit_trail
from vx_pipeline.journal.decisions import history
from vx_pipeline.review.access import (
    AccessSettings,
    Tries,
    came_from,
    check_address,
    check_password,
    hash_password,
    is_loopback,
    load_access,
    signing_key,
)
from vx_pipeline_tests.review.conftest import Visitors
from vx_pipeline_tests.review.school import NICKNAME, SCHOOL, record_school
from vx_pipeline_tests.review.serving import serving
from vx_pipeline_tests.review.visitor import Visitor

PASSWORD = "correct horse battery staple"
HASH = hash_password(PASSWORD)
USERS = AccessSettings(users={"maria": HASH}, hosts=())


def log_in(visitor: Visitor, password: str = PASSWORD, name: str = "maria") -> object:
    """Sends the login form."""
    return visitor.send(visitor.client.get("/login"), "/login", name=name, password=password)


@contextmanager
def guarded(journal: Journal, access: AccessSettings = USERS, host: str = "127.0.0.1") -> Iterator[Visitor]:
    """A visitor of a page that wants a login."""
    with serving(journal, access=access, host=host) as address:
        visitor = Visitor(address)
        yield visitor
        visitor.close()


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.20", "::", "review.example.org", ""])
def test_an_address_that_others_reach_needs_users(host: str) -> None:
    with pytest.raises(ConfigurationError, match="open to everybody"):
        check_address(host, AccessSettings(users={}))
    check_address(host, USERS)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "localhost", "::1"])
def test_this_machine_alone_needs_none(host: str) -> None:
    assert is_loopback(host)
    check_address(host, AccessSettings(users={}))


def test_users_come_from_the_environment_or_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("VX_CONFIG", raising=False)
    monkeypatch.delenv("VX_REVIEW_USERS", raising=False)
    assert load_access().users == {}
    config = tmp_path / "schools.toml"
    config.write_text(f'[review]\nhosts = ["review.example.org"]\n[review.users]\ntom = "{HASH}"\n')
    monkeypatch.setenv("VX_CONFIG", str(config))
    assert set(load_access().users) == {"tom"}
    assert load_access().hosts == ("review.example.org",)
    monkeypatch.setenv("VX_REVIEW_USERS", json.dumps({"maria": HASH}))
    assert "maria" in load_access().users
    assert HASH not in repr(load_access())


@pytest.mark.parametrize(
    "users", ["{", '["maria"]', '{"maria": "secret"}', '{"maria": "scrypt:40:8:1:AAAA:AAAA"}', '{"maria": 5}']
)
def test_wrong_settings_are_told_without_their_values(monkeypatch: pytest.MonkeyPatch, users: str) -> None:
    monkeypatch.setenv("VX_REVIEW_USERS", users)
    with pytest.raises(ConfigurationError) as told:
        load_access()
    assert "secret" not in str(told.value)


def test_a_password_fits_its_own_hash_alone() -> None:
    assert check_password(USERS, "maria", PASSWORD)
    assert not check_password(USERS, "maria", PASSWORD + " ")
    assert not check_password(USERS, "tom", PASSWORD)
    assert hash_password(PASSWORD) != HASH


def test_the_signing_key_is_made_once_and_for_its_owner(tmp_path: Path) -> None:
    key = signing_key(tmp_path / "home")
    path = tmp_path / "home" / "review.key"
    assert len(key) > 40
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert signing_key(tmp_path / "home") == key
    path.write_text("short")
    with pytest.raises(ConfigurationError, match="no signing key"):
        signing_key(tmp_path / "home")


def test_every_page_demands_the_login(journal: Journal) -> None:
    record_school(journal)
    with guarded(journal) as visitor:
        for path in ("/", f"/{SCHOOL}/", f"/{SCHOOL}/queue", f"/{SCHOOL}/search.json?q=smith", "/name"):
            answer = visitor.client.get(path)
            assert answer.url.path == "/login"
            assert "Jonathan" not in answer.text
        assert visitor.client.get("/-/static/review.css").status_code == 200


def test_after_the_login_the_wanted_page_comes_and_decisions_bear_the_name(journal: Journal) -> None:
    record_school(journal)
    with guarded(journal) as visitor:
        wanted = visitor.get("queue")
        after = visitor.send(wanted, "/login", name="maria", password=PASSWORD)
        assert after.url.path == f"/{SCHOOL}/queue"
        asked = visitor.follow(visitor.case(NICKNAME), "Same person")
        assert 'name="name"' not in asked.text
        visitor.send(asked, "/decide", name="somebody else")
        assert history(journal, SCHOOL)[0].actor == "maria"
        out = visitor.send(visitor.get(""), "/logout")
        assert out.url.path == "/login"
        assert visitor.get("queue").url.path == "/login"


def test_a_wrong_password_is_refused_and_noted_without_what_was_typed(journal: Journal) -> None:
    with guarded(journal) as visitor:
        for name in ("maria", "my password in the wrong field"):
            answer = visitor.send(visitor.client.get("/login"), "/login", name=name, password="wrong")
            assert answer.status_code == 401
            assert "Name or password is wrong" in answer.text
        log_in(visitor)
    trail = audit_trail(journal, "")
    assert [(view.action, view.actor) for view in trail] == [
        ("login", "maria"),
        ("login refused", "unknown"),
        ("login refused", "maria"),
    ]


def test_after_five_wrong_passwords_there_is_a_pause(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    with guarded(journal) as visitor:
        for _ in range(5):
            log_in(visitor, "wrong")
        paused = visitor.send(visitor.client.get("/login"), "/login", name="maria", password=PASSWORD)
        assert paused.status_code == 429
        assert "Too many wrong passwords" in paused.text
        now = clock.now

        def later(*zone: object) -> object:
            return now().fromtimestamp(now().timestamp() + 61, now().tzinfo)

        monkeypatch.setattr(clock, "now", later)
        log_in(visitor)
        assert visitor.client.get("/").url.path == f"/{SCHOOL}/"


def test_a_pause_is_for_one_name_at_one_address() -> None:
    tries = Tries()
    for _ in range(5):
        assert tries.begin("maria", "10.0.0.1", 100.0) == 0.0
    assert tries.begin("maria", "10.0.0.1", 110.0) == 50.0
    assert tries.begin("maria", "10.0.0.2", 110.0) == 0.0
    assert tries.begin("tom", "10.0.0.1", 110.0) == 0.0
    assert tries.begin("maria", "10.0.0.1", 161.0) == 0.0
    for _ in range(4):
        tries.begin("maria", "10.0.0.1", 161.0)
    tries.right("maria", "10.0.0.1")
    assert tries.begin("maria", "10.0.0.1", 162.0) == 0.0


def test_tries_at_one_moment_are_counted_before_any_password_is_looked_at() -> None:
    tries = Tries()
    with ThreadPoolExecutor(30) as pool:
        pauses = list(pool.map(lambda _: tries.begin("maria", "10.0.0.1", 100.0), range(60)))
    assert pauses.count(0.0) == 5


@pytest.mark.parametrize(
    ("client", "forwarded", "access", "address"),
    [
        ("192.0.2.9", "10.0.0.1", {}, "192.0.2.9"),
        ("127.0.0.1", "10.0.0.1", {}, "127.0.0.1"),
        ("127.0.0.1", "10.9.9.9, 10.0.0.1", {"hosts": ("review.example.org",)}, "10.0.0.1"),
        ("192.0.2.9", "10.0.0.1", {"hosts": ("review.example.org",)}, "192.0.2.9"),
        ("192.0.2.9", "10.0.0.1", {"proxies": ("192.0.2.9",)}, "10.0.0.1"),
        ("192.0.2.9", "", {"proxies": ("192.0.2.9",)}, "192.0.2.9"),
    ],
)
def test_only_a_proxys_word_is_taken_for_where_somebody_comes_from(
    client: str, forwarded: str, access: dict[str, tuple[str, ...]], address: str
) -> None:
    assert came_from(client, forwarded, AccessSettings.model_validate({"users": {}, **access})) == address


def test_a_cookie_that_was_kept_opens_nothing_after_the_logout(journal: Journal) -> None:
    record_school(journal)
    with guarded(journal) as visitor:
        log_in(visitor)
        kept = visitor.client.cookies["vx_review"]
        visitor.send(visitor.get(""), "/logout")
        visitor.client.cookies.clear()
        visitor.client.cookies.set("vx_review", kept)
        assert visitor.get("queue").url.path == "/login"


def test_a_stranger_is_sent_to_the_login_before_the_form_is_read(journal: Journal) -> None:
    record_school(journal)
    with guarded(journal) as visitor:
        visitor.client.follow_redirects = False
        answer = visitor.client.post(f"/{SCHOOL}/groups/decide", data={"pair": "x" * 500_000})
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/login")
        assert history(journal, SCHOOL) == []


def test_after_the_login_the_query_is_still_there(journal: Journal) -> None:
    record_school(journal)
    with guarded(journal) as visitor:
        wanted = visitor.get("queue", house="North House")
        after = visitor.send(wanted, "/login", name="maria", password=PASSWORD)
        assert after.url.params["house"] == "North House"


def test_a_session_ends_with_the_password(journal: Journal, visitors: Visitors) -> None:
    record_school(journal)
    with guarded(journal) as before:
        log_in(before)
        assert before.get("queue").url.path.endswith("/queue")
        cookies = dict(before.client.cookies)
    changed = AccessSettings(users={"maria": hash_password("another good password")}, hosts=())
    with guarded(journal, changed) as after:
        after.client.cookies.update(cookies)
        assert after.get("queue").url.path == "/login"


def test_a_forged_session_is_nobody(journal: Journal) -> None:
    record_school(journal)
    with guarded(journal) as visitor:
        log_in(visitor)
        value = visitor.client.cookies["vx_review"]
        visitor.client.cookies.clear()
        visitor.client.cookies.set("vx_review", ("A" if value[0] != "A" else "B") + value[1:])
        assert visitor.get("queue").url.path == "/login"


@pytest.mark.parametrize(
    "path",
    ["https://elsewhere.example.org/", "//elsewhere.example.org", "/\\elsewhere", "javascript:x", "//["],
)
def test_the_login_leads_nowhere_else(journal: Journal, path: str) -> None:
    with guarded(journal) as visitor:
        page = visitor.client.get("/login", params={"next": path})
        after = visitor.send(page, "/login", name="maria", password=PASSWORD, next=path)
        assert after.url.host == "127.0.0.1"
        assert after.url.path == f"/{SCHOOL}/"


def test_beyond_this_machine_the_cookie_is_for_tls_alone(journal: Journal) -> None:
    access = AccessSettings(users={"maria": HASH}, hosts=("review.example.org",))
    with guarded(journal, access, host="0.0.0.0") as visitor:
        answer = visitor.client.get("/login", headers={"Host": "review.example.org"})
        assert "secure" in answer.headers["set-cookie"].lower()
        assert visitor.client.get("/login", headers={"Host": "evil.example.org"}).status_code == 421
    with guarded(journal) as visitor:
        assert "secure" not in visitor.client.get("/login").headers["set-cookie"].lower()
