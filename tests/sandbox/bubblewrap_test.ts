import assert from "node:assert/strict";
import { bubblewrapArguments, type BubblewrapPlan } from "../../core/sandbox/bubblewrap.ts";
import type { ClosedPath } from "../../core/sandbox/_closed_paths.ts";

function plan(more: Partial<BubblewrapPlan> = {}): BubblewrapPlan {
  return {
    features: { disableUserns: true, size: true },
    read: ["/usr", "/etc"],
    write: ["/w/s", "/t/p/tmp"],
    temp: "/t/p/tmp",
    links: [{ path: "/bin", target: "/usr/bin" }],
    closed: [],
    closedFile: "/p/file",
    closedFolder: "/p/folder",
    home: "/h/u",
    cwd: "/w/s",
    ownNetwork: true,
    unixSockets: false,
    seccomp: 7,
    memoryFiles: 100,
    shut: [],
    ...more,
  };
}

/** The arguments as one text, so that an order can be looked for. */
const text = (more?: Partial<BubblewrapPlan>) => ` ${bubblewrapArguments(plan(more)).join(" ")} `;

function inOrder(args: string, ...parts: string[]): void {
  let from = 0;
  for (const part of parts) {
    const at = args.indexOf(` ${part} `, from);
    assert.ok(at >= 0, `${part} is missing after ${args.slice(0, from)}\nin ${args}`);
    from = at + 1;
  }
}

const closed = (path: string, access: "none" | "read", kind: "file" | "folder" = "file"): ClosedPath => ({
  path,
  access,
  kind,
  linked: false,
});

Deno.test("bubblewrapArguments() unshares everything, drops capabilities, and seals what is not opened", () => {
  const args = text();
  inOrder(args, "--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try");
  inOrder(args, "--unshare-cgroup-try", "--unshare-net", "--cap-drop ALL", "--bind /w/s /w/s");
  inOrder(args, "--symlink /usr/bin /bin", "--remount-ro /", "--seccomp 7 --chdir /w/s");
  assert.ok(!args.includes(" --share-net ") && !args.includes(" --bind / "));
  inOrder(args, "--unshare-net", "--disable-userns", "--cap-drop ALL");
  for (const folder of ["/tmp", "/dev/shm"]) inOrder(args, `--perms 1777 --size 100 --tmpfs ${folder}`);
  assert.ok(!text({ ownNetwork: false }).includes("--unshare-net"));
  const older = text({ features: { disableUserns: false, size: false } });
  assert.ok(!older.includes("--disable-userns") && !older.includes("--size"));
});

Deno.test("bubblewrapArguments() mounts from the outside in, whatever order roots are named in", () => {
  inOrder(
    text({ read: ["/a/b/c/d", "/a", "/usr"], write: ["/a/b", "/a/b/c/d/e"] }),
    "--ro-bind /a /a",
    "--bind /a/b /a/b",
  );
  inOrder(
    text({ write: ["/tmp/x/y"] }),
    "--tmpfs /tmp",
    "--perms 0555 --dir /tmp/x",
    "--bind /tmp/x/y /tmp/x/y",
  );
  const whole = text({ write: ["/tmp"] });
  assert.ok(whole.includes(" --bind /tmp /tmp ") && !whole.includes("--tmpfs /tmp "));
});

Deno.test("bubblewrapArguments() masks what is closed and pins every folder on the way to it", () => {
  const args = text({
    closed: [
      closed("/w/s/.env", "none"),
      closed("/w/s/a/.git/hooks", "read", "folder"),
      closed("/w/s/a/secret", "none", "folder"),
      closed("/w/s/b/c/.env", "none"),
    ],
  });
  inOrder(
    args,
    "--bind /w/s /w/s",
    "--bind /w/s/a /w/s/a",
    "--bind /w/s/a/.git /w/s/a/.git",
    "--ro-bind /w/s/a/.git/hooks /w/s/a/.git/hooks",
  );
  inOrder(args, "--bind /w/s/a /w/s/a", "--ro-bind /p/folder /w/s/a/secret");
  inOrder(args, "--bind /w/s /w/s", "--ro-bind /p/file /w/s/.env");
  inOrder(args, "--bind /w/s/b /w/s/b", "--bind /w/s/b/c /w/s/b/c", "--ro-bind /p/file /w/s/b/c/.env");
  // Only where a name could be changed.
  assert.ok(!text({ write: [], read: ["/w"], closed: [closed("/w/b/.env", "none")] }).includes("bind /w/b "));
});

Deno.test("bubblewrapArguments() pins from the outermost written folder, and the temporary one wherever it lies", () => {
  const args = text({ write: ["/", "/w/s", "/t/p/tmp"], closed: [closed("/w/s/a/.env", "none")] });
  inOrder(args, "--bind / /", "--bind /w /w", "--bind /w/s /w/s", "--bind /w/s/a /w/s/a");
  inOrder(args, "--bind / /", "--bind /t/p/tmp /t/p/tmp");
});

Deno.test("bubblewrapArguments() masks nothing outside of what is opened", () => {
  assert.ok(!text({ closed: [closed("/elsewhere/.env", "none")] }).includes("/elsewhere"));
});

Deno.test("bubblewrapArguments() gives devices by name, and never the host's processes", () => {
  const args = text({ write: ["/w/s", "/dev/kvm", "/dev/null", "/proc/sys"], read: ["/usr", "/proc"] });
  assert.ok(args.includes(" --dev-bind /dev/kvm /dev/kvm "));
  assert.ok(!args.includes("bind /dev/null") && !args.includes("bind /proc"));
  inOrder(args, "--proc /proc");
});

Deno.test("bubblewrapArguments() leaves the root writable only when all of it was opened", () => {
  const args = text({ write: ["/"], closed: [closed("/w/.env", "none")] });
  assert.ok(!args.includes(" --remount-ro / "));
  inOrder(args, "--bind / /", "--proc /proc", "--ro-bind /p/file /w/.env");
  inOrder(text({ read: ["/"] }), "--ro-bind / /", "--bind /w/s /w/s", "--remount-ro /");
});

Deno.test("bubblewrapArguments() makes the working folder where nothing opened holds it", () => {
  assert.ok(text({ cwd: "/else/where" }).includes(" --dir /else/where "));
  assert.ok(!text({ cwd: "/w/s/sub" }).includes("--dir /w"));
});

Deno.test("bubblewrapArguments() gives a home that takes no files, /proc to read, and neither /run nor all devices", () => {
  const args = text({ read: ["/usr", "/dev"] });
  inOrder(args, "--perms 0111 --dir /h/u");
  inOrder(args, "--proc /proc --remount-ro /proc");
  assert.ok(!args.includes(" --dev-bind /dev /dev ") && !args.includes(" /run "));
  inOrder(text({ read: ["/usr", "/dev/fuse"] }), "--dev-bind /dev/fuse /dev/fuse");
  inOrder(text({ unixSockets: true }), "--ro-bind-try /run /run");
});

Deno.test("bubblewrapArguments() shuts folders that are not opened, and leaves others to what is in them", () => {
  const args = text({ shut: ["/srv", "/usr", "/proc", "/tmp", "/w"], read: ["/usr"], write: ["/w/s"] });
  assert.ok(args.includes(" --perms 0111 --dir /srv "));
  inOrder(args, "--perms 0111 --dir /w", "--bind /w/s /w/s");
  for (const folder of ["/usr", "/proc", "/tmp"]) assert.ok(!args.includes(` --dir ${folder} `), folder);
});
