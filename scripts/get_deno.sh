#!/bin/sh
# Prints the path of a Deno that can build and run pryx: the one on PATH when it is new enough, else the one that
# stands in FOLDER, else one that is put there: from npm, without root and without its install script, or else by
# Deno's own installer.
#   deno=$(sh scripts/get_deno.sh FOLDER)
set -eu

want=2.9.6
oldest_minor=9

folder=${1:?"usage: get_deno.sh FOLDER"}

say() { printf 'get_deno: %s\n' "$1" >&2; }

# True for a Deno of major version 2 that is new enough.
fits() {
  # shellcheck disable=SC2016 # the program is for Deno, not for this shell
  version=$("$1" --version 2>/dev/null | sed -n '1s/^deno \([0-9]*\.[0-9]*\).*/\1/p') || return 1
  case $version in
    2.*) [ "${version#2.}" -ge "$oldest_minor" ] ;;
    *) return 1 ;;
  esac
}

# The file that really runs: version managers put scripts on PATH that depend on the folder they are called in.
real_path() {
  "$1" eval 'console.log(Deno.execPath())' 2>/dev/null || printf '%s\n' "$1"
}

# The Deno in FOLDER, if there is one that fits.
in_folder() {
  for file in "$folder"/node_modules/@deno/*/deno "$folder"/node_modules/deno/deno "$folder"/bin/deno; do
    if [ -x "$file" ] && fits "$file"; then
      printf '%s\n' "$file"
      return 0
    fi
  done
  return 1
}

if on_path=$(command -v deno) && fits "$on_path"; then
  real_path "$on_path"
  exit 0
fi
if in_folder; then exit 0; fi

mkdir -p "$folder"
folder=$(CDPATH='' cd -P -- "$folder" && pwd -P)

if command -v npm >/dev/null 2>&1; then
  say "getting Deno $want from npm"
  [ -f "$folder/package.json" ] || printf '{"private":true}\n' >"$folder/package.json"
  (cd "$folder" && npm install --loglevel=error --no-audit --no-fund --no-package-lock --ignore-scripts "deno@$want" >&2) || true
  if in_folder; then exit 0; fi
  say "that did not work"
else
  say "npm is not on PATH"
fi
if command -v curl >/dev/null 2>&1; then
  say "getting Deno $want by its own installer"
  (curl -fsSL https://deno.land/install.sh | DENO_INSTALL=$folder sh -s -- -y --no-modify-path "v$want" >&2) || true
  if in_folder; then exit 0; fi
  say "that did not work"
else
  say "curl is not on PATH"
fi
say "no Deno $want could be had: install it (https://docs.deno.com/runtime/getting_started/installation/), put it on PATH, and try again"
exit 1
