#!/usr/bin/env bash
# install-test.sh: installs the library into an empty directory, moves that, and builds programs against it as its users do:
# with CMake, with pkg-config, by hand; beside another engine, through the symbol prefix; beside other Rust. Looks into the
# libraries and the archives, too. Ends with the number of its checks. Called by `make test`, after the library was built.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
sources=$root/tests/install
work=$root/build/install-test
jobs=${JOBS:-2}
prefix=acme_
limit=8000000
checks=0

say() { echo "-- $*"; }
fail() { echo "install-test.sh: $*" >&2; exit 1; }
pass() { checks=$((checks + 1)); }
# Output is shown only if something fails. Nothing here takes long: what does not end hangs.
quietly() { timeout 300 "$@" > "$work/log" 2>&1 || { cat "$work/log" >&2; fail "failed: $*"; }; pass; }
# same WHAT EXPECTED ACTUAL: two files with a name a line.
same() { diff "$2" "$3" > "$work/log" || { cat "$work/log" >&2; fail "$1 (<: expected, >: found)"; }; pass; }

rm -rf "$work"
mkdir -p "$work"

# Both builds, plain and prefixed, from the library that cargo has built.
build() { # build DIRECTORY OPTION...
  local directory=$1
  shift
  quietly cmake -S . -B "$directory" -DTENON_TESTS=OFF -DTENON_BENCH=OFF -DTENON_DOCS="$work/no-docs" "$@"
  quietly cmake --build "$directory"
  grep 'stripped$' "$work/log"
}
build "$work/plain"
build "$work/prefixed" -DTENON_SYMBOL_PREFIX=$prefix
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
major=${version%%.*}

say "files"
# What is installed, with the directory of the headers as an argument.
expected_files() { # expected_files NAME INCLUDE
  { (cd include && find . -name '*.h' -o -name '*.hh') | sed "s|^\./|$2/|"
    printf '%s\n' "lib/lib$1.a" "lib/lib$1.so" "lib/lib$1.so.$major" "lib/lib$1.so.$version" \
      "lib/cmake/$1/$1-config.cmake" "lib/cmake/$1/$1-config-version.cmake" \
      "lib/pkgconfig/$1.pc" "lib/pkgconfig/$1-static.pc" \
      "share/doc/$1/LICENSE" "share/doc/$1/copyright"
  } | sort
}
files() { (cd "$1" && find . ! -type d | sed 's|^\./||' | sort); }
for kind in plain prefixed; do
  DESTDIR="$work/staged" quietly cmake --install "$work/$kind" --prefix /somewhere
  mv "$work/staged/somewhere" "$work/installed-$kind"
  quietly cmake --install "$work/$kind" --prefix "$work/first"
done
expected_files tenon include > "$work/expected"
files "$work/installed-plain" > "$work/found"
same "installed files" "$work/expected" "$work/found"
expected_files ${prefix}tenon include/${prefix}tenon > "$work/expected-prefixed"
echo "include/${prefix}tenon/tenon/prefix.h" | sort -o "$work/expected-prefixed" - "$work/expected-prefixed"
files "$work/installed-prefixed" > "$work/found"
same "installed files with a prefix" "$work/expected-prefixed" "$work/found"
# One tree with both, elsewhere than where it was installed.
sort "$work/expected" "$work/expected-prefixed" > "$work/expected-both"
mv "$work/first" "$work/moved"
files "$work/moved" > "$work/found"
same "both installed in one place" "$work/expected-both" "$work/found"
tree=$work/moved
if grep -rIlF "$root" "$tree" | grep .; then fail "these files name the directory they were built in"; fi
pass

say "archives"
quietly env -C "$work/plain" cpack -G TGZ
tar -tzf "$work"/plain/tenon-*.tar.gz | grep -v '/$' | sed 's|^[^/]*/||' | sort > "$work/found"
same "files of the .tar.gz" "$work/expected" "$work/found"
if command -v dpkg-deb > /dev/null; then
  quietly env -C "$work/plain" cpack -G DEB
  deb=$(echo "$work"/plain/tenon_*.deb)
  dpkg-deb -c "$deb" | awk '$1 !~ /^d/ { print $6 }' | sed 's|^\./usr/||' | sort > "$work/found"
  same "files of the .deb" "$work/expected" "$work/found"
  printf '%s\n' tenon "$version-1" amd64 > "$work/expected-deb"
  for field in Package Version Architecture; do dpkg-deb -f "$deb" $field; done > "$work/found"
  same "the .deb's fields" "$work/expected-deb" "$work/found"
  dpkg-deb -f "$deb" Depends | grep '^libc6 (>= .*libgcc-s1' > /dev/null || fail "the .deb does not say what it depends on"
  dpkg-deb --ctrl-tarfile "$deb" | tar -xO ./postinst > "$work/log"
  grep -q ldconfig "$work/log" || fail "the .deb does not tell the loader about the library"
  pass
fi

say "symbols and sizes"
sed -n 's/^WASM_API_EXTERN [^(]*[ *]\([a-z0-9_]*\)(.*/\1/p' include/wasm.h include/tenon.h | sort > "$work/functions"
for name in tenon ${prefix}tenon; do
  sed "s/^/${name%tenon}/" "$work/functions" > "$work/expected"
  nm -D --defined-only "$tree/lib/lib$name.so" | awk '{ print $NF }' | sort > "$work/found"
  same "symbols of lib$name.so" "$work/expected" "$work/found"
  nm -g --defined-only "$tree/lib/lib$name.a" | awk 'NF == 3 { print $NF }' | sort > "$work/found"
  same "symbols of lib$name.a" "$work/expected" "$work/found"
  readelf -d "$tree/lib/lib$name.so" > "$work/log"
  grep -q "soname: \[lib$name.so.$major\]" "$work/log" || fail "lib$name.so has not the soname lib$name.so.$major"
  if grep -E 'RPATH|RUNPATH|TEXTREL' "$work/log"; then fail "lib$name.so has what it should not have"; fi
  sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p' "$work/log" | grep -vE '^(libc|libm|libgcc_s|libdl|libpthread|ld-linux-x86-64)\.so' &&
    fail "lib$name.so needs more than the system's libraries"
  size=$(stat -Lc %s "$tree/lib/lib$name.so")
  [ "$size" -lt $limit ] || fail "lib$name.so has $size bytes; it must have less than $limit"
  pass
done

say "CMake"
export PKG_CONFIG_PATH=$tree/lib/pkgconfig
consume() { # consume DIRECTORY OPTION...
  quietly cmake -S "$sources" -B "$1" -DCMAKE_PREFIX_PATH="$tree" "${@:2}"
  quietly cmake --build "$1" --parallel "$jobs"
  local program
  for program in c_tenon c_static cpp_tenon cpp_static; do quietly "$1/$program"; done
  readelf -d "$1/c_tenon" | grep 'NEEDED.*libtenon.so.'"$major" > /dev/null || fail "tenon::tenon is not the shared library"
  if readelf -d "$1/c_static" | grep 'NEEDED.*libtenon'; then fail "tenon::static is not the static library"; fi
  pass
}
consume "$work/consumer"
# A project that asks for another version does not get this one.
if cmake -S "$sources" -B "$work/refused" -DWANTED=0.9 -DCMAKE_PREFIX_PATH="$tree" > "$work/log" 2>&1; then
  fail "find_package is content with version $version where 0.9 is asked for"
fi
grep -q 'not compatible\|considered but not accepted' "$work/log" || fail "the version is not the reason of the refusal"
pass

say "pkg-config and by hand"
cd "$work"
flags=(-Wall -Wextra -pedantic -Werror)
cc=(cc -std=c11 "${flags[@]}")
cxx=(c++ -std=c++17 "${flags[@]}")
[ "$(pkg-config --modversion tenon)" = "$version" ] || fail "pkg-config tells another version"
for module in tenon tenon-static; do
  # shellcheck disable=SC2046
  quietly "${cc[@]}" "$sources/program.c" -o "pc-$module" $(pkg-config --cflags --libs $module)
  # shellcheck disable=SC2046
  quietly "${cxx[@]}" "$sources/program.cc" -o "pc-cpp-$module" $(pkg-config --cflags --libs $module)
done
LD_LIBRARY_PATH=$tree/lib quietly ./pc-tenon
LD_LIBRARY_PATH=$tree/lib quietly ./pc-cpp-tenon
quietly ./pc-tenon-static
quietly ./pc-cpp-tenon-static
quietly "${cc[@]}" "$sources/program.c" -I "$tree/include" "$tree/lib/libtenon.a" -lm -lpthread -ldl -o by-hand
quietly ./by-hand
quietly "${cc[@]}" -static "$sources/program.c" -I "$tree/include" "$tree/lib/libtenon.a" -lm -lpthread -ldl -o all-static
quietly ./all-static
quietly "${cxx[@]}" "$sources/program.cc" -I "$tree/include" "$tree/lib/libtenon.a" -lm -lpthread -ldl -o by-hand-cpp
quietly ./by-hand-cpp

say "beside another library in Rust"
quietly rustc --edition 2024 -O --crate-type staticlib --crate-name rust -o librust.a "$sources/rust.rs"
for order in "$tree/lib/libtenon.a librust.a" "librust.a $tree/lib/libtenon.a"; do
  # shellcheck disable=SC2086
  quietly "${cc[@]}" "$sources/beside_rust.c" -I "$tree/include" $order -lm -lpthread -ldl -o beside-rust
  quietly ./beside-rust
done

say "beside another engine"
here=(-I "$tree/include/${prefix}tenon")
there=(-I "$tree/include")
flags+=(-D_GNU_SOURCE)
cc=(cc -std=c11 "${flags[@]}")
quietly "${cc[@]}" -c -DENGINE=engine_here -DASSEMBLES "${here[@]}" "$sources/engine.c" -o here.o
quietly "${cc[@]}" -c -DENGINE=engine_there "${there[@]}" "$sources/engine.c" -o there.o
quietly "${cc[@]}" -c "$sources/together.c" -o together.o
together() { # together NAME LIBRARY...
  quietly "${cc[@]}" together.o here.o there.o "${@:2}" -Wl,-rpath,"$tree/lib" -lm -lpthread -ldl -o "together-$1"
  quietly "./together-$1"
  tail -1 log
}
ours=$tree/lib/lib${prefix}tenon
together shared "$ours.so" "$tree/lib/libtenon.so"
together shared-reversed "$tree/lib/libtenon.so" "$ours.so"
together static "$ours.a" "$tree/lib/libtenon.a"
together mixed "$ours.a" "$tree/lib/libtenon.so"
peer=$root/build/peers/wasmtime.so
together peer-static "$ours.a" "$peer"
together peer-shared "$ours.so" "$peer"
together peer-first "$peer" "$ours.so"
# Classes of C++ with the same names, from both: each program part has those of its own library.
for kind in here there; do
  declare -n include=$kind
  quietly "${cxx[@]}" -c -Dmain=main_$kind "${include[@]}" "$sources/program.cc" -o "cpp-$kind.o"
done
echo 'int main_here(); int main_there(); int main() { return main_here() + main_there(); }' > cpp-both.cc
quietly "${cxx[@]}" cpp-both.cc cpp-here.o cpp-there.o "$ours.a" "$tree/lib/libtenon.a" -lm -lpthread -ldl -o cpp-both
quietly ./cpp-both
[ "$(grep -c 'works' log)" = 2 ] || fail "one of the two does not work"
nm -C cpp-both | grep "wasm::$prefix::" > /dev/null || fail "the classes of the prefixed library have the names of the plain one"
pass

say "the examples with a prefix"
cd "$root"
quietly cmake -S . -B "$work/prefixed" -DTENON_TESTS=ON
quietly cmake --build "$work/prefixed" --target examples --parallel "$jobs"
quietly ctest --test-dir "$work/prefixed" --tests-regex '^example-'
examples=$(sed -n 's/.*tests passed.* out of \([0-9]*\)$/\1/p' "$work/log")
[ "$examples" -ge 25 ] || fail "only $examples examples were run with a prefix"

rm -rf "$work"
echo "install-test: $checks checks, $examples examples with a prefix"
