"""What the headers declare: sections, and in them functions, types and constants with their comments.

The headers are generated, and so always of the same form: a section begins with a line of slashes and a
title, `///` comments stand before what they are about, and a declaration ends in `;` or, for an inline
function, in a `}` in the first column.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

RULE = "/" * 40


@dataclass
class Item:
    """A declaration."""

    kind: str  # "function", "inline", "type" or "constant"
    name: str
    code: str
    text: str  # its comment, or that of the group of inline functions in which it stands
    shared_text: bool = False


@dataclass
class Section:
    """What stands below one title."""

    header: str
    title: str
    intro: str = ""
    items: list[Item] = field(default_factory=list)


def read(path: Path) -> list[Section]:
    """The sections of a header that declare something."""
    header = path.name
    sections: list[Section] = []
    section = Section(header, header)
    lines = path.read_text().splitlines()
    comment: list[str] = []
    group: list[str] = []
    at = 0
    while at < len(lines):
        line = lines[at]
        if line.startswith(RULE):
            title = lines[at + 1].removeprefix("// ").strip()
            section = Section(header, title)
            sections.append(section)
            at += 2
            if at < len(lines) and lines[at] == "//":
                intro = []
                while lines[at].startswith("//"):
                    intro.append(lines[at][2:].strip())
                    at += 1
                section.intro = _paragraphs(intro)
            comment, group = [], []
            continue
        if line.startswith("///"):
            comment.append(line[3:].removeprefix(" "))
        elif line.startswith("// ") or line == "//":
            group = group + [line[2:].strip()] if at and lines[at - 1].startswith("//") else [line[2:].strip()]
        elif line.startswith("#"):
            while lines[at].endswith("\\"):
                at += 1
            comment = []
        elif _begins_declaration(line):
            end = _end(lines, at)
            code = "\n".join(lines[at : end + 1])
            item = _item(code, _paragraphs(comment))
            if item is not None:
                if not item.text and item.kind == "inline":
                    item.text, item.shared_text = _paragraphs(group), True
                section.items.append(item)
            comment = []
            at = end
        elif line.strip():
            comment = []
        at += 1
    return [section for section in sections if section.items]


def declared(path: Path) -> set[str]:
    """The names of all functions in a header, found in another way than `read` finds them: to check it."""
    text = re.sub(r"(?m)^#.*(?:\\\n.*)*$", "", path.read_text())
    text = re.sub(r"//[^\n]*", "", text)
    text = re.sub(r"\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}", ";", text)
    names = set()
    for statement in text.split(";"):
        if "typedef" in statement or "(" not in statement:
            continue
        names.update(re.findall(r"\b((?:wasm|tenon)_\w+)\s*\(", statement)[:1])
    return names


def _begins_declaration(line: str) -> bool:
    return bool(re.match(r"(typedef|WASM_API_EXTERN|static)\b", line))


def _end(lines: list[str], at: int) -> int:
    inline = lines[at].startswith("static inline")
    depth = 0
    for index in range(at, len(lines)):
        line = lines[index].split("//")[0]
        if inline:
            if line == "}":
                return index
            continue
        depth += line.count("{") - line.count("}")
        if depth == 0 and line.rstrip().endswith(";"):
            return index
    raise ValueError(f"line {at + 1}: a declaration without end")


def _item(code: str, text: str) -> Item | None:
    if code.startswith("static inline"):
        name = re.search(r"(\w+)\s*\(", code.removeprefix("static inline")).group(1)
        # `assertions` is checked by the compiler and called by nobody.
        return None if name == "assertions" else Item("inline", name, _signature(code), text)
    if code.startswith("WASM_API_EXTERN"):
        code = code.removeprefix("WASM_API_EXTERN ")
        return Item("function", re.search(r"(\w+)\s*\(", code).group(1), code, text)
    if code.startswith("static"):
        return Item("constant", re.search(r"(\w+) =", code).group(1), code, text)
    function_pointer = re.search(r"\(\*(\w+)\)", code.split("{")[0])
    name = function_pointer.group(1) if function_pointer and "struct" not in code.split("(")[0] else None
    return Item("type", name or re.search(r"(\w+);\s*$", code).group(1), code, text)


def _signature(code: str) -> str:
    """An inline function without its body."""
    return re.sub(r"\s*\{.*", ";", code, flags=re.DOTALL).removeprefix("static inline ")


def _paragraphs(lines: list[str]) -> str:
    return "\n".join(lines).strip()
