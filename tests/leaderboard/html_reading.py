"""Reading a page with the standard library's parser, as an oracle for what a browser would see."""

from html.parser import HTMLParser
from typing import NamedTuple


class Tag(NamedTuple):
    name: str
    attributes: dict[str, str | None]


class Page(HTMLParser):
    """The tags of a page, its text, and what stands inside <style> and <script>."""

    def __init__(self, data):
        super().__init__(convert_charrefs=True)
        self.tags, self.text, self.inline = [], [], []
        self._raw = None
        self.feed(data if isinstance(data, str) else data.decode())
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(Tag(tag, dict(attrs)))
        self._raw = tag if tag in ("style", "script") else self._raw

    def handle_endtag(self, tag):
        self._raw = None if tag == self._raw else self._raw

    def handle_data(self, data):
        if self._raw:
            self.inline.append((self._raw, data))
        elif data.strip():
            self.text.append(data.strip())

    def attributes(self, name):
        return [tag.attributes[name] or "" for tag in self.tags if name in tag.attributes]
