# Doors for people; cargo does the work. Each target first makes the machine ready,
# which costs nothing on one that is.
#
#   make run              the desktop application, or the demo where there is none
#   make demo DIR=folder  a whole network on this machine: back up, lose, recover
#   make test             everything that CI runs (.ci/run calls it with CI=true)
#   make ui               what is in the window, built into ui/dist
#   make screenshots      pictures of every view, in docs/screenshots
#   make package          what people install, in target/release/bundle
#   make test-package     the .deb on a bare Debian, as root
#   make bench            measures beside those of peers; BENCH=desktop for one of them,
#                         BENCH="jobs --corpus small --rounds 5" for a part of one
#   make bench-stages     what each step takes, by criterion; STAGE=cut for one of them
#   make check            formatting, lints and, where installed, cargo deny

# A toolchain that setup-dev.sh has just installed is in no one's PATH yet.
export PATH := $(or $(CARGO_HOME),$(HOME)/.cargo)/bin:$(HOME)/.local/bin:$(PATH)

# What `make run` and `make demo` back up if nothing else is named.
DIR ?= $(firstword $(wildcard /usr/share/doc) crates)

# In CI warnings are errors and the lock file is final. They are made errors by clippy
# and not by RUSTFLAGS: other flags would build every dependency a second time.
in_ci := $(filter-out 0 false,$(CI))
locked := $(if $(in_ci),--locked)
deny_warnings := $(if $(in_ci),-- -D warnings)
nextest_profile := $(if $(in_ci),--profile ci)

target := $(or $(CARGO_TARGET_DIR),$(CURDIR)/target)

# The window's packages are fetched again only when their lock file is newer.
ui_packages := ui/node_modules/.package-lock.json

.PHONY: run test test-ui demo check ui screenshots package test-package bench bench-stages prepare

prepare:
	installer/setup-dev.sh

$(ui_packages): ui/package-lock.json | prepare
	cd ui && npm ci --no-audit --no-fund
	touch $@

ui: prepare $(ui_packages)
	cd ui && npm run build

test-ui: ui
	cd ui && npm run check && npm test && npm run e2e

screenshots: ui
	cd ui && npm run screenshots

test: ui test-ui
	cargo fetch $(locked)
ifneq ($(in_ci),)
	cargo fmt --all --check
	cargo clippy --workspace --all-targets $(locked) $(deny_warnings)
endif
	if cargo nextest --version >/dev/null 2>&1; then \
		cargo nextest run --workspace $(locked) $(nextest_profile); \
	else \
		cargo test --workspace --lib --bins --tests $(locked); \
	fi
	cargo test --workspace --doc --quiet $(locked)
ifneq ($(in_ci),)
	$(MAKE) test-package
endif

package: ui
	installer/package.sh

test-package: package
	installer/setup-dev.sh debootstrap
	installer/test-package.sh

bench: package
	cargo build --release -p bitdust-e2e-tests --bin bitdust-bench $(locked)
	installer/setup-dev.sh restic time
	BITDUST_PROGRAM=$(target)/release/bitdust $(target)/release/bitdust-bench $(target)/bench $(BENCH)

bench-stages: prepare
	cargo bench -p bitdust-pipeline -p bitdust-store -p bitdust-net --benches $(locked) -- $(STAGE)

run: prepare
	if { [ -n "$$DISPLAY$$WAYLAND_DISPLAY" ] || [ "$$(uname -s)" = Darwin ]; }; then \
		$(MAKE) ui && cargo run -p bitdust-desktop; \
	else \
		cargo run -p bitdust-cli -- demo "$(DIR)"; \
	fi

demo:
	installer/setup-dev.sh
	cargo run -p bitdust-cli -- demo "$(DIR)"

check: ui
	cargo fmt --all --check
	cargo clippy --workspace --all-targets $(locked) $(deny_warnings)
	if cargo deny --version >/dev/null 2>&1; then cargo deny check; fi
