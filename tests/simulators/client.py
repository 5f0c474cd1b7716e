"""A small HTTP client for tests of the simulator: calls with a token, and the controls."""

from types import TracebackType

import requests

from crm_admin.simulators.hubspot.settings import DEMO_TOKEN


class Client:
    def __init__(self, url: str, token: str = DEMO_TOKEN) -> None:
        self.url = url
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {token}"

    def call(
        self, method: str, path: str, json: object = None, **more: object
    ) -> requests.Response:
        more.setdefault("timeout", 10)
        return self._session.request(
            method, self.url + path, json=json, allow_redirects=False, **more
        )

    def get(self, path: str, **more: object) -> requests.Response:
        return self.call("GET", path, **more)

    def post(self, path: str, json: object = None, **more: object) -> requests.Response:
        return self.call("POST", path, json, **more)

    def create(self, kind: str, **properties: str) -> str:
        answer = self.post(f"/crm/v3/objects/{kind}", {"properties": properties})
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    def fault(self, fault: str, **rule: object) -> None:
        answer = self.post("/_sim/faults", {"rules": [{"fault": fault, **rule}]})
        assert answer.status_code == 200, answer.text

    def config(self, **settings: object) -> None:
        answer = self.post("/_sim/config", settings)
        assert answer.status_code == 200, answer.text

    def log(self, after: int = 0) -> list[dict[str, object]]:
        return self.get(f"/_sim/log?after={after}").json()["entries"]

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._session.close()
