/**
 * What refused: `policy` by a rule, `approval` by asking where nobody could answer, a `tool` by its own check, or a layer
 * below: `process` is the allowlisted environment and the private folders of child processes. For automations: the `linker`
 * before anything runs, the `context` their code runs in, the `seal` of the process around it, the `host` that reads its pipe.
 */
export type Layer =
  | "policy"
  | "approval"
  | "tool"
  | "process"
  | "deno"
  | "landlock"
  | "seccomp"
  | "bubblewrap"
  | "proxy"
  | "limits"
  | "reaper"
  | "linker"
  | "context"
  | "seal"
  | "host";

/**
 * How the program is run:
 * - `bubblewrap`: as it is, with bubblewrap installed;
 * - `landlock`: as it is, without bubblewrap on PATH;
 * - `stubbed`, `stubbed-landlock`: the same, with a policy engine that allows everything (a fault planted in its source);
 * - `planted`: as it is, with a path check that takes every path as it was given (the same);
 * - `fallen`: as it is, but automations may run code outside their context, as if they had broken out of it (the same).
 */
export const MODES = ["bubblewrap", "landlock", "stubbed", "stubbed-landlock", "planted", "fallen"] as const;
export type Mode = typeof MODES[number];

/** Places of one made-up machine, for writing commands and for the table, where they have short names. */
export interface Place {
  readonly workspace: string;
  readonly home: string;
  /** A folder outside the workspace and the home folder. */
  readonly outside: string;
  /** A folder for one case inside the workspace. */
  at(path: string): string;
  /** `127.0.0.1:PORT` of a web server that some runs may reach. */
  readonly web: string;
  /** `127.0.0.1:PORT` of one that nobody may reach. */
  readonly inner: string;
  /** The same, for datagrams. */
  readonly udp: string;
  /** What must never get out: stands in every file that is closed or outside. */
  readonly secret: string;
}

/** A call of a tool, as the model makes it. */
export interface Call {
  readonly tool: string;
  readonly args: Readonly<Record<string, unknown>>;
}

export interface Refusal {
  readonly layer: Layer;
  /** What is seen from outside, for the table: an exit code, an event, a text. */
  readonly how: string;
  /** Must be in what the model was told of the call, or in the reasons of its decisions. */
  readonly sees: RegExp;
  /** The call itself ends well: it only did not get what it wanted. Default: it does not. */
  readonly done?: true;
}

/** Looks at the machine after the run. */
export interface Aftermath {
  readonly place: Place;
  /** Paths that the web server that nobody may reach was asked for. */
  readonly intruders: readonly string[];
  /** Connections and datagrams that came to sockets nobody may reach, by name. */
  readonly knocks: readonly string[];
}

interface About {
  /** Family and number: `path-03`. */
  readonly id: string;
  readonly title: string;
  /** A CVE, an advisory or a class of weakness that it answers; `none` where there is none. */
  readonly answers: string;
}

/** A hostile call and its benign twin, made by a scripted model in a headless run. */
export interface CallCase extends About {
  readonly kind: "call";
  /** The run it is part of: a name in {@link SESSIONS}. */
  readonly session: string;
  /** Makes what the calls need. Runs before pryx does. */
  setup?(place: Place): Promise<void>;
  attack(place: Place): Call;
  /** What the table shows instead of it. */
  readonly input?: string;
  twin(place: Place): Call;
  /** By mode. A mode that is not named is not run. */
  readonly refused: Partial<Readonly<Record<Mode, Refusal>>>;
  /** Must be in what the model is told of the twin. */
  readonly gives: RegExp;
  /** What harm was done, as text; undefined when none was. */
  harm?(aftermath: Aftermath): Promise<string | undefined> | string | undefined;
  /** Programs that it needs, by name. */
  readonly programs?: readonly string[];
  /** Only where the tests run as root, or only where they do not. */
  readonly only?: "root";
}

/** A case that is no single call: it drives the program itself. */
export interface ProgramCase extends About {
  readonly kind: "program";
  /** The hostile input, for the table. */
  readonly input: string;
  readonly refused: Partial<Readonly<Record<Mode, Omit<Refusal, "sees">>>>;
  /** The benign twin, for the table. */
  readonly twin: string;
}

export type Case = CallCase | ProgramCase;

/** Cases of one kind, in one table. */
export interface Family {
  /** The first part of its ids. */
  readonly name: string;
  readonly title: string;
  readonly cases: readonly Case[];
}

/** A command line; where it hangs, what should have refused it is at fault, and the run goes on soon. */
export const shell = (command: string, more: Record<string, unknown> = {}): Call => ({
  tool: "shell",
  args: { command, timeout: 20, ...more },
});

/** A Python program as one command line. It holds no single quotes. */
export const python = (program: string): Call => shell(`python3 -c '${program}'`);

/** The usual refusals. */
export const denied = (sees: RegExp): Refusal => ({ layer: "policy", how: "decision `deny`", sees });
export const asked = (sees: RegExp): Refusal => ({
  layer: "approval",
  how: "decision `ask`, nobody there: exit 3",
  sees,
});
export const byKernel = (layer: Layer, sees: RegExp): Refusal => ({ layer, how: "the command fails", sees });

/** Harm by a file that is not as it was. */
export async function changed(path: string, expected: string | undefined): Promise<string | undefined> {
  const found = await Deno.readTextFile(path).catch(() => undefined);
  return found === expected ? undefined : `${path} holds ${JSON.stringify(found)}`;
}

/** Harm by a file that is gone. */
export async function gone(path: string): Promise<string | undefined> {
  return await Deno.lstat(path).then(() => undefined, () => `${path} is gone`);
}

/** Harm by a file that is there now. */
export async function appeared(path: string): Promise<string | undefined> {
  return await Deno.lstat(path).then(() => `${path} was made`, () => undefined);
}
