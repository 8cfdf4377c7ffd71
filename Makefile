# The two commands of the README are `make demo` and `make test`. Everything
# needs Rust, git, make and a network; what else is missing is installed by
# `lantern build` where that is possible, or named where it is not.

CARGO      ?= cargo
LANTERN     = target/debug/lantern
COMPONENTS  = target/components
DEMO        = target/demo
# Guests and their SDK share one folder for cargo's output, so that their
# dependencies are compiled once.
GUEST_TARGET = $(CURDIR)/examples/target

.PHONY: demo test check guests unit integration docs torture bench deny clean-demo

demo: guests ## build everything, append the shipped events, project, show the read models
	@./.ci/demo $(LANTERN) $(COMPONENTS) $(DEMO)

test: check guests unit integration docs ## every check that must pass before a change lands

check:
	$(CARGO) fmt --all --check
	cd guest-sdk/rust && $(CARGO) fmt --check
	cd examples && $(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings

$(LANTERN): FORCE
	$(CARGO) build --locked -p lantern --bin lantern
FORCE:

guests: $(LANTERN) ## build the example projectors from source, with whatever compiler there is
	$(LANTERN) build examples --out $(COMPONENTS) --install-toolchain

unit:
	$(CARGO) test --locked --workspace --exclude lantern-tests
	cd guest-sdk/rust && CARGO_TARGET_DIR=$(GUEST_TARGET) $(CARGO) test --locked
	cd examples && $(CARGO) test --locked

integration: guests ## the promises, on the real binary and real components
	$(CARGO) test --locked -p lantern-tests -- --nocapture --test-threads 2

docs:
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --no-deps -p lantern

torture: guests ## the long forms: hundreds of kills
	LANTERN_TORTURE=1 $(CARGO) test --locked -p lantern-tests -- --nocapture --test-threads 1 promises

bench: guests ## the numbers of docs/performance.md
	$(CARGO) build --locked --release -p lantern-benches
	target/release/lantern-benches throughput
	target/release/lantern-benches throughput --durability normal
	target/release/lantern-benches throughput --store postgres
	target/release/lantern-benches latency
	target/release/lantern-benches latency --store postgres
	target/release/lantern-benches inline
	target/release/lantern-benches inline --store postgres
	target/release/lantern-benches reload
	target/release/lantern-benches memory
	target/release/lantern-benches scale

deny: ## licences, bans, sources and advisories; needs `cargo install cargo-deny`
	$(CARGO) deny check
	cd examples && $(CARGO) deny --config $(CURDIR)/deny.toml check
	cd guest-sdk/rust && $(CARGO) deny --config $(CURDIR)/deny.toml check

clean-demo:
	rm -rf $(DEMO)
