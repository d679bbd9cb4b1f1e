#!/bin/sh
# Runs the whole gate, `deno task ok`, on a machine that may have nothing yet. The last line is the count of tests.
# PRYX_NO_APT=1 installs no Debian packages; PRYX_TOOLCHAIN names the folder that a missing Deno is put in.
set -eu

# Certificates that this machine trusts count too: a company's proxy has its own.
export DENO_TLS_CA_STORE="${DENO_TLS_CA_STORE:-mozilla,system}"

root=$(CDPATH='' cd -P -- "$(dirname -- "$0")/.." && pwd -P)
cd "$root"

say() { printf 'test: %s\n' "$1"; }

# Programs that some tests drive, and the Debian packages that have them.
needed="rg:ripgrep tmux:tmux bwrap:bubblewrap dbus-run-session:dbus gnome-keyring-daemon:gnome-keyring
secret-tool:libsecret-tools git:git curl:curl shellcheck:shellcheck bash:bash zsh:zsh fish:fish patch:patch
unshare:util-linux python3:python3 script:bsdutils"

missing_packages() {
  for pair in $needed; do
    command -v "${pair%%:*}" >/dev/null 2>&1 || printf '%s ' "${pair##*:}"
  done
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

missing=$(missing_packages)
if [ -n "$missing" ]; then
  if [ -z "${PRYX_NO_APT:-}" ] && command -v apt-get >/dev/null 2>&1 && as_root true 2>/dev/null; then
    say "installing $missing"
    # shellcheck disable=SC2086 # a list of words
    { as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq &&
      as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $missing; } \
      >/dev/null 2>&1 </dev/null || say "apt-get could not install all of it"
  fi
  missing=$(missing_packages)
  [ -z "$missing" ] || say "not here: $missing- tests that need them are skipped"
fi

toolchain=${PRYX_TOOLCHAIN:-${XDG_CACHE_HOME:-${HOME:?is not set: name a folder with PRYX_TOOLCHAIN}/.cache}/pryx-toolchain}
deno=$(sh scripts/get_deno.sh "$toolchain")
PATH=$(dirname -- "$deno"):$PATH
NO_COLOR=1
export PATH NO_COLOR

log=$(mktemp "${TMPDIR:-/tmp}/pryx-test.XXXXXX")
trap 'rm -f "$log" "$log.status"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

{
  status=0
  "$deno" task ok || status=$?
  echo "$status" >"$log.status"
} 2>&1 </dev/null | tee "$log"
status=$(cat "$log.status")

# Deno's own last line is `ok | 12 passed (3 steps) | 0 failed | 1 ignored (2s)`.
counts=$(awk '
  /^(ok|FAILED) \| [0-9]+ passed/ {
    passed = failed = skipped = 0
    for (i = 2; i <= NF; i++) {
      if ($i == "passed") passed = $(i - 1)
      if ($i == "failed") failed = $(i - 1)
      if ($i == "ignored") skipped = $(i - 1)
    }
    seen = 1
  }
  END { if (seen) print passed, failed, skipped }
' "$log")

if [ -z "$counts" ]; then
  # A check before the tests failed: it is the one failure there is to count.
  [ "$status" != 0 ] || status=1
  counts="0 1 0"
elif [ "$status" != 0 ]; then
  counts=$(echo "$counts" | awk '{ print $1, ($2 == 0 ? 1 : $2), $3 }')
fi
echo "$counts" | awk '{ printf "%d passed, %d failed%s\n", $1, $2, ($3 > 0 ? ", " $3 " skipped" : "") }'
exit "$status"
