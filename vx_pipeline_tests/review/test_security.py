"""What keeps strangers, other sites and logs away from people's data."""

import base64
import logging
import socket
import time
from urllib.parse import urlsplit

import pytest

from vx_pipeline.errors import ServiceError
from vx_pipeline.journal import Journal
from vx_pipeline.journal.audit import audit_trail
from vx_pipeline.journal.decisions import history
from vx_pipeline.review import overview
from vx_pipeline.review.site import Visit
from vx_pipeline_tests.review.conftest import Visitors
from vx_pipeline_tests.review.school import BULK, NICKNAME, ORPHAN, SCHOOL
from vx_pipeline_tests.review.visitor import Visitor, forms

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)


@pytest.mark.parametrize(
    "path",
    ["/hillcrest/", "/hillcrest/queue", "/nowhere/", "/-/static/review.css", "/hillcrest/search.json?q=a"],
)
def test_every_answer_carries_the_headers(reader: Visitor, path: str) -> None:
    headers = reader.client.get(path).headers
    assert headers["content-security-policy"] == POLICY
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert "camera=()" in headers["permissions-policy"]
    assert headers["cache-control"] == ("no-cache" if "static" in path else "no-store")
    assert "server" not in headers


def test_the_session_cookie_is_for_this_site_alone(visitor: Visitor) -> None:
    cookie = visitor.get("").headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie


@pytest.mark.parametrize("token", ["", "wrong", None])
def test_a_form_without_the_sessions_token_is_refused(
    journal: Journal, visitor: Visitor, token: str | None
) -> None:
    asked = visitor.follow(visitor.case(NICKNAME), "Same person")
    refused = visitor.send(asked, "/decide", csrf=token)
    assert refused.status_code == 403
    assert "Nothing was written" in refused.text
    assert history(journal, SCHOOL) == []


def test_another_sessions_token_is_refused(journal: Journal, visitors: Visitors, visitor: Visitor) -> None:
    asked = visitor.follow(visitor.case(NICKNAME), "Same person")
    stranger = visitors()
    stranger.get("")
    assert stranger.send(asked, "/decide").status_code == 403
    assert history(journal, SCHOOL) == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://elsewhere.example.org"},
        {"Origin": "http://localhost:1"},
        {"Origin": "null"},
        {"Origin": "http://["},
        {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
    ],
)
def test_a_form_from_elsewhere_is_refused(
    journal: Journal, visitor: Visitor, headers: dict[str, str]
) -> None:
    asked = visitor.follow(visitor.case(NICKNAME), "Same person")
    form = next(form for form in forms(asked) if form.action.endswith("/decide"))
    refused = visitor.client.post(form.action, data=dict(form.fields), headers=headers)
    assert refused.status_code == 403
    assert history(journal, SCHOOL) == []


@pytest.mark.parametrize("site", [{"Sec-Fetch-Site": "same-origin", "Origin": "null"}, {}])
def test_our_own_form_is_taken(journal: Journal, visitor: Visitor, site: dict[str, str]) -> None:
    asked = visitor.follow(visitor.case(NICKNAME), "Same person")
    form = next(form for form in forms(asked) if form.action.endswith("/decide"))
    origin = str(visitor.client.base_url).rstrip("/")
    visitor.client.post(form.action, data=dict(form.fields), headers=site or {"Origin": origin})
    assert len(history(journal, SCHOOL)) == 1


@pytest.mark.parametrize(
    "host", ["evil.example.org", "evil.example.org:3010", "127.0.0.1.example.org", "", "[::1"]
)
def test_another_host_name_is_refused(reader: Visitor, host: str) -> None:
    refused = reader.client.get(f"/{SCHOOL}/queue", headers={"Host": host})
    assert refused.status_code in (400, 421)
    assert "Jonathan" not in refused.text


@pytest.mark.parametrize("host", ["127.0.0.1:3010", "localhost", "LOCALHOST:1", "[::1]:3010"])
def test_this_machines_names_are_taken(reader: Visitor, host: str) -> None:
    assert reader.client.get(f"/{SCHOOL}/queue", headers={"Host": host}).status_code == 200


def test_a_link_from_another_site_opens_by_asking_for_itself(reader: Visitor) -> None:
    from_elsewhere = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    answer = reader.client.get(f"/{SCHOOL}/queue", headers=from_elsewhere)
    assert 'http-equiv="refresh"' in answer.text
    assert "Jonathan" not in answer.text
    assert "set-cookie" not in answer.headers


def test_names_stand_neither_in_logs_nor_in_the_audit(
    journal: Journal, visitor: Visitor, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    for path in ("", "queue", f"case/{NICKNAME}", "person/veracross/101", "groups", "nowhere"):
        visitor.get(path, q="smith")
    visitor.send(visitor.decide(NICKNAME, "Same person", note="Jonathan Smith's mother"), "/undo")
    trail = audit_trail(journal, SCHOOL)
    assert {view.action for view in trail} == {"view", "decide", "undo"}
    assert any(view.subject == f"{NICKNAME} with orah 501" for view in trail)
    printed = capfd.readouterr()
    ours = "\n".join(
        record.getMessage() for record in caplog.records if not record.name.startswith(("httpx", "httpcore"))
    )
    for name in ("Jonathan", "Smith", "smith", "2010-03-14"):
        assert name not in repr(trail)
        assert name not in ours
        assert name not in printed.out + printed.err


def test_the_message_in_the_cookie_names_nobody(visitor: Visitor) -> None:
    visitor.client.follow_redirects = False
    sent = visitor.decide(NICKNAME, "Same person", name="root", note="Jonathan Smith's mother")
    payload = sent.cookies["vx_review"].split(".")[0]
    told = base64.b64decode(payload + "=" * (-len(payload) % 4)).decode()
    assert "same" in told
    assert "Smith" not in told


def test_what_nobody_foresaw_is_told_without_data(
    visitor: Visitor,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("Jonathan Smith, born 2010-03-14")

    monkeypatch.setattr(overview, "standing", fail)
    answer = visitor.get("")
    assert answer.status_code == 500
    assert "Something went wrong here" in answer.text
    assert answer.headers["content-security-policy"] == POLICY
    # The page is sent before the log is written.
    deadline = time.monotonic() + 10
    while "RuntimeError at" not in caplog.text and time.monotonic() < deadline:
        time.sleep(0.01)
    printed = capfd.readouterr()
    told = caplog.text + printed.out + printed.err + answer.text
    assert "RuntimeError at" in caplog.text
    assert "Jonathan" not in told
    assert "Traceback" not in told


def test_a_journal_out_of_reach_is_told(visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: Visit, action: str, subject: str) -> None:
        raise ServiceError(
            "The journal cannot be read or written.", kept="Nothing is sent.", remedy="Look at it."
        )

    monkeypatch.setattr(Visit, "note", fail)
    answer = visitor.get("")
    assert answer.status_code == 503
    for told in ("The journal cannot be read", "Nothing is sent.", "Look at it."):
        assert told in answer.text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/hillcrest/case/student-v424242", 404),
        ("/-/static/../app.py", 404),
        ("/hillcrest/queue?from=x", 400),
        (f"/hillcrest/person/orah/{'9' * 5000}", 404),
        (f"/hillcrest/decisions/{'9' * 5000}/undo", 404),
        (f"/hillcrest/case/{ORPHAN}?other=999999", 404),
    ],
)
def test_troubles_have_a_page(reader: Visitor, path: str, status: int) -> None:
    answer = reader.client.get(path)
    assert answer.status_code == status
    assert "<main" in answer.text
    assert "Traceback" not in answer.text


def test_a_form_that_is_too_long_is_refused_whether_it_says_so_or_not(
    journal: Journal, visitor: Visitor
) -> None:
    asked = visitor.follow(visitor.case(NICKNAME), "Same person")
    form = next(form for form in forms(asked) if form.action.endswith("/decide"))
    assert visitor.client.post(form.action, data={"note": "x" * 100_000}).status_code == 413
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    parts = (b"note=" + b"x" * 10_000 for _ in range(20))
    assert visitor.client.post(form.action, content=parts, headers=kind).status_code == 413
    assert visitor.client.post("/login", data={"name": "x" * 20_000}).status_code == 413
    assert history(journal, SCHOOL) == []


def test_a_school_may_be_called_static(journal: Journal, visitors: Visitors) -> None:
    visitor = visitors(schools=["static", "name"])
    for school in ("static", "name"):
        assert "Nothing to review yet" in visitor.client.get(f"/{school}/").text
    assert visitor.client.get("/-/static/review.css").status_code == 200


def test_the_address_that_it_listens_on_is_taken(journal: Journal, visitors: Visitors) -> None:
    visitor = visitors(host="127.0.0.2")
    for host, status in (("127.0.0.2:3010", 200), ("127.0.0.3:3010", 421)):
        assert visitor.client.get(f"/{SCHOOL}/queue", headers={"Host": host}).status_code == status


def test_what_is_asked_before_a_decision_leaves_its_row_in_the_audit(
    journal: Journal, visitor: Visitor
) -> None:
    visitor.decide(NICKNAME, "Same person")
    visitor.get("decisions/1/undo")
    visitor.send(visitor.get("groups/look", pattern=BULK), "/groups/confirm")
    seen = [view.subject for view in audit_trail(journal, SCHOOL) if view.action == "view"]
    assert f"same of {NICKNAME} with orah 501, to be confirmed" in seen
    assert any(subject.startswith("decision 1: ") for subject in seen)
    assert "group of 5 to be confirmed" in seen


def test_another_method_is_refused(reader: Visitor) -> None:
    assert reader.client.post(f"/{SCHOOL}/queue").status_code == 405
    assert reader.client.delete(f"/{SCHOOL}/queue").status_code == 405


def test_bytes_that_are_no_request_bring_nothing_into_the_log(
    visitor: Visitor, caplog: pytest.LogCaptureFixture
) -> None:
    address = urlsplit(str(visitor.client.base_url))
    with socket.create_connection((address.hostname, address.port), timeout=5) as sender:
        sender.sendall(b"Jonathan Smith\r\n\r\n")
        sender.recv(1000)
    assert "Jonathan" not in caplog.text
