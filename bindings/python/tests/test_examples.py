"""The programs in examples print what those of c-examples print."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
TEXTS = EXAMPLES.parent.parent.parent / "c-examples"


@pytest.mark.parametrize("name", ["memory", "memory-pointers", "passing-data", "memory-manipulation", "linear-memory",
                                  "exceptions", "shared-memory", "vectors"])
def test_example(name, tmp_path):
    program = EXAMPLES / f"{name.replace('-', '_')}.py"
    run = subprocess.run([sys.executable, "-W", "error", str(program), str(TEXTS)], cwd=tmp_path, capture_output=True,
                         timeout=60, env={**os.environ, "PYTHONUTF8": "1"})
    assert run.stderr.decode() == ""
    assert run.stdout == (TEXTS / f"{name}.expected").read_bytes()
    assert run.returncode == 0
