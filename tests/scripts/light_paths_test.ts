import assert from "node:assert/strict";
import * as node from "node:path";
import * as light from "../../scripts/_posix_path.js";
import { withLightPaths } from "../../scripts/_light_paths.ts";

Deno.test("withLightPaths() changes where paths come from, and nothing else", () => {
  const code = new Map([
    ["main.js", 'import{join as j}from"node:path";import vm from "node:vm";say("node:path")'],
    ["core/x_worker.js", 'import { sep } from "node:path";'],
    ["other.js", "export const path = 1;"],
  ]);
  assert.deepEqual([...withLightPaths(code)], [
    ["main.js", 'import{join as j}from "./posix_path.js";import vm from "node:vm";say("node:path")'],
    ["core/x_worker.js", 'import { sep } from "./../posix_path.js";'],
  ]);
});

Deno.test({
  name: "the paths of a bundle are those of node:path",
  ignore: Deno.build.os === "windows",
  fn() {
    const paths = [
      "",
      ".",
      "..",
      "/",
      "a",
      "a/",
      "/a/b/../c",
      "../x",
      "/a//b/./c.tar.gz",
      ".env",
      "a\\b",
      "/ä/é",
      "//x",
      "a/..",
    ];
    for (const one of paths) {
      for (const name of ["basename", "dirname", "extname", "normalize", "isAbsolute", "parse"] as const) {
        assert.deepEqual(light[name](one), node[name](one), `${name} ${one}`);
      }
      for (const other of paths) {
        for (const name of ["join", "resolve", "relative"] as const) {
          assert.equal(light[name](one, other), node[name](one, other), `${name} ${one} ${other}`);
        }
      }
    }
    assert.deepEqual([light.sep, light.delimiter], [node.sep, node.delimiter]);
  },
});
