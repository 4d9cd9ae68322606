#!/usr/bin/env bash
# jvm-test.sh: runs tests/jvm with each Java 22 or newer that is here, with signals and without. Without such a Java it says so and
# tests nothing. Called by `make test`, after the library was built.
set -euo pipefail
cd "$(dirname "$0")/.."
library=${CARGO_TARGET_DIR:-target}/release/libtenon.so

counts=()
for java in $( { command -v java; ls -d "${JAVA_HOME:-/none}"/bin/java /usr/lib/jvm/*/bin/java; } 2> /dev/null | xargs -r realpath | sort -u); do
  version=$("$java" -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p')
  [ "${version:-0}" -ge 22 ] || continue
  for mode in "" checked; do
    # shellcheck disable=SC2086 # an empty mode is no argument
    checks=$(timeout 300 "$java" --enable-native-access=ALL-UNNAMED tests/jvm/Signals.java "$library" $mode | sed -n 's/ checks$//p')
    [ "${checks:-0}" -gt 50000 ] || { echo "jvm-test.sh: only ${checks:-no} checks with Java $version $mode" >&2; exit 1; }
    counts+=("$checks checks with Java $version${mode:+, $mode}")
  done
done
[ ${#counts[@]} != 0 ] || counts=("left out, no Java 22 or newer is here")
(IFS=';'; echo "jvm-test: ${counts[*]}")
