import { assert, test } from "pryx";
import { dependenciesOf, difference, lowest } from "./_versions.ts";

test("dependenciesOf() reads package.json and deno.json, and leaves out what npm does not have", () => {
  assert.equal(
    dependenciesOf({
      dependencies: { a: "^1.2.0", b: "file:../b", c: "workspace:*", d: "npm:@x/y@~2.0.0" },
      devDependencies: { e: ">=3 <5" },
    }),
    [{ name: "a", wanted: "^1.2.0" }, { name: "@x/y", wanted: "~2.0.0" }, { name: "e", wanted: ">=3 <5" }],
  );
  assert.equal(dependenciesOf({ imports: { "f/": "npm:/@f/f@1.0.0/", g: "jsr:@g/g@1", h: "npm:h@4" } }), [
    { name: "@f/f", wanted: "1.0.0" },
    { name: "h", wanted: "4" },
  ]);
  assert.equal(dependenciesOf("nonsense"), []);
});

test("difference() says the first part that is higher", () => {
  assert.equal(difference("1.2.3", "2.0.0"), "major");
  assert.equal(difference("1.2.3", "1.3.0"), "minor");
  assert.equal(difference("1.2.3", "1.2.4"), "patch");
  assert.equal(difference("2.0.0", "1.9.9"), "none");
  assert.equal(difference("2.0.0-rc.1", "2.0.0"), "patch");
});

test("lowest() takes the first version of a range", () => {
  assert.equal(["^1.2.3", ">=2 <4", "v3.0.0-beta.1", "latest"].map(lowest), [
    "1.2.3",
    "2",
    "3.0.0-beta.1",
    "0",
  ]);
});
