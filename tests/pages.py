"""Reading an HTML page in a test."""

from html.parser import HTMLParser


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
