# make demo          installs what is missing, builds, super-resolves a real photo: see out/
# make test          the same for the tests: unit, command line, fuzz, under sanitizers
# make differential  compares with PyTorch, ONNX Runtime, onnx and Pillow
# make build         leaves build/bin/sardonyx
# make bench         times us against ONNX Runtime, in turns
# make dev           the developer build, in build/dev
JOBS ?= $(shell nproc)

.PHONY: build demo test differential bench dev format clean
build:
	@tools/setup
	@cmake --preset release
	@cmake --build --preset release -j $(JOBS) --target sardonyx_cli superres_tutorial

demo: build
	@tools/demo

test:
	@tools/setup test
	@tools/run_tests

differential:
	@tools/setup test differential
	@tools/run_differential

bench:
	@tools/setup test differential
	@cmake --preset release
	@cmake --build --preset release -j $(JOBS) --target sardonyx_cli kernels_bench language_bench engine_bench
	@tools/bench
	@tools/bench_language

dev:
	@tools/setup test
	@cmake --preset dev
	@cmake --build --preset dev -j $(JOBS)

format:
	git ls-files '*.cc' '*.h' '*.cu' | xargs clang-format-14 -i

clean:
	rm -rf build out
