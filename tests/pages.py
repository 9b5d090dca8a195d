"""Reading an HTML page in a test, and opening it in a real browser (the fixture `browser`)."""

from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path
from typing import Any


class Page(HTMLParser):
    """The tags of a page with their attributes, and the text."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]

    def links(self) -> list[str]:
        return [value or "" for _, attributes in self.tags for key, value in attributes.items() if key == "href"]

    def of_class(self, kind: str) -> int:
        return sum(attributes.get("class") == kind for _, attributes in self.tags)


@contextmanager
def opened(
    browser: Any, source: str, folder: Path, width: int, scheme: str = "light"
) -> Iterator[tuple[Any, list[str]]]:
    """The page in a new window of the browser, `width` pixels wide, and what its console complains of."""
    file = folder / "page.html"
    file.write_text(source, encoding="utf-8")
    complaints: list[str] = []
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(file.as_uri())
    yield page, complaints
    page.close()


def overflow(page: Any) -> int:
    """By how many pixels an open page is wider than its window."""
    return page.evaluate("document.documentElement.scrollWidth - window.innerWidth")


def barriers(page: Any) -> list[str]:
    """What axe-core finds wrong with an open page, every fold of it opened: each rule with the first place."""
    from axe_playwright_python.sync_playwright import Axe

    page.evaluate("document.querySelectorAll('details').forEach(fold => fold.open = true)")
    found = Axe().run(page).response["violations"]
    return [f"{each['id']}: {each['nodes'][0]['html'][:200]}" for each in found]
