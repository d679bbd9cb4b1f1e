import assert from "node:assert/strict";
import { createTail } from "../../core/automation/_tail.ts";

Deno.test("createTail() has the last characters of a text, whatever its pieces are", () => {
  for (const size of [1, 3, 7, 40]) {
    const tail = createTail(10);
    let all = "";
    for (let count = 0; count < 30; count++) {
      const piece = String(count).padStart(size, ".");
      all += piece;
      tail.add(piece);
      assert.equal(tail.text(), all.slice(-10));
    }
  }
});
