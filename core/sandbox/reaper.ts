import { messageOf, PryxError } from "../domain/error.ts";

/** Carried in the environment of every child: by it the reaper finds those that left their group (setsid, daemons). */
const MARK_NAME = "PRYX_RUN";

/**
 * Reads `add PID` and `del PID`; when its input closes, because pryx ended in whatever way, kills the groups that are
 * left and, where there is /proc, whoever carries the mark ($1) in its environment: TERM, up to two seconds, KILL. Then it
 * removes the private folder ($2), unless `keep` said that pryx does so. Zombies do not count as left. It ignores the
 * signals that a terminal sends to pryx's own group.
 */
const SCRIPT = `
trap '' HUP INT TERM PIPE
groups=' '
folder=$2
strays() {
  for file in $(grep -la -- "${MARK_NAME}=$1" /proc/[0-9]*/environ 2>/dev/null); do
    file=\${file#/proc/}
    echo "\${file%%/*}"
  done
}
alive() {
  kill -s 0 -- "-$1" 2>/dev/null || return 1
  [ -r /proc/self/stat ] || return 0
  for file in /proc/[0-9]*/stat; do
    { IFS= read -r line <"$file"; } 2>/dev/null || continue
    rest=\${line##*) }
    state=\${rest%% *} rest=\${rest#* } rest=\${rest#* }
    [ "\${rest%% *}" = "$1" ] && [ "$state" != Z ] && return 0
  done
  return 1
}
while IFS=' ' read -r verb pid; do
  [ "$verb" = keep ] && folder=
  case $pid in '' | *[!0-9]* | 0 | 1) continue ;; esac
  case $verb in
    add) groups="$groups$pid " ;;
    del) case $groups in *" $pid "*) groups="\${groups%% $pid *} \${groups#* $pid }" ;; esac ;;
  esac
done
for pid in $groups; do kill -s TERM -- "-$pid" 2>/dev/null; done
for pid in $(strays "$1"); do kill -s TERM "$pid" 2>/dev/null; done
tries=0 left=1
while [ "$tries" -lt 20 ]; do
  left=
  for pid in $groups; do alive "$pid" && left=1; done
  [ "$left" ] || left=$(strays "$1")
  [ "$left" ] || break
  tries=$((tries + 1))
  sleep 0.1 2>/dev/null || { sleep 1; tries=20; }
done
if [ "$left" ]; then
  for pid in $groups; do kill -s KILL -- "-$pid" 2>/dev/null; done
  for pid in $(strays "$1"); do kill -s KILL "$pid" 2>/dev/null; done
fi
[ "$folder" ] && [ -d "$folder" ] && [ ! -L "$folder" ] || exit 0
rm -rf -- "$folder" 2>/dev/null
[ ! -d "$folder" ] || { chmod -R u+rwx -- "$folder"; rm -rf -- "$folder"; } 2>/dev/null
`;

/** Ends process groups that outlive pryx. Needs no answer from pryx at the end: a SIGKILL of it is enough. */
export interface Reaper extends AsyncDisposable {
  /** What every child must have in its environment. */
  readonly mark: Readonly<Record<string, string>>;
  /** Starts the reaper process, or brings a new one up to date when it has died. */
  ready(): Promise<void>;
  /** Resolves when the reaper is sure to learn of the group, even if pryx dies right after. */
  add(group: number): Promise<void>;
  remove(group: number): Promise<void>;
}

interface ReaperProcess {
  readonly child: Deno.ChildProcess;
  readonly writer: WritableStreamDefaultWriter<Uint8Array>;
}

/**
 * The reaper of one sandbox. Its process starts with the first `ready()`, and does not keep pryx alive. `folder`: is
 * removed when pryx ended without a word, after its children.
 */
export function createReaper(folder = ""): Reaper {
  const groups = new Set<number>();
  const id = crypto.randomUUID();
  const encoder = new TextEncoder();
  let running: ReaperProcess | undefined;

  function spawn(): Deno.ChildProcess {
    try {
      return new Deno.Command("/bin/sh", {
        args: ["-c", SCRIPT, "pryx-reaper", id, folder],
        cwd: "/",
        clearEnv: true,
        env: { PATH: "/usr/bin:/bin" },
        detached: true,
        stdin: "piped",
        stdout: "null",
        stderr: "null",
      }).spawn();
    } catch (error) {
      const why = messageOf(error);
      throw new PryxError("sandbox", `Cannot start what ends commands when pryx ends: ${why}`, {
        fix: "every command needs /bin/sh: see that it is there and can be run",
        cause: error,
      });
    }
  }

  function start(): ReaperProcess {
    const child = spawn();
    child.unref();
    const started: ReaperProcess = { child, writer: child.stdin.getWriter() };
    const ended = () => {
      if (running === started) running = undefined;
    };
    child.status.then(ended, ended);
    // A failure is seen where it matters: at the next write.
    started.writer.closed.catch(ended);
    return started;
  }

  async function tell(text: string): Promise<void> {
    for (let attempt = 0;; attempt++) {
      const fresh = running === undefined;
      const reaper = running ??= start();
      const known = fresh ? [...groups].map((group) => `add ${group}\n`).join("") : "";
      try {
        await reaper.writer.write(encoder.encode(known + text));
        return;
      } catch (error) {
        if (running === reaper) running = undefined;
        if (attempt > 0) throw error;
      }
    }
  }

  return {
    mark: { [MARK_NAME]: id },
    async ready() {
      if (!running) await tell("");
    },
    async add(group) {
      await tell(`add ${group}\n`);
      groups.add(group);
    },
    async remove(group) {
      if (!groups.delete(group)) return;
      await tell(`del ${group}\n`);
    },
    async [Symbol.asyncDispose]() {
      const reaper = running;
      groups.clear();
      if (!reaper) return;
      reaper.child.ref();
      await reaper.writer.write(encoder.encode("keep\n")).catch(() => {});
      await reaper.writer.close().catch(() => {});
      await reaper.child.status;
    },
  };
}
