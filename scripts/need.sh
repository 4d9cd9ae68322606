#!/usr/bin/env bash
# need.sh NAME...: makes sure that these tools are there. What is missing is installed: programs by the
# system's own package manager (as root, or through sudo without a question), Python packages into
# build/python. What is there already is left alone, so that a second run does nothing. A network that does
# not answer ends in a message and not in waiting.
#
# Names: cargo rustfmt clippy cmake c++ valgrind libclang pkg-config go python python3 markdown wasmtime peers
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p build
export PIP_ROOT_USER_ACTION=ignore

say() { echo "-- $*"; }
give_up() { echo "need.sh: $*" >&2; exit 1; }

# For a whole installation, in seconds, and for one answer.
patience=600
answer=30
apt=(env DEBIAN_FRONTEND=noninteractive timeout "$patience" apt-get -q -o Acquire::Retries=2
  -o "Acquire::http::Timeout=$answer" -o "Acquire::https::Timeout=$answer")
pip=(install --quiet --disable-pip-version-check --no-input --timeout "$answer" --retries 2
  --target build/python)

# called MANAGER PACKAGE: what another package manager than Debian's calls a package.
called() {
  case $1:$2 in
    dnf:g++ | zypper:g++) echo gcc-c++ ;;
    pacman:g++) echo gcc ;;
    dnf:python3-dev | zypper:python3-dev) echo python3-devel ;;
    zypper:golang | pacman:golang) echo go ;;
    dnf:pkg-config) echo pkgconf-pkg-config ;;
    pacman:pkg-config) echo pkgconf ;;
    pacman:python3 | pacman:python3-*) echo python ;;
    dnf:python3-venv | zypper:python3-venv) echo python3-pip ;;
    *) echo "$2" ;;
  esac
}

# install COMMAND PACKAGE: installs a package, named as Debian does, that brings a command.
install() {
  local command=$1 package=$2 root=()
  if [ "$(id -u)" != 0 ]; then
    if command -v sudo > /dev/null && sudo -n true 2> /dev/null; then
      root=(sudo)
    else
      give_up "$command is missing. Please install the package $package as root and start again."
    fi
  fi
  say "installing $package"
  if command -v apt-get > /dev/null; then
    "${root[@]}" "${apt[@]}" install -y "$package" > build/install.log 2>&1 ||
      { "${root[@]}" "${apt[@]}" update >> build/install.log 2>&1 &&
        "${root[@]}" "${apt[@]}" install -y "$package" >> build/install.log 2>&1; } ||
      { tail -20 build/install.log >&2; give_up "$package could not be installed"; }
  elif command -v dnf > /dev/null; then
    "${root[@]}" timeout "$patience" dnf install -y "$(called dnf "$package")"
  elif command -v zypper > /dev/null; then
    "${root[@]}" timeout "$patience" zypper --non-interactive install "$(called zypper "$package")"
  elif command -v pacman > /dev/null; then
    "${root[@]}" timeout "$patience" pacman -S --noconfirm "$(called pacman "$package")"
  else
    give_up "$command is missing and no package manager is known here. Please install $package."
  fi
}

program() { # program COMMAND PACKAGE
  command -v "$1" > /dev/null || install "$1" "$2"
}

component() { # component COMMAND NAME: a part of the Rust installation
  command -v "$1" > /dev/null && "$1" --version > /dev/null 2>&1 && return
  command -v rustup > /dev/null ||
    give_up "$1 is missing. Please install it with what Rust was installed with."
  say "installing $2"
  timeout "$patience" rustup component add "$2" || give_up "$2 could not be installed"
}

# python_package MODULE PACKAGE: a package of PyPI, in build/python.
python_package() {
  [ -d "build/python/$1" ] && return
  command -v python3 > /dev/null || install python3 python3
  say "installing the Python package $2"
  if python3 -m pip --version > /dev/null 2>&1; then
    timeout "$patience" python3 -m pip "${pip[@]}" "$2" || give_up "the Python package $2 could not be installed"
    return
  fi
  # Some distributions split pip and venv off.
  python3 -c 'import ensurepip' 2> /dev/null || install pip python3-venv
  [ -x build/venv/bin/pip ] || python3 -m venv build/venv
  timeout "$patience" build/venv/bin/pip "${pip[@]}" "$2" || give_up "the Python package $2 could not be installed"
}

# bindgen looks for libclang where LIBCLANG_PATH says, which the Makefile sets to build/libclang unless
# it is set already.
libclang() {
  [ "${LIBCLANG_PATH:-$PWD/build/libclang}" != "$PWD/build/libclang" ] && return
  [ -e build/libclang/libclang.so ] && return
  local found
  found=$(find /usr/lib /usr/lib64 /usr/local/lib -regex '.*/libclang\(-[0-9.]*\)?\.so\(\.[0-9.]*\)?' \
    2> /dev/null | sort -V | tail -1)
  if [ -z "$found" ]; then
    python_package clang libclang
    found=$PWD/build/python/clang/native/libclang.so
  fi
  mkdir -p build/libclang
  ln -sf "$found" build/libclang/libclang.so
}

# Another library with wasm.h.
wasmtime() {
  mkdir -p build/peers
  [ -e build/peers/wasmtime.so ] && return
  python_package wasmtime wasmtime
  ln -sf "$PWD"/build/python/wasmtime/linux-x86_64/_libwasmtime.so build/peers/wasmtime.so
}

# An environment of Python with what the package in bindings/python is built and tested with.
python() {
  local packages="pytest==8.3.4 cffi==1.17.1 setuptools==75.8.0 wheel==0.45.1 numpy==2.2.2"
  [ "$(cat build/python-venv/packages 2> /dev/null)" = "$packages" ] && return
  command -v python3 > /dev/null || install python3 python3
  python3 -c 'import ensurepip' 2> /dev/null || install pip python3-venv
  # The extension module is compiled against the headers of the interpreter.
  [ -e "$(python3 -c 'import sysconfig; print(sysconfig.get_path("include"))')/Python.h" ] || install Python.h python3-dev
  say "installing $packages"
  [ -x build/python-venv/bin/pip ] || python3 -m venv build/python-venv
  # shellcheck disable=SC2086 # several words
  timeout "$patience" build/python-venv/bin/pip install --quiet --disable-pip-version-check --no-input \
    --timeout "$answer" --retries 2 $packages || give_up "the Python packages $packages could not be installed"
  echo "$packages" > build/python-venv/packages
}

# guest PACKAGE MEMBER NAME: a module of a package of npm, as build/guests/NAME.wasm. It is for the bench program, which
# says itself what is missing.
guest() {
  [ -e "build/guests/$3.wasm" ] && return
  command -v npm > /dev/null || return 0
  say "fetching the package $1"
  mkdir -p build/guests
  (cd build/guests && archive=$(timeout "$patience" npm pack --silent --fetch-timeout=$((answer * 1000)) \
    --fetch-retries=2 "$1") && tar -xzOf "$archive" "$2" > "$3.part" && mv "$3.part" "$3.wasm") ||
    say "$1 could not be fetched"
}

# The libraries that the bench program compares with, and the large module that it loads.
peers() {
  wasmtime
  if [ ! -e build/esbuild.wasm ]; then
    if command -v npm > /dev/null; then
      say "fetching the package esbuild-wasm"
      (cd build && timeout "$patience" npm pack --silent --fetch-timeout=$((answer * 1000)) \
        --fetch-retries=2 esbuild-wasm > /dev/null &&
        tar -xzOf esbuild-wasm-*.tgz package/esbuild.wasm > esbuild.part && mv esbuild.part esbuild.wasm) ||
        say "esbuild-wasm could not be fetched: its row is left out"
    else
      say "npm is not installed: the row of the large module is left out"
    fi
  fi
  guest esbuild-wasm package/esbuild.wasm esbuild
  guest sql.js package/dist/sql-wasm-debug.wasm sql
  guest web-tree-sitter package/web-tree-sitter.wasm tree-sitter
  guest @resvg/resvg-wasm package/index_bg.wasm resvg
}

for name in "$@"; do
  case $name in
    cargo) command -v cargo > /dev/null || give_up "cargo is missing. Please install Rust." ;;
    rustfmt) component rustfmt rustfmt ;;
    clippy) component cargo-clippy clippy ;;
    cmake) program cmake cmake ;;
    c++) program c++ g++ ;;
    valgrind) program valgrind valgrind ;;
    libclang) libclang ;;
    pkg-config) program pkg-config pkg-config ;;
    go)
      program go golang
      go version | grep -qE 'go1\.(2[4-9]|[3-9][0-9])' ||
        give_up "Go 1.24 or newer is needed, this is $(go version). Please install a newer one."
      ;;
    wasmtime) wasmtime ;;
    python3) program python3 python3 ;;
    markdown) python_package markdown markdown==3.7 ;;
    peers) peers ;;
    python) python ;;
    *) give_up "unknown name: $name" ;;
  esac
done
