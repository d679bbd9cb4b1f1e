# The same names as everywhere; what they do is in deno.json and scripts/.
PREFIX ?= $(HOME)/.local

.PHONY: all lint test build bench install uninstall clean

all: build

lint:
	deno fmt --check
	deno lint
	deno task check
	deno task layers
	deno task docs --check

test:
	sh scripts/test.sh

build:
	deno task build

bench:
	deno task bench

install:
	sh install.sh --prefix "$(PREFIX)"

uninstall:
	sh install.sh --uninstall --prefix "$(PREFIX)"

clean:
	rm -rf dist
