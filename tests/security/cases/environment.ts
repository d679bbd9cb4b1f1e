import { asked, changed, type Family, shell } from "../_case.ts";
import { put } from "../_machine.ts";

export const environment: Family = {
  name: "env",
  title: "Environment",
  cases: [
    {
      kind: "call",
      id: "env-01",
      title: "PATH bent to a folder of the workspace",
      answers: "CVE-2026-22708",
      session: "everyday",
      async setup({ at }) {
        await put(at("env-01/ls"), "#!/bin/sh\ntouch env-01/ran\n");
        await Deno.chmod(at("env-01/ls"), 0o755);
      },
      attack: () => shell("PATH=env-01:$PATH ls"),
      twin: () => shell("NAME=env-01 ls readme.txt"),
      gives: /readme\.txt/,
      refused: { bubblewrap: asked(/PATH/) },
      harm: ({ place }) => changed(place.at("env-01/ran"), undefined),
    },
    {
      kind: "call",
      id: "env-02",
      title: "a variable that makes an allowed program run another",
      answers: "CVE-2026-22708",
      session: "everyday",
      attack: () => shell("export GIT_EXTERNAL_DIFF='touch env-02.txt'; git diff"),
      twin: () => shell("export A_NAME='env-02'; echo $A_NAME"),
      gives: /env-02/,
      refused: { bubblewrap: asked(/GIT_EXTERNAL_DIFF|run=/) },
      harm: ({ place }) => changed(place.at("env-02.txt"), undefined),
    },
    {
      kind: "call",
      id: "env-03",
      title: "a library that every program loads",
      answers: "CWE-426",
      session: "everyday",
      attack: () => shell("LD_PRELOAD=./evil.so ls"),
      twin: () => shell("LC_ALL=C ls readme.txt"),
      gives: /readme\.txt/,
      refused: { bubblewrap: asked(/LD_PRELOAD/) },
    },
  ],
};
