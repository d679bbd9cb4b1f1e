#!/bin/sh
# Builds pryx from this checkout and installs it for one user. Run it again to update.
set -eu

usage() {
  cat <<'END'
Usage: sh install.sh [--prefix DIR] [--uninstall]

Builds pryx from this checkout and installs it below DIR (default: ~/.local):
  DIR/bin/pryx       the command
  DIR/lib/pryx       the program, and the Deno that runs it

Needs no root. Run again, it updates: the new program stands ready before it
takes the place of the old one, and a pryx that runs goes on undisturbed.

  --prefix DIR   where to install
  --uninstall    remove the program; configuration, sessions and secrets stay
  --help         show this
END
}

say() { printf 'install: %s\n' "$1"; }
fail() {
  printf 'install: %s\n' "$1" >&2
  exit "${2:-1}"
}

# Certificates that this machine trusts count too: a company's proxy has its own.
export DENO_TLS_CA_STORE="${DENO_TLS_CA_STORE:-mozilla,system}"

prefix=
uninstall=
while [ $# -gt 0 ]; do
  case $1 in
    --prefix)
      [ $# -ge 2 ] || fail "--prefix wants a folder: sh install.sh --prefix DIR" 2
      prefix=$2
      shift
      ;;
    --prefix=*) prefix=${1#--prefix=} ;;
    --uninstall) uninstall=yes ;;
    -h | --help)
      usage
      exit 0
      ;;
    *) fail "unknown argument \"$1\": see sh install.sh --help" 2 ;;
  esac
  shift
done
if [ -z "$prefix" ]; then
  [ -n "${HOME:-}" ] || fail "HOME is not set: name a folder, sh install.sh --prefix DIR" 2
  prefix=$HOME/.local
fi

case $0 in
  */*) root=${0%/*} ;;
  *) root=. ;;
esac
root=$(CDPATH='' cd -P -- "$root" && pwd -P)

if [ -n "$uninstall" ]; then
  rm -rf "$prefix/lib/pryx"
  rm -f "$prefix/bin/pryx"
  say "removed pryx from $prefix; configuration and data are untouched"
  exit 0
fi

[ -f "$root/scripts/build.ts" ] || fail "$root is no checkout of pryx: run install.sh from one"
mkdir -p "$prefix/bin" "$prefix/lib/pryx/versions" || fail "cannot write in $prefix: name another folder with --prefix"
prefix=$(CDPATH='' cd -P -- "$prefix" && pwd -P)
lib=$prefix/lib/pryx
# The folder it was called in may be gone, or hold settings of Deno's that are not meant for this.
cd "$root"
[ ! -d "$prefix/bin/pryx" ] || fail "$prefix/bin/pryx is a folder: move it away first"

deno=$(sh "$root/scripts/get_deno.sh" "$lib/toolchain")
number=$("$deno" eval 'console.log(Deno.version.deno)')
say "using Deno $number"

# A Deno that belongs to somebody else may be changed or removed by them: the program keeps its own.
case $deno in
  "$lib"/*) runtime=$deno ;;
  *)
    runtime=$lib/runtime/deno-$number/deno
    if [ ! -x "$runtime" ]; then
      mkdir -p "${runtime%/*}"
      cp "$deno" "$runtime.$$"
      mv -f "$runtime.$$" "$runtime"
    fi
    ;;
esac

fresh=$lib/versions/$(date -u +%Y%m%dT%H%M%SZ)-$$
"$deno" run -A --no-prompt scripts/build.ts --out "$fresh" --deno "$runtime" ||
  fail "the build failed; nothing was changed"

# The swap: one rename of one link.
link=$prefix/bin/pryx
previous=$(readlink "$link" 2>/dev/null || true)
ln -s "../lib/pryx/versions/${fresh##*/}/pryx" "$prefix/bin/.pryx.$$"
mv -f "$prefix/bin/.pryx.$$" "$link"

# True when a process runs from this folder.
in_use() {
  if [ -d /proc/self ]; then
    for file in /proc/[0-9]*/cmdline; do
      if grep -q -a -F -e "$1/" "$file" 2>/dev/null; then return 0; fi
    done
    return 1
  fi
  case $(ps -axww -o command= 2>/dev/null || true) in
    *"$1/"*) return 0 ;;
    *) return 1 ;;
  esac
}

for folder in "$lib"/versions/* "$lib"/versions/.pryx-build-*; do
  [ -d "$folder" ] || continue
  case $folder in "$fresh") continue ;; esac
  case $previous in *"/${folder##*/}/"*) continue ;; esac
  in_use "$folder" || rm -rf "$folder"
done

say "installed $("$link" --version) in $prefix"

# The command as it can be typed here.
typed=pryx
case ":${PATH:-}:" in
  *":$prefix/bin:"*)
    found=$(command -v pryx || true)
    if [ "$found" != "$link" ]; then
      say "another pryx comes first on PATH: $found"
      typed="'$link'"
    fi
    ;;
  *)
    say "$prefix/bin is not on PATH. To put it there, add this line to your shell's start file:"
    # shellcheck disable=SC2016 # the variable is for that file
    printf '\n  export PATH="%s:$PATH"\n\n' "$prefix/bin"
    typed="'$link'"
    case $link in *[!A-Za-z0-9/._-]*) ;; *) typed=$link ;; esac
    ;;
esac
say "ready. Type next:"
printf '\n  %s tour\n' "$typed"
