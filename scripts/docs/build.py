#!/usr/bin/env python3
"""Builds the documentation as a site of plain files: build.py [--rust DIR] OUT.

    docs/*.md              prose, a page each
    docs/programs/*.md     the five memory programs, each in all languages side by side, and more
    docs/examples/*.c      programs that show the functions of the headers
    include/*.h            the reference

It fails, after saying all of what is wrong, where a function of the headers has no paragraph or no
example, or a link leads nowhere. Its last line counts what there is.
"""

import argparse
import html
import re
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "build" / "python"), str(Path(__file__).parent)]

import examples  # noqa: E402
import facts  # noqa: E402
import headers  # noqa: E402
from site_pages import Site, broken_links  # noqa: E402

PROSE = ["index", "ownership", "errors", "memory", "embedding", "cpp", "go", "python", "rust"]
PROGRAMS = ["memory", "memory-pointers", "passing-data", "memory-manipulation", "linear-memory"]
# Programs that not every language needs to have: only C.
MORE_PROGRAMS = ["exceptions", "shared-memory", "vectors"]
# Where each language keeps a program, below a folder that is there once the language is.
LANGUAGES = [
    ("C", "c-examples", "c-examples/{}.c"),
    ("C++", "cpp-examples", "cpp-examples/{}.cc"),
    ("Go", "bindings/go/examples", "bindings/go/examples/{}/main.go"),
    ("Python", "bindings/python/examples", "bindings/python/examples/{}.py"),
    ("Rust", "examples", "examples/{}.rs"),
]


def slug(header: str, title: str) -> str:
    title = re.sub(r"\(specification.*|:.*", "", title)
    return header.removesuffix(".h") + "-" + re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def heading(text: str) -> str:
    return re.sub(r" \(specification: .*\)", "", text)


def source(text: str) -> str:
    return f"<pre><code>{html.escape(text)}</code></pre>"


def excerpt(program: Path, name: str) -> str | None:
    """The lines around a call, unless the program calls the function through a macro only."""
    lines = program.read_text().splitlines()
    for at, line in enumerate(lines):
        if re.search(rf"\b{name}\(", line) and not line.startswith("//"):
            first, last = max(at - 1, 0), min(at + 2, len(lines))
            return "\n".join(lines[first:last])
    return None


def function(site: Site, item: headers.Item, shown: list[Path]) -> str:
    """What the reference says about a function."""
    rows = [
        ("Ownership", " ".join(facts.ownership(item.code)) or "Nothing changes hands."),
        ("Failure", facts.failure(item.code, item.text)),
        ("Threads", facts.threads(item.name, item.code, item.text)),
    ]
    rows = "".join(f"<dt>{name}</dt><dd>{site.markdown(text)}</dd>" for name, text in rows)
    links = ", ".join(f'<a href="example-{p.stem}.html">{p.stem}</a>' for p in shown[:4])
    example = next((text for text in (excerpt(p, item.name) for p in shown) if text), None)
    return (
        site.markdown(item.text) + f"<dl>{rows}<dt>Shown in</dt><dd>{links or 'nothing'}</dd></dl>"
        + (source(example) if example else "")
    )


def reference(site: Site, sections: list[headers.Section], shown: dict[str, list[Path]]) -> None:
    for section in sections:
        name = slug(section.header, section.title)
        parts = [f"<h1>{html.escape(heading(section.title))}</h1><p><code>#include &lt;{section.header}&gt;</code></p>"]
        specification = re.search(r"\(specification: (.*)\)", section.title)
        if specification:
            parts.append(f"<p>Section of the specification: {html.escape(specification.group(1))}.</p>")
        parts.append(site.markdown(section.intro))
        functions = [item for item in section.items if item.kind in ("function", "inline")]
        index = ", ".join(f"[{item.name}](#{item.name})" for item in functions)
        parts.append(site.markdown(index))
        for item in section.items:
            body = function(site, item, shown.get(item.name, [])) if item in functions else site.markdown(item.text)
            parts.append(
                f'<section class="item" id="{item.name}"><h3>{item.name}</h3>{source(item.code)}{body}</section>'
            )
        site.page(f"{name}.html", heading(section.title), "\n".join(parts))


def program_page(site: Site, name: str, mistakes: list[str]) -> None:
    """A program in the languages side by side, its module below."""
    prose = (ROOT / "docs" / "programs" / f"{name}.md").read_text()
    columns = ""
    for language, folder, pattern in LANGUAGES:
        if not (ROOT / folder).is_dir():
            continue
        # Some languages do not like hyphens in names of files.
        files = [pattern.format(name), pattern.format(name.replace("-", "_"))]
        file = next((file for file in files if (ROOT / file).is_file()), None)
        if file is None and name in MORE_PROGRAMS and language != "C":
            continue
        if file is None:
            mistakes.append(f"{files[0]} is missing: the program {name} in {language}")
            continue
        columns += f"<div><h3>{language}</h3><p><code>{file}</code></p>{source((ROOT / file).read_text())}</div>"
    modules = ""
    for path in sorted((ROOT / "c-examples").glob(f"{name}*.wat")):
        if path.stem == name or path.stem == f"{name}-sum":
            modules += f"<h2>{path.name}</h2>{source(path.read_text())}"
    expected = source((ROOT / "c-examples" / f"{name}.expected").read_text())
    body = site.markdown(prose) + f'<div class="columns">{columns}</div><h2>What it prints (in C)</h2>{expected}{modules}'
    site.page(f"program-{name}.html", name, body, wide=True)


def build(out: Path, rust: Path | None) -> int:
    mistakes: list[str] = []
    sections = [s for header in ("wasm.h", "tenon.h") for s in headers.read(ROOT / "include" / header)]
    functions = {i.name: i for s in sections for i in s.items if i.kind in ("function", "inline")}
    for header in ("wasm.h", "tenon.h"):
        unseen = headers.declared(ROOT / "include" / header) - set(functions) - {"assertions"}
        mistakes += [f"{header}: {name} is declared, but not found by headers.py" for name in sorted(unseen)]

    shown: dict[str, list[Path]] = {}
    programs = examples.programs(ROOT)
    for program in programs:
        for name in examples.calls(ROOT, program, set(functions)):
            shown.setdefault(name, []).append(program)
    # A program that shows few functions is the better example of each.
    sizes = {p: sum(p in q for q in shown.values()) for p in programs}
    for name, item in sorted(functions.items()):
        if not item.text:
            mistakes.append(f"{name} has no paragraph in the header")
        if name not in shown:
            mistakes.append(f"{name} is called by no program in docs/examples")
    for found in shown.values():
        found.sort(key=lambda p: sizes[p])

    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    site = Site(out)
    for section in sections:
        for item in section.items:
            site.places[item.name] = f"{slug(section.header, section.title)}.html#{item.name}"
    titles = {name: (ROOT / "docs" / f"{name}.md").read_text().splitlines()[0].lstrip("# ") for name in PROSE}
    site.menu = [("Guide", [(f"{name}.html", titles[name]) for name in PROSE]),
                 ("Programs", [(f"program-{name}.html", name) for name in PROGRAMS + MORE_PROGRAMS])]
    for header in ("wasm.h", "tenon.h"):
        own = [s for s in sections if s.header == header]
        site.menu.append((header, [(f"{slug(header, s.title)}.html", heading(s.title)) for s in own]))
    site.menu.append(("Examples", [("examples.html", "All examples"), ("functions.html", "All functions")]))
    if rust:
        shutil.copytree(rust, out / "rust")
        site.menu.append(("Rust", [("rust/tenon/index.html", "The crate")]))

    for name in PROSE:
        site.page(f"{name}.html", titles[name], site.markdown((ROOT / "docs" / f"{name}.md").read_text()))
    for name in PROGRAMS + MORE_PROGRAMS:
        program_page(site, name, mistakes)
    reference(site, sections, shown)
    table = "".join(f'<li><a href="example-{p.stem}.html">{p.stem}</a>: {html.escape(examples.title(p))}</li>' for p in programs)
    site.page("examples.html", "Examples", "<h1>Examples</h1><p>The tests compile and run each of them.</p>" f"<ul>{table}</ul>")
    for program in programs:
        called = ", ".join(f"`{n}`" for n in sorted(n for n, found in shown.items() if program in found))
        body = f"<h1>{program.stem}</h1>{source(program.read_text())}<h2>Functions</h2>{site.markdown(called)}"
        site.page(f"example-{program.stem}.html", program.stem, body)
    listed = site.markdown("\n".join(f"- `{name}`" for name in sorted(functions)))
    site.page("functions.html", "All functions", f"<h1>All functions</h1>{listed}")
    site.finish()

    links, broken = broken_links(out)
    mistakes += broken
    for mistake in mistakes:
        print(f"docs: {mistake}", file=sys.stderr)
    print(f"docs: {len(functions)} functions, {len(programs)} examples, {len(site.written)} pages, {links} internal links")
    return 1 if mistakes else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rust", type=Path, help="what cargo doc made")
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    sys.exit(build(options.out, options.rust))
