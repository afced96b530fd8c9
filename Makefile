# The everyday commands; the build itself is Meson's (meson.build).
# Debian's own tools come first, whatever else is on PATH.
export PATH := /usr/bin:/bin:/usr/sbin:/sbin:$(PATH)

BUILD ?= build
FUZZ_SECONDS ?= 60

.PHONY: all demo test bench fuzz soak format lint install clean help
all: $(BUILD)/build.ninja
	ninja -C $(BUILD)

# Without the tests, which need more packages than the program does.
$(BUILD)/build.ninja:
	tools/configure $(BUILD) -Dtests=false

demo:
	tools/setup build
	$(MAKE) all
	tools/demo $(BUILD)

test:
	tools/setup build test
	tools/test

bench:
	tools/setup build test bench
	tools/configure $(BUILD) -Dtests=true
	$(MAKE) all
	bench/run $(BUILD)
	bench/record $(BUILD)
	bench/heap $(BUILD)

fuzz:
	tools/setup build test
	tools/fuzz $(FUZZ_SECONDS)

soak:
	tools/setup build test soak
	tools/configure $(BUILD) -Dtests=true
	$(MAKE) all
	meson test -C $(BUILD) --suite soak --timeout-multiplier 0 --print-errorlogs

format:
	tools/setup build test
	tools/format

lint:
	tools/setup build test
	$(MAKE) $(BUILD)/build.ninja
	tools/check-layers
	tools/format --check
	tools/lint $(BUILD)

install: all
	meson install -C $(BUILD)

clean:
	rm -rf $(BUILD) build-asan build-clang build-fuzz

help:
	@echo 'make          build build/seep (installs nothing)'
	@echo 'make demo     build, start a leaking program, and look at it with seep'
	@echo 'make test     build and run all tests, also under ASan and UBSan'
	@echo 'make bench    measure, beside the tools one would use otherwise'
	@echo 'make fuzz     run every fuzz target for FUZZ_SECONDS (60)'
	@echo 'make soak     the long tests'
	@echo 'make format   format the C sources'
	@echo 'make lint     layers, format, clang-tidy'
	@echo 'make install  install seep (DESTDIR is honoured)'
	@echo 'make clean    remove what was built'
	@echo 'All but make, install and clean first install what is missing of tools/packages.txt.'
