"""A visitor without a script: follows links, and sends the forms that stand on a page."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urlsplit

import httpx

from vx_pipeline_tests.review.school import SCHOOL


@dataclass
class Form:
    """One form of a page with what it would send; a name may come several times."""

    action: str
    method: str
    fields: list[tuple[str, str]] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: list[tuple[str, str]] = []
        self._open: Form | None = None
        self._link: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = Form(given["action"], given["method"])
            self.forms.append(self._open)
        elif tag in ("input", "textarea") and self._open is not None and "name" in given:
            if given.get("type") != "checkbox" or "checked" in given:
                self._open.fields.append((given["name"], given.get("value", "")))
        elif tag == "a":
            self._link = given.get("href")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None
        elif tag == "a":
            self._link = None

    def handle_data(self, data: str) -> None:
        if self._link is not None and data.strip():
            self.links.append((data.strip(), self._link))


def forms(answer: httpx.Response) -> list[Form]:
    """The forms of a page."""
    reader = _Reader()
    reader.feed(answer.text)
    return reader.forms


class Visitor:
    """Somebody with a browser of their own.

    Args:
        address: where the page is.
    """

    def __init__(self, address: str) -> None:
        self.client = httpx.Client(base_url=address, follow_redirects=True, timeout=30, verify=False)

    def get(self, path: str, **query: str) -> httpx.Response:
        """One of the school's pages."""
        return self.client.get(f"/{SCHOOL}/{path}", params=query or None)

    def case(self, case_id: str, **query: str) -> httpx.Response:
        """The page of a case."""
        answer = self.get(f"case/{case_id}", **query)
        assert answer.status_code == 200, answer.text
        return answer

    def follow(self, answer: httpx.Response, text: str) -> httpx.Response:
        """The page behind the first link with this text."""
        reader = _Reader()
        reader.feed(answer.text)
        path = next(path for told, path in reader.links if told == text)
        # Answers are asked for by their own address and query, as a browser would.
        return self.client.get(urlsplit(path).path, params=dict(parse_qsl(urlsplit(path).query)))

    def send(self, answer: httpx.Response, action: str, /, **changes: str | None) -> httpx.Response:
        """Sends the form that leads to a path which ends like ``action``; None leaves a field out."""
        form = next(form for form in forms(answer) if form.action.endswith(action) and form.method == "post")
        fields = [(name, value) for name, value in form.fields if name not in changes]
        fields += [(name, value) for name, value in changes.items() if value is not None]
        data: dict[str, list[str]] = {}
        for name, value in fields:
            data.setdefault(name, []).append(value)
        return self.client.post(form.action, data=data)

    def decide(self, case_id: str, label: str, *, other: str = "", **changes: str | None) -> httpx.Response:
        """From the case over the page that asks to the decision; gives the page that follows."""
        case = self.case(case_id, **({"other": other} if other else {}))
        return self.send(self.follow(case, label), "/decide", **changes)

    def close(self) -> None:
        """Closes the connections."""
        self.client.close()
