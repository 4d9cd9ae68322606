#!/usr/bin/env python3
"""Compiles and runs the programs in docs/examples: run.py LIBRARY_DIR BUILD_DIR [NAME...].

Prints how many ran, and fails if one of them does.
"""

import sys
from pathlib import Path

import examples

root = Path(__file__).resolve().parents[2]
library, build = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
chosen = [p for p in examples.programs(root) if not sys.argv[3:] or p.stem in sys.argv[3:]]
wrong = [message for message in (examples.run(root, p, library, build) for p in chosen) if message]
for message in wrong:
    print(message, file=sys.stderr)
print(f"docs: {len(chosen) - len(wrong)} of {len(chosen)} examples ran")
sys.exit(1 if wrong or not chosen else 0)
