import assert from "node:assert/strict";
import { join } from "node:path";
import { type ShellHost, shellNeeds } from "../../core/policy/shell_command.ts";

/*
 * Each of these makes a shell run `hidden`, write the file `W`, or give a program an option that stands nowhere in the
 * text: by what a builtin does beside its name, by a command that fails half way, by values that are read as code, or by
 * spellings of options. Either a need says so, or a person is asked.
 */
const ESCAPES = [
  // Builtins that run commands, or set less or more than it looks like.
  "jobs -x hidden a",
  "mapfile -tc1 -tChidden <<< a",
  'set noglob hidden known; shift; "$1"',
  "V=known; if true; then V=hidden; exit --help; fi; $V",
  "V=hidden; true & wait -np V; $V",
  "V=hidden; local V=known; $V",
  "V=hidden; declare -z V=known; $V",
  "V=hidden; declare -p V=known; $V",
  "V=hidden; declare -f V=known; $V",
  "V=(hidden); declare -A V=known; $V",
  "f() { local V=hidden; declare -g V=known; $V; }; f",
  "V=hidden; f() { lo\\cal V=known; }; f; $V",
  "V=hidden; f() { V=other; }; V=known f; $V",
  // A redirect that fails leaves out the command before it.
  "set -- hidden; set -- known < /none; $1",
  "V=hidden; export V=known < /none; $V",
  "V=hidden; { V=known; } < /none; $V",
  // Values that are read as code.
  "declare -a x='($(hidden))'",
  "declare -a x; y='($(hidden))'; declare x=\"$y\"",
  "declare DIRSTACK='($(hidden))'",
  ": 'a[$(hidden)]'; (( _ ))",
  ": 'a[$(hidden)]'; echo $(( $_ ))",
  ": 'a[$(hidden)]'; let _+=1",
  ": 'a[$(hidden)]'; a[_]=1",
  ": 'a[$(hidden)]'; echo ${PATH:_}",
  "[[ 'a[$(hidden)]' =~ .* ]]; (( BASH_REMATCH ))",
  "getopts a: o -a 'b[$(hidden)]'; (( OPTARG ))",
  "x='b[$(hidden)]'; a=([x]=1)",
  "x='b[$(hidden)]'; a=([\"x\"]=1)",
  "RANDOM='a[$(hidden)]'",
  "OPTIND='a[$(hidden)]'",
  "read RANDOM <<< 'a[$(hidden)]'",
  // Redirects.
  "echo > -",
  "timeout >&-5 hidden",
  "known 2>&-W",
  "known >&'$(hidden)'",
  "known >&\\$\\(hidden\\)",
  // What the parser takes for two words, and bash for one.
  "known x<(true)y",
  "known <(true)y",
  "known x\\\n<(true)",
  "known V=<(true)",
  "a=(x<(true)); known",
  // What it takes for the text of a word.
  "known 1<(hidden)",
  "1<(hidden)",
  "known {V}<(hidden)",
  "for i in 1<(hidden); do :; done",
  "a=(1<(hidden))",
  "case 1<(hidden) in x) ;; esac",
  "[[ 1<(hidden) ]]",
  "$'kno\\\nwn' W",
  "$'kno\\cwn' W",
  // Words that split in another way.
  "read() { known $V; }; V=x:--pre=W; IFS=: read",
  "set -- 1 2 3 4 5 6; IFS=:; while read -r a; do shift; V=x:--pre=W; known $V; done < f",
  // What a shell is given.
  "cd /dev; bash stdin <<< hidden",
  "bash //dev/stdin <<< hidden",
  "bash ../../dev/fd/0 <<< hidden",
  "sh -c 'chdir sub; echo x > W'",
  // Programs.
  "sed ':a;e hidden' f",
  "sed 't;e hidden' f",
  "sed '/x/b;e hidden' f",
  "sed 'v;e hidden' f",
  "sed 'a text\\\\\ne hidden' f",
  'awk \'BEGIN { print "a;b" > "W" }\'',
  'awk \'BEGIN { print "a" \\\n> "W" }\'',
  "tar cfI /dev/null hidden f",
  "tar -cf /dev/null --checkpoint=1 --checkpoint-=exec=hidden f",
  "tar --us=hidden -cf /dev/null f",
  "sort --comp=hidden f",
  "split --filt=hidden f",
  "install -s --strip-program=hidden f g",
  "echo --pre=hidden | xargs -I% -n2 known foo",
  "echo x | xargs --max-lines hidden known",
  "find f -ok known {} + hidden \\; <<< y",
  "git remote-ext origin 'sh -c hidden'",
];

/** These look like some above, and are what they look like. */
const PLAIN = [
  "jobs -l; jobs %1",
  "mapfile -t lines < f",
  "set -euo pipefail; set -- known; $1",
  "f() { local V=known; $V; }; f",
  "export V=known; $V",
  "declare -r W=a; declare V=known; $V",
  "sleep 1 & wait $!",
  "SECONDS=0; RANDOM=42; OPTIND=1; echo $SECONDS",
  "declare -A m; m=([key]=1 [other]=2)",
  "i=0; (( i += 1 )); a[i]=1; echo ${a[i]}",
  "known > out 2>&1 3>&-",
  "known >& out",
  "$'kno\\x77n' $'a\\tb\\n' $'it\\'s'",
  "known '1<(x)' \"1<(x)\" a\\<\\(",
  "diff <(known a) <(known b)",
  "known <(known a)|known > >(known)",
  "(known <(known)); x=$(known <(known))",
  "IFS= read -r line < f",
  "sed ':a;N;$!ba;s/a/b/g' f",
  "sed -n '/x/b end; p; :end' f",
  "awk '$3 > 100 { print $1 }' f",
  "awk 'NR == 1 { print; next } $2 > 5 { print }' f",
  "tar czf a.tgz src --checkpoint=100",
  "sort -k2 --check f",
  "echo x | xargs -n1 known",
  "find . -exec known {} +",
  "env A.B=1 C=2 known",
];

const host: ShellHost = {
  resolve: (path) => Promise.resolve(join("/", path)),
  findExecutable: (name) => Promise.resolve(`/usr/bin/${name}`),
  isWritable: () => false,
};

for (const script of ESCAPES) {
  Deno.test(`shellNeeds() lets nothing slip by in ${JSON.stringify(script)}`, async () => {
    const needs = await shellNeeds(script, "/ws", host);
    const stated = needs.some(({ opaque, argv, kind, target }) =>
      opaque !== undefined || argv?.[0] === "hidden" || (kind === "write" && /\/(?:W|-)$/u.test(target)) ||
      (argv?.[0] === "known" && argv.some((word) => word.includes("\0\0") || word === "hidden"))
    );
    assert.ok(stated, JSON.stringify(needs, undefined, 1));
  });
}

for (const script of PLAIN) {
  Deno.test(`shellNeeds() follows ${JSON.stringify(script)}`, async () => {
    const needs = await shellNeeds(script, "/ws", host);
    assert.deepEqual(needs.filter(({ opaque }) => opaque !== undefined), []);
    assert.ok(needs.every(({ argv }) => argv?.[0] !== "hidden"));
  });
}
