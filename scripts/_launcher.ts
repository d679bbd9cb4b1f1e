/** Quotes a word for POSIX sh. */
function quote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

/**
 * A POSIX shell script that runs the bundle beside it. It finds itself through symlinks, and execs, so that signals
 * and the terminal are the program's. It resolves its folder physically first: a program that runs goes on reading
 * its own files when an update puts another folder in its place. `--quiet`: the progress bar of `deno run` would erase
 * lines of the terminal that are not its own.
 */
export function launcher(options: { deno: string; heapLimit: number; version: string }): string {
  return `#!/bin/sh
# pryx ${options.version}: runs the bundle beside this file with Deno.
# Deno says this less clearly.
[ -d "\${PWD:+$PWD/.}" ] || [ -n "$(pwd -P 2>/dev/null)" ] || {
  echo "pryx: The folder you are in does not exist any more" >&2
  echo "  Go to another one: cd" >&2
  exit 2
}
self=$0
while [ -L "$self" ]; do
  link=$(readlink "$self")
  case $link in
    /*) self=$link ;;
    *) self=\${self%/*}/$link ;;
  esac
done
case $self in
  */*) folder=\${self%/*} ;;
  *) folder=. ;;
esac
here=$(CDPATH='' cd -P -- "$folder/" && pwd -P) || exit 1
deno=${quote(options.deno)}
if [ ! -x "$deno" ]; then
  deno=$(command -v deno) || {
    echo "pryx: Deno is gone from" ${quote(options.deno)} >&2
    echo "pryx: run install.sh again, or put Deno 2.9 on PATH" >&2
    exit 1
  }
fi
export DENO_NO_UPDATE_CHECK=1
unset OTEL_DENO
exec "$deno" run --quiet -A --no-prompt --no-lock --no-remote --cached-only \\
  --v8-flags=--max-old-space-size=${options.heapLimit},--min-semi-space-size=8 "$here/bundle/main.js" "$@"
`;
}
