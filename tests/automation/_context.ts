import { bootGuest } from "../../core/automation/cell/boot_guest.ts";

/** What a module prints that runs in the context of automations, made in this process and without a seal. */
export async function inContext(code: string): Promise<string> {
  const ended = Promise.withResolvers<void>();
  let printed = "";
  const timers = new Map<number, ReturnType<typeof setTimeout>>();
  const { entry, compile } = bootGuest({
    send(line) {
      const message = JSON.parse(line);
      if (message.t === "say") printed += message.text;
      else if (message.t === "failed") ended.reject(new Error(message.error.message));
      else if (message.t === "done") ended.resolve();
    },
    timer: (id, ms) => void timers.set(id, setTimeout(() => entry.fire(id), ms)),
    clearTimer: (id) => clearTimeout(timers.get(id)),
    elapsed: () => 0,
    random: () => 4,
    url: () => "",
  });
  const body = compile("probe.ts", code);
  if (typeof body === "string") throw new Error(body);
  entry.define("probe.ts", body, "", "{}");
  entry.start(
    JSON.stringify({ t: "load", entry: "probe.ts", args: [], workspace: "/project", cwd: "/project" }),
  );
  await ended.promise;
  for (const timer of timers.values()) clearTimeout(timer);
  return printed;
}
