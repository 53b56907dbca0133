"""The plainest clients of the stand-ins: one httpx request, one answer."""

from typing import Any

import httpx

from vx_pipeline.sandbox import Sandbox
from vx_pipeline.sandbox.contract import operations

ALL_SCOPES = " ".join(sorted({described["scope"] for described in operations().values()}))


class Caller:
    """Calls the stand-ins of one sandbox. Close it.

    Args:
        sandbox: a running one.
        timeout: seconds that an answer may take.
    """

    def __init__(self, sandbox: Sandbox, timeout: float = 10) -> None:
        self.sandbox = sandbox
        # Plain HTTP on loopback: loading the certificates of the world takes longer than most tests.
        self.http = httpx.Client(timeout=timeout, verify=False, trust_env=False)
        self._token: str | None = None

    def token_form(self, **changes: str | None) -> dict[str, str]:
        form = {
            "grant_type": "client_credentials",
            "client_id": self.sandbox.credentials.client_id,
            "client_secret": self.sandbox.credentials.client_secret,
            "scope": ALL_SCOPES,
            **changes,
        }
        return {name: value for name, value in form.items() if value is not None}

    def accounts(self, path: str = "oauth/token", **changes: str | None) -> httpx.Response:
        url = f"{self.sandbox.veracross_accounts_url}/{self.sandbox.school.route}/{path}"
        return self.http.post(url, data=self.token_form(**changes))

    def new_token(self, scope: str = ALL_SCOPES) -> str:
        answer = self.accounts(scope=scope)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    @property
    def token(self) -> str:
        self._token = self._token or self.new_token()
        return self._token

    def data(
        self,
        path: str,
        *,
        method: str = "GET",
        token: str | None = None,
        headers: dict[str, str] | None = None,
        **options: Any,
    ) -> httpx.Response:
        url = f"{self.sandbox.veracross_api_url}/{self.sandbox.school.route}/v3{path}"
        signed = {"Authorization": f"Bearer {token or self.token}", **(headers or {})}
        return self.http.request(method, url, headers=signed, **options)

    def page(self, path: str, number: int = 1, size: int = 1000, **options: Any) -> list[dict[str, Any]]:
        headers = {"X-Page-Number": str(number), "X-Page-Size": str(size)}
        answer = self.data(path, headers=headers, **options)
        assert answer.status_code == 200, answer.text
        rows: list[dict[str, Any]] = answer.json()["data"]
        return rows

    def whole(self, path: str, size: int = 1000, **options: Any) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        number = 1
        while True:
            page = self.page(path, number, size, **options)
            rows += page
            if len(page) < size:
                return rows
            number += 1

    def patch(self, row: dict[str, Any], data: Any, **options: Any) -> httpx.Response:
        path = f"/classes/{row['internal_class_id']}/attendance/{row['id']}"
        return self.data(path, method="PATCH", json={"data": data}, **options)

    def orah(self, route: str, body: Any = None, *, key: str | None = None) -> httpx.Response:
        return self.http.post(
            f"{self.sandbox.orah_api_url}/open-api/{route}",
            json={} if body is None else body,
            headers={"Authorization": f"Bearer {key or self.sandbox.credentials.orah_api_key}"},
        )

    def orah_data(self, route: str, body: Any = None) -> Any:
        answer = self.orah(route, body)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    def control(self, method: str, path: str, **options: Any) -> httpx.Response:
        return self.http.request(method, self.sandbox.control_url + path, **options)
