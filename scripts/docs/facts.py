"""What follows from the form of a declaration: who owns what, how a failure shows, which threads may call.

The headers mark with `own` what changes hands, and a function's first argument tells where it works. Where
the comment of a function says more, that stands above.
"""

import re

# What belongs to no store, so that any thread may use it.
FREE = ("config", "valtype", "functype", "globaltype", "tabletype", "memorytype", "tagtype", "externtype",
        "importtype", "exporttype", "byte_vec", "shared_module", "shared_memory", "error", "deftype", "engine",
        "limits", "name")


def parameters(code: str) -> list[tuple[str, str]]:
    """Declaration and name of each parameter."""
    inner = code[code.index("(") + 1 : code.rindex(")")]
    parts, depth, part = [], 0, ""
    for char in inner:
        depth += (char == "(") - (char == ")")
        if char == "," and depth == 0:
            parts.append(part)
            part = ""
        else:
            part += char
    parts.append(part)
    found = []
    for part in (" ".join(part.split()) for part in parts):
        if part and part != "void":
            name = re.search(r"\(\*(\w+)\)", part) or re.search(r"(\w+)(?:\[\])?$", part)
            found.append((part, name.group(1)))
    return found


def ownership(code: str) -> list[str]:
    """Sentences about what changes hands, in Markdown."""
    said = []
    taken, filled, lent = [], [], []
    for part, name in parameters(code):
        if part.startswith("own ") and (name in ("out", "trap") or "**" in part):
            filled.append(name)
        elif part.startswith("own "):
            taken.append(name)
        elif "*" in part and not re.search(r"\(\*", part) and "void *" not in part:
            if not part.startswith("const") and name in ("out", "old", "result", "woken", "offset", "line", "column",
                                                         "max"):
                continue
            lent.append(name)
    if taken:
        said.append(f"Takes over {_names(taken)}.")
    if filled:
        said.append(f"The caller owns what {_names(filled)} {'receive' if len(filled) > 1 else 'receives'}.")
    if lent:
        said.append(f"Borrows {_names(lent)} for the call.")
    result = re.match(r"own\s+((?:wasm|tenon)_\w+?)_t\s*\*", code)
    if result:
        said.append(f"The caller owns the result, and deletes it with `{result.group(1)}_delete`.")
    elif re.match(r"(const )?[\w ]+\*", code.split("(")[0]):
        if "_as_" in code.split("(")[0]:
            said.append("The result is the argument, seen otherwise: it is not deleted besides it.")
        else:
            said.append("The result is borrowed: the caller does not delete it.")
    return said


def failure(code: str, text: str) -> str:
    """How a failure shows, in Markdown."""
    head = code.split("(")[0]
    name = head.split()[-1].lstrip("*")
    if re.match(r"own\s+tenon_error_t", head):
        if name == "tenon_last_error_take":
            return "None: NULL says that there is nothing to take."
        return "The result is the error; NULL is success."
    if re.match(r"own\s+wasm_trap_t", head) and "call" in name:
        return "The result is the trap; NULL is success."
    if re.search(r"_delete$", name):
        return "Nothing can fail."
    if re.match(r"bool\b", head) and re.match("Whether|`", text) and not re.search("[Ff]alse|NULL", text):
        return "False; `tenon_last_error` tells the reason of a failure."
    if re.search(r"\bNULL\b|[Ff]alse|[Ee]mpty|nothing happens", text, re.IGNORECASE):
        return "As said above; `tenon_last_error` tells the reason of a failure."
    if re.match(r"(void|bool)\b", head) and not re.search(r"_new|_grow|_set|_init", name):
        return "Nothing can fail; NULL is a failure that does nothing."
    return "As the type of the result allows; `tenon_last_error` tells the reason."


def threads(name: str, code: str, text: str) -> str:
    """Which threads may call it, in Markdown."""
    if re.search(r"\bthread", text, re.IGNORECASE):
        return "As said above."
    if name.startswith("tenon_last_error"):
        return "Each thread has its own last failure."
    family = re.sub(r"^(wasm|tenon)_", "", name)
    if name.startswith("tenon_config"):
        return "Any thread, one at a time for each configuration."
    if name in ("wasm_store_new",) or family.startswith(FREE):
        return "Any thread; what is changed, by one thread at a time."
    if family.endswith(("_delete", "_copy")) or "_vec_" in family:
        return "Any thread: giving up and copying references is safe everywhere. Never the same variable at once."
    if "store" in code or "(" in code:
        return "The one that uses the store at the time. `TENON_ERROR_THREAD` is the failure of another, where it is noticed."
    return "Any thread."


def _names(names: list[str]) -> str:
    quoted = [f"`{name}`" for name in names]
    return quoted[0] if len(quoted) == 1 else ", ".join(quoted[:-1]) + " and " + quoted[-1]
