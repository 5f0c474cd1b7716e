"""A browser that shows each answer as it is: it follows nothing by itself and can speak htmx."""

from bs4 import Tag

from tests.browsing import Browser, Seen, fields_of


class Visitor(Browser):
    """One person's browser, one request at a time."""

    def send(
        self,
        form: Tag,
        *,
        to: str = "",
        follow: bool = False,
        htmx: bool = False,
        **changes: object,
    ) -> Seen:
        """Send a form with some of its fields changed."""
        return self.post(
            to or str(form["action"]), {**fields_of(form), **changes}, follow=follow, htmx=htmx
        )

    def post(
        self, path: str, data: dict[str, object], *, follow: bool = False, htmx: bool = False
    ) -> Seen:
        """Send values with the token of a page of this person's."""
        headers = {"Sec-Fetch-Site": "same-origin"} | ({"HX-Request": "true"} if htmx else {})
        if "csrf_token" not in data:
            data = {**data, "csrf_token": self._token()}
        return self._seen(
            self.client.post(path, data=data, headers=headers, follow_redirects=follow)
        )

    def _token(self) -> str:
        meta = self.get("/povs").soup.select_one("meta[name=csrf-token]")
        assert meta is not None
        return str(meta["content"])
