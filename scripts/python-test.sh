#!/usr/bin/env bash
# python-test.sh: builds the wheel of the Python package, installs it into an environment of its own and runs the package's
# tests outside of the source tree: as they are, in Python's development mode, and with a collection of garbage every few objects. Called by `make test`, after the
# library was built and `need.sh python` has made the environment.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$PWD/build/python-test
python=$PWD/build/python-venv/bin/python
package=$PWD/bindings/python

# What an earlier build left in the package could be taken for part of it.
rm -rf "$work" "$package/build"
mkdir -p "$work"
"$python" -m pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir "$work" "$package"
"$python" -m pip install --quiet --disable-pip-version-check --no-deps --no-index --force-reinstall "$work"/tenon-*.whl
cd "$work"
run() { timeout 300 "$@" -m pytest -q -p no:cacheprovider -c "$package/pyproject.toml" --rootdir "$work" "$package/tests"; }
export PYTHONDONTWRITEBYTECODE=1
run "$python" | tee plain.log
PYTHONDEVMODE=1 run "$python" -W error | tee development.log
TENON_TEST_COLLECT=1 run "$python" | tee collecting.log
count() { sed -n 's/^\([0-9]*\) passed in .*/\1/p' "$1"; }
[ -n "$(count plain.log)" ] && [ "$(count plain.log)" = "$(count development.log)" ] &&
  [ "$(count plain.log)" = "$(count collecting.log)" ] ||
  { echo "python-test.sh: not all tests passed in all modes" >&2; exit 1; }
echo "python-test: $(count plain.log) tests in 3 modes"
