"""Pages: HTML around what Markdown gives, links to functions, and the check of all links."""

import html
import re
from html.parser import HTMLParser
from pathlib import Path

import markdown

STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8881; }
body { font: 16px/1.55 system-ui, sans-serif; margin: 0; display: grid; grid-template-columns: 15rem minmax(0, 1fr); }
nav { padding: 1.5rem 1rem; border-right: 1px solid var(--line); font-size: .9rem; }
nav a { display: block; padding: .1rem 0; text-decoration: none; }
nav a.here { font-weight: bold; }
nav h2 { font-size: .9rem; margin: 1rem 0 .2rem; }
main { padding: 1.5rem 2rem 4rem; max-width: 60rem; }
main.wide { max-width: none; }
pre { background: var(--soft); border: 1px solid var(--line); padding: .7rem; overflow-x: auto; font-size: .83rem; line-height: 1.4; }
code { font-family: ui-monospace, monospace; font-size: .92em; }
table { border-collapse: collapse; } td, th { border: 1px solid var(--line); padding: .25rem .6rem; text-align: left; }
section.item { border-top: 1px solid var(--line); margin-top: 1.5rem; }
section.item h3 { font-family: ui-monospace, monospace; margin-bottom: .3rem; }
dl { display: grid; grid-template-columns: 7rem 1fr; gap: .2rem .8rem; font-size: .92rem; } dd { margin: 0; }
.columns { display: flex; gap: 1rem; overflow-x: auto; align-items: flex-start; }
.columns > div { flex: 0 0 38rem; } .columns h3 { margin: .3rem 0; }
@media (max-width: 50rem) { body { display: block; } nav { border: 0; } }
"""


class Site:
    """The pages of a site, by file name, and where each function is described."""

    def __init__(self, out: Path):
        self.out = out
        self.places: dict[str, str] = {}  # name of a function or type -> page#anchor
        self.menu: list[tuple[str, list[tuple[str, str]]]] = []
        self.written: list[str] = []

    def markdown(self, text: str) -> str:
        """HTML of Markdown, names of the headers being links."""
        return self.link(markdown.markdown(text, extensions=["tables", "fenced_code", "toc"]))

    def link(self, page: str) -> str:
        """Makes links of names in inline code."""

        def one(match: re.Match) -> str:
            place = self.places.get(match.group(1))
            return f'<a href="{place}">{match.group(0)}</a>' if place else match.group(0)

        # Code within <pre> or a link stays as it is.
        parts = re.split(r"(<pre.*?</pre>|<a .*?</a>)", page, flags=re.DOTALL)
        return "".join(
            part if index % 2 else re.sub(r"<code>(\w+)(?:\(\))?</code>", one, part) for index, part in enumerate(parts)
        )

    def page(self, name: str, title: str, body: str, wide: bool = False) -> None:
        """Writes a page."""
        menu = ""
        for heading, entries in self.menu:
            menu += f"<h2>{html.escape(heading)}</h2>"
            for file, text in entries:
                here = ' class="here"' if file == name else ""
                menu += f'<a{here} href="{file}">{html.escape(text)}</a>'
        (self.out / name).write_text(
            f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)} - Tenon</title>'
            '<meta name="viewport" content="width=device-width"><link rel="stylesheet" href="style.css"></head>\n'
            f'<body><nav><strong>Tenon</strong>{menu}</nav><main{" class=wide" if wide else ""}>{body}</main></body></html>\n'
        )
        self.written.append(name)

    def finish(self) -> None:
        """Writes what pages share."""
        (self.out / "style.css").write_text(STYLE)


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.anchors: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for key, value in attrs:
            if key == "id" and value:
                self.anchors.add(value)
            elif key in ("href", "src") and value is not None:
                self.targets.append(value)


def broken_links(out: Path) -> tuple[int, list[str]]:
    """How many links stay within the site, and a line for each that leads nowhere or that needs the network."""
    pages = {}
    for path in sorted(out.glob("*.html")):
        pages[path.name] = _Links()
        pages[path.name].feed(path.read_text())
    count, broken = 0, []
    for name, page in pages.items():
        for target in page.targets:
            if re.match(r"(https?:)?//", target):
                broken.append(f"{name}: {target} is not part of the site")
                continue
            count += 1
            file, _, anchor = target.partition("#")
            file = file or name
            if not (out / file).is_file():
                broken.append(f"{name}: {target}: there is no such file")
            elif anchor and file in pages and anchor not in pages[file].anchors:
                broken.append(f"{name}: {target}: there is no such anchor")
    return count, broken
