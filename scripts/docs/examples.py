"""The example programs in docs/examples: which functions they call, and whether they run.

A program shows the functions that it calls. They are found behind the preprocessor, so that a program may
write a family of functions as a macro of its own.
"""

import re
import subprocess
from pathlib import Path

FLAGS = ["-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-Wno-unused-parameter", "-g"]


def programs(root: Path) -> list[Path]:
    """All example programs."""
    return sorted((root / "docs" / "examples").glob("*.c"))


def title(program: Path) -> str:
    """What the first comment of a program says it shows."""
    lines = []
    for line in program.read_text().splitlines():
        if not line.startswith("//"):
            break
        lines.append(line[2:].strip())
    return " ".join(lines)


def calls(root: Path, program: Path, functions: set[str]) -> set[str]:
    """Which of these functions a program calls, in what it says itself and not in what it includes."""
    text = subprocess.run(
        ["cc", "-E", "-std=c11", "-D_GNU_SOURCE", f"-I{root}/include", str(program)], check=True, capture_output=True, text=True
    ).stdout
    own, kept = False, []
    for line in text.splitlines():
        marker = re.match(r'# \d+ "([^"]*)"', line)
        if marker:
            own = marker.group(1).endswith(program.name)
        elif own:
            kept.append(line)
    used = set(re.findall(r"\b((?:wasm|tenon)_\w+)\s*\(", "\n".join(kept)))
    return used & functions


def run(root: Path, program: Path, library: Path, build: Path) -> str | None:
    """Compiles and runs a program; what went wrong, if anything did."""
    build.mkdir(parents=True, exist_ok=True)
    binary = build / program.stem
    command = ["cc", *FLAGS, f"-I{root}/include", str(program), f"-L{library}", "-ltenon", f"-Wl,-rpath,{library}",
               "-lpthread", "-lm", "-o", str(binary)]
    for step in (command, [str(binary)]):
        try:
            done = subprocess.run(step, capture_output=True, text=True, errors="replace", timeout=120)
        except subprocess.TimeoutExpired:
            return f"{program.name}: {step[0]} did not end within two minutes"
        if done.returncode != 0:
            return f"{program.name}: {step[0]} ended with {done.returncode}\n{done.stdout}{done.stderr}"
    return None
