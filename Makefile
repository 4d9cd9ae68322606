# The front door. Nothing is built here: cargo builds the library, CMake builds what is written in C,
# and scripts/need.sh sees to it that the tools are there.

BUILD := build
CMAKE_BUILD := $(BUILD)/cmake
JOBS ?= $(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)

# How many generated modules `make fuzz` compares, and where their sequence begins.
FUZZ_MODULES ?= 20000
FUZZ_SEED := $(or $(FUZZ_SEED),$(shell date +%s))
# Libraries with wasm.h to compare with, as NAME=PATH; `make bench` adds to these.
PEERS ?=
# Directory with the C examples that come with the published wasm.h; empty leaves their tests out.
UPSTREAM_EXAMPLES ?=

# Where `make install` puts the library; DESTDIR is put in front of it.
PREFIX ?= /usr/local
# What the names of all functions in the libraries begin with, for two engines in one process.
SYMBOL_PREFIX ?=
# The build that is installed: the library and nothing else.
DISTRIBUTION := $(BUILD)/distribution$(addprefix -,$(SYMBOL_PREFIX))

# A fresh installation of Rust is often not in the path yet.
export PATH := $(PATH):$(HOME)/.cargo/bin
# Found or installed by `scripts/need.sh libclang`.
export LIBCLANG_PATH ?= $(CURDIR)/$(BUILD)/libclang
export JOBS UPSTREAM_EXAMPLES

.DEFAULT_GOAL := help
.PHONY: help demo test bench fuzz lib install package examples docs fmt-check lint clean configure

help: ## Show this list
	@echo "Tenon, a WebAssembly engine behind wasm.h."
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1	\2/p' Makefile | expand -t 20

demo: examples ## Build the library and the examples, and run the memory example
	@echo "== c-examples/memory.c"
	@cd $(CMAKE_BUILD)/c-examples && ./memory

test: ## Run everything: formatting, lints, cargo tests, specification suite, C tests, valgrind
	@scripts/need.sh cmake c++ valgrind libclang rustfmt clippy pkg-config go python markdown wasmtime
	@scripts/test.sh $(CMAKE_BUILD)

bench: configure ## Print the table of speeds, beside wasmtime's library and those in PEERS
	@scripts/need.sh peers python pkg-config go
	@cmake --build $(CMAKE_BUILD) --target bench --parallel $(JOBS)
	@scripts/bench.sh $(CMAKE_BUILD) $(PEERS)
	@scripts/go-bench.sh

fuzz: ## Compare FUZZ_MODULES generated modules (20000), from FUZZ_SEED on, with wasmi; tamper with others
	@scripts/need.sh cargo c++ libclang
	@echo "-- $(FUZZ_MODULES) modules from seed $(FUZZ_SEED)"
	@BINDGEN_EXTRA_CLANG_ARGS="$$BINDGEN_EXTRA_CLANG_ARGS -I$$(cc -print-file-name=include)" \
	  TENON_DIFFERENTIAL_MODULES=$(FUZZ_MODULES) TENON_DIFFERENTIAL_SEED=$(FUZZ_SEED) \
	  TENON_HOSTILE_SEEDS=$$(($(FUZZ_MODULES) / 200)) \
	  cargo test --workspace --release --locked --test differential --test hostile

lib: ## Build target/release/libtenon.so and libtenon.a, and what would be installed
	@scripts/need.sh cargo cmake c++
	@cmake -S . -B $(DISTRIBUTION) -DTENON_TESTS=OFF -DTENON_BENCH=OFF -DTENON_SYMBOL_PREFIX=$(SYMBOL_PREFIX) \
	  > $(BUILD)/configure.log || { cat $(BUILD)/configure.log; exit 1; }
	@cmake --build $(DISTRIBUTION)

install: lib ## Install below PREFIX, /usr/local by default; SYMBOL_PREFIX=name_ renames all functions
	@DESTDIR="$(DESTDIR)" cmake --install $(DISTRIBUTION) --prefix "$(PREFIX)"

package: lib ## Make a .tar.gz and a .deb in build/packages
	@cd $(DISTRIBUTION) && cpack -B $(CURDIR)/$(BUILD)/packages && rm -r $(CURDIR)/$(BUILD)/packages/_CPack_Packages

examples: configure ## Build the C examples
	@cmake --build $(CMAKE_BUILD) --target examples --parallel $(JOBS)

docs: ## Build the documentation in build/docs: guide, reference of the headers, Rust crate
	@scripts/need.sh cargo c++ python3 markdown
	@RUSTDOCFLAGS="-D warnings" cargo doc --release --no-deps --locked
	@python3 scripts/docs/build.py --rust $$(cargo metadata --format-version 1 --no-deps --locked | \
	  python3 -c 'import json, sys; print(json.load(sys.stdin)["target_directory"])')/doc $(BUILD)/docs
	@echo "-- $(BUILD)/docs/index.html"

fmt-check: ## Check the formatting of the Rust code
	@scripts/need.sh rustfmt
	@cargo fmt --all --check

lint: ## Run clippy, warnings being errors
	@scripts/need.sh libclang clippy
	@cargo clippy --workspace --release --all-targets --locked -- -D warnings

clean: ## Delete everything that was built
	rm -rf $(BUILD)
	cargo clean

configure:
	@scripts/need.sh cargo cmake c++
	@cmake -S . -B $(CMAKE_BUILD) -DTENON_UPSTREAM_EXAMPLES="$(UPSTREAM_EXAMPLES)" > $(BUILD)/configure.log || \
	  { cat $(BUILD)/configure.log; exit 1; }
