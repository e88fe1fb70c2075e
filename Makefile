# make demo   installs what is missing, builds, super-resolves a real photo: see out/
# make test   the same for the tests: unit, command line, fuzz, under sanitizers
# make build  leaves build/bin/sardonyx
.PHONY: all build demo test differential bench format clean dev
all: build

JOBS ?= $(shell nproc)

build/build.ninja:
	cmake --preset release

build: build/build.ninja
	@tools/setup
	cmake --build --preset release -j $(JOBS) --target sardonyx_cli

build/build.ninja: | setup
.PHONY: setup
setup:
	@tools/setup

demo: build
	tools/demo

test:
	@tools/setup test
	tools/run_tests

differential: build
	@tools/setup test differential
	tools/run_differential

bench:
	@tools/setup test
	cmake --preset release
	cmake --build --preset release -j $(JOBS) --target sardonyx_cli kernels_bench
	tools/bench

dev:
	@tools/setup test
	cmake --preset dev
	cmake --build --preset dev -j $(JOBS)

format:
	git ls-files '*.cc' '*.h' '*.cu' | xargs clang-format-14 -i

clean:
	rm -rf build out
