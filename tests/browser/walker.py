"""A person at the browser: goes from page to page, and every page must be usable by everyone."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import Page, expect

PATIENCE_MS = 60_000
AN_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
RELOADS = 40
RELOAD_MS = 250


@dataclass(frozen=True, slots=True)
class Walker:
    """Reads the page's first sentence, presses buttons, follows links."""

    page: Page
    violations: Callable[[Page], list[str]]
    looked_at: set[str] = field(default_factory=set)

    def sees(self, sentence: str) -> None:
        """Wait for the page's first sentence, then look at the page in both themes; once for each
        page and sentence.
        """
        self.reads(sentence)
        page = f"{AN_ID.sub('…', urlsplit(self.page.url).path)} {sentence}"
        if page in self.looked_at:
            return
        self.looked_at.add(page)
        found = self.violations(self.page)
        assert not found, f"{self.page.url} breaks {found}"

    def reads(self, sentence: str) -> None:
        """Wait for the page's first sentence, a pattern; blanks at its end are nobody's concern."""
        heading = self.page.get_by_role("heading", level=1)
        pattern = re.compile(re.sub(r"\$$", r"\\s*$", sentence))
        expect(heading).to_have_text(pattern, timeout=PATIENCE_MS)

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def follow(self, name: str) -> None:
        self.page.get_by_role("main").get_by_role("link", name=name, exact=True).click()

    def go(self, name: str) -> None:
        """Follow a link of the side bar."""
        side = self.page.get_by_role("navigation", name="Main")
        side.get_by_role("link", name=re.compile(f"^{name}")).click()

    def reads_anew(self, sentence: str) -> None:
        """Load the page anew until its first sentence says so: work may still be on its way."""
        heading = self.page.get_by_role("heading", level=1)
        for _ in range(RELOADS):
            if re.search(sentence, heading.inner_text()):
                return
            self.page.wait_for_timeout(RELOAD_MS)
            self.page.reload()
        self.reads(sentence)

    def counts(self, name: str, amount: int) -> None:
        """Load the page anew until the side bar counts so; a slow count is kept for a moment."""
        side = self.page.get_by_role("navigation", name="Main")
        link = side.get_by_role("link", name=re.compile(f"^{name}"))
        for _ in range(RELOADS):
            if str(amount) in link.inner_text():
                return
            self.page.wait_for_timeout(RELOAD_MS)
            self.page.reload()
        expect(link).to_contain_text(str(amount))

    def both_have(self, field: str, ours: str, theirs: str) -> None:
        """Wait for a field's values on both sides of a record's page, patterns."""
        heading = self.page.get_by_role("rowheader", name=re.compile(f"^{field}( required)?$"))
        cells = self.page.get_by_role("row").filter(has=heading).get_by_role("cell")
        expect(cells.nth(0)).to_have_text(re.compile(ours))
        expect(cells.nth(1)).to_have_text(re.compile(theirs))

    def tally(self, word: str) -> int:
        """Return a count of the page's summary."""
        item = self.page.locator(".tally li").filter(has_text=re.compile(rf"\d{word}$"))
        return int(re.sub(r"\D", "", item.inner_text()))

    def sign_in(self, email: str = "admin@demo.test") -> None:
        """Take the demo account that is filled in, or choose another."""
        self.page.goto("/")
        if email != "admin@demo.test":
            self.page.get_by_role("link", name=email).click()
        expect(self.page.get_by_label("E-mail")).to_have_value(email)
        self.press("Sign in")

    def connect(self) -> None:
        """Add the simulated HubSpot, from Home on."""
        self.go("Connections")
        self.sees("^No CRM is connected yet.")
        self.page.get_by_role("link", name="Add a connection").first.click()
        self.sees("^Which CRM")
        self.follow("Connect HubSpot")
        self.follow("Fill in the simulator")
        self.sees("^Connect HubSpot.")
        self.press("Connect HubSpot")
