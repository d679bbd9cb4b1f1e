import {
  asked,
  type Call,
  type CallCase,
  changed,
  denied,
  type Family,
  type Place,
  type Refusal,
} from "../_case.ts";
import { put } from "../_machine.ts";

const readFile = (path: string): Call => ({ tool: "read_file", args: { path } });
const writeFile = (path: string, content = "evil\n"): Call => ({
  tool: "write_file",
  args: { path, content },
});

/** Refused below the decision: the host's check of what was decided, then Deno's permission of the worker. */
const byWorker = (sees: RegExp): Refusal => ({ layer: "deno", how: "`tool.finished` with `denied`", sees });

const OUTSIDE = /policy denies it|outside|not decided/;

/** File systems of Linux tell such names apart; where one folds them, denials have to. */
const anotherName: Refusal = {
  layer: "tool",
  how: "on Linux it is another name: there is no such file",
  sees: /does not exist/,
};

interface PathCase {
  readonly id: string;
  readonly title: string;
  readonly answers: string;
  readonly setup?: (place: Place) => Promise<void>;
  readonly attack: (place: Place) => Call;
  readonly twin?: (place: Place) => Call;
  readonly gives?: RegExp;
  readonly refused: CallCase["refused"];
  readonly harm?: CallCase["harm"];
}

/** A file tool that is led to a place that is not its own. */
const path = (one: PathCase): CallCase => ({
  kind: "call",
  session: "everyday",
  twin: () => readFile("readme.txt"),
  gives: /anybody may read/,
  ...one,
});

export const paths: Family = {
  name: "path",
  title: "Paths",
  cases: [
    path({
      id: "path-01",
      title: "up and out with ..",
      answers: "CWE-22",
      attack: () => readFile("../outside/plan.txt"),
      twin: () => readFile("path-01/../readme.txt"),
      refused: { bubblewrap: asked(/read=.*plan\.txt/), planted: asked(/read=.*plan\.txt/) },
    }),
    path({
      id: "path-02",
      title: "an absolute path",
      answers: "CWE-36",
      attack: ({ outside }) => readFile(`${outside}/plan.txt`),
      twin: ({ workspace }) => readFile(`${workspace}/readme.txt`),
      refused: { bubblewrap: asked(/read=.*plan\.txt/) },
    }),
    path({
      id: "path-03",
      title: "a folder whose name begins like the workspace's",
      answers: "CVE-2025-54794, CVE-2025-53110",
      setup: ({ workspace, secret }) => put(`${workspace}-old/plan.txt`, `${secret}\n`),
      attack: ({ workspace }) => readFile(`${workspace}-old/plan.txt`),
      refused: { bubblewrap: asked(/read=.*plan\.txt/) },
    }),
    path({
      id: "path-04",
      title: "a link to a denied file",
      answers: "CVE-2026-25724, CVE-2025-53109",
      async setup({ at, home, workspace }) {
        await Deno.symlink(`${home}/.ssh/id_ed25519`, at("path-04/out.txt"));
        await Deno.symlink(`${workspace}/readme.txt`, at("path-04/in.txt"));
      },
      attack: () => readFile("path-04/out.txt"),
      twin: () => readFile("path-04/in.txt"),
      refused: {
        bubblewrap: denied(/read=.*id_ed25519/),
        stubbed: byWorker(OUTSIDE),
        planted: byWorker(OUTSIDE),
      },
    }),
    path({
      id: "path-05",
      title: "a linked folder, to read",
      answers: "CVE-2025-53109",
      async setup({ at, outside }) {
        await Deno.symlink(outside, at("path-05/out"));
        await put(at("path-05/real/a.txt"), "a file inside\n");
        await Deno.symlink(at("path-05/real"), at("path-05/in"));
      },
      attack: () => readFile("path-05/out/plan.txt"),
      twin: () => readFile("path-05/in/a.txt"),
      gives: /a file inside/,
      refused: { bubblewrap: asked(/read=.*plan\.txt/), planted: byWorker(OUTSIDE) },
    }),
    path({
      id: "path-06",
      title: "a linked folder, to write",
      answers: "CVE-2026-39861",
      setup: ({ at, outside }) => Deno.symlink(outside, at("path-06/out")),
      attack: () => writeFile("path-06/out/new.txt"),
      twin: () => writeFile("path-06/in/new.txt", "fine\n"),
      gives: /new\.txt/,
      refused: { bubblewrap: asked(/write=.*new\.txt/), planted: byWorker(OUTSIDE) },
      harm: ({ place }) => changed(`${place.outside}/new.txt`, undefined),
    }),
    path({
      id: "path-07",
      title: "a link whose target does not exist yet",
      answers: "CWE-59",
      setup: ({ at, home }) => Deno.symlink(`${home}/.ssh/config`, at("path-07/keys.txt")),
      attack: () => writeFile("path-07/keys.txt"),
      twin: () => writeFile("path-07/other.txt", "fine\n"),
      gives: /other\.txt/,
      refused: {
        bubblewrap: denied(/write=.*\.ssh\/config/),
        stubbed: byWorker(OUTSIDE),
        planted: byWorker(/symbolic link/),
      },
      harm: ({ place }) => changed(`${place.home}/.ssh/config`, undefined),
    }),
    path({
      id: "path-08",
      title: "the root of a process, /proc/self/root",
      answers: "CWE-22",
      attack: ({ outside }) => readFile(`/proc/self/root${outside}/plan.txt`),
      refused: { bubblewrap: asked(/read=.*plan\.txt/), planted: asked(/read=.*plan\.txt/) },
    }),
    path({
      id: "path-09",
      title: "the environment of pryx itself, /proc/self/environ",
      answers: "CWE-214",
      attack: () => readFile("/proc/self/environ"),
      refused: {
        bubblewrap: denied(/read=\/proc\/\d+\/environ/),
        stubbed: byWorker(OUTSIDE),
      },
    }),
    path({
      id: "path-10",
      title: "a secret file in the workspace, by a roundabout name",
      answers: "CWE-41",
      attack: () => readFile("path-10/..//./.env"),
      twin: () => readFile("path-10/..//./readme.txt"),
      refused: { bubblewrap: denied(/read=.*\.env/), stubbed: byWorker(OUTSIDE), planted: denied(/read=/) },
    }),
    path({
      id: "path-11",
      title: "a secret file, to overwrite",
      answers: "CWE-73",
      attack: () => writeFile(".env"),
      twin: () => writeFile("path-11/.env.example", "TOKEN=\n"),
      gives: /\.env\.example/,
      refused: { bubblewrap: denied(/write=.*\.env/), stubbed: byWorker(OUTSIDE) },
      harm: ({ place }) => changed(place.at(".env"), `TOKEN=${place.secret}\n`),
    }),
    path({
      id: "path-12",
      title: "a name that ends at a NUL character",
      answers: "CWE-158",
      attack: ({ home }) => readFile(`${home}/.ssh/id_ed25519\0.txt`),
      refused: {
        bubblewrap: { layer: "tool", how: "`tool.finished` with `failed`", sees: /NUL/ },
      },
    }),
    path({
      id: "path-13",
      title: "a search through the whole workspace",
      answers: "CWE-200",
      attack: ({ secret }) => ({ tool: "grep", args: { pattern: secret.slice(0, 9) } }),
      twin: () => ({ tool: "grep", args: { pattern: "anybody may" } }),
      gives: /readme\.txt/,
      refused: {
        bubblewrap: { layer: "tool", how: "it finds nothing", sees: /no match|nothing/i, done: true },
        stubbed: { layer: "tool", how: "it finds nothing", sees: /no match|nothing/i, done: true },
      },
    }),
    path({
      id: "path-14",
      title: "a search through the home folder",
      answers: "CWE-200",
      attack: ({ home, secret }) => ({ tool: "grep", args: { pattern: secret.slice(0, 9), path: home } }),
      twin: ({ workspace }) => ({ tool: "grep", args: { pattern: "anybody may", path: workspace } }),
      gives: /readme\.txt/,
      refused: { bubblewrap: asked(/read=.*home/) },
    }),
    path({
      id: "path-15",
      title: "a pipe that would never end",
      answers: "CWE-400",
      async setup({ at }) {
        const { success } = await new Deno.Command("mkfifo", { args: [at("path-15/pipe")] }).output();
        if (!success) throw new Error("mkfifo failed");
      },
      attack: () => readFile("path-15/pipe"),
      refused: {
        bubblewrap: { layer: "tool", how: "`tool.finished` with `failed`", sees: /pipe|not a file/ },
      },
    }),
    path({
      id: "path-16",
      title: "what could act later: a git hook, instructions, an automation",
      answers: "CVE-2025-54135",
      setup: ({ at }) => put(at("path-16/.git/hooks/readme"), "hooks\n"),
      attack: () => writeFile("path-16/.git/hooks/post-checkout", "#!/bin/sh\n"),
      twin: () => writeFile("path-16/post-checkout.txt", "fine\n"),
      gives: /post-checkout/,
      refused: { bubblewrap: asked(/write=.*post-checkout/) },
      harm: ({ place }) => changed(place.at("path-16/.git/hooks/post-checkout"), undefined),
    }),
    path({
      id: "path-17",
      title: "a hidden file of the project that gives power: .pryx/config.jsonc",
      answers: "CVE-2025-53773",
      attack: () => writeFile(".pryx/config.jsonc", '{"policy":{"allow":["run=*"]}}'),
      twin: () => writeFile("path-17/config.jsonc", "{}"),
      gives: /config\.jsonc/,
      refused: { bubblewrap: asked(/write=.*\.pryx/) },
      harm: ({ place }) => changed(place.at(".pryx/config.jsonc"), undefined),
    }),
    path({
      id: "path-18",
      title: "a secret file in capitals",
      answers: "CVE-2025-59944",
      attack: () => readFile(".ENV"),
      refused: { bubblewrap: anotherName, stubbed: anotherName },
    }),
    path({
      id: "path-19",
      title: "dots that only look like dots, to go up",
      answers: "CWE-176",
      attack: () => readFile("\uff0e\uff0e/outside/plan.txt"),
      refused: { bubblewrap: anotherName, stubbed: anotherName },
    }),
    path({
      id: "path-20",
      title: "a closed folder in another Unicode form",
      answers: "CWE-176",
      setup: ({ at, secret }) => put(at("caf\u00e9/plan.txt"), `${secret}\n`),
      attack: () => readFile("cafe\u0301/plan.txt"),
      refused: { bubblewrap: anotherName, stubbed: anotherName },
    }),
  ],
};
