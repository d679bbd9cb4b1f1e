import { assert, test } from "pryx";
import { hmacSha256, sameText } from "./_hmac.ts";

test("hmacSha256() computes the examples of RFC 4231", () => {
  assert.equal(
    hmacSha256("Jefe", "what do ya want for nothing?"),
    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
  );
  assert.equal(
    hmacSha256("\v".repeat(20), "Hi There"),
    "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
  );
});

test("sameText() tells texts apart, of other lengths too", () => {
  assert(sameText("abc", "abc"));
  assert(!sameText("abd", "abc") && !sameText("ab", "abc") && !sameText("", "a") && !sameText("abc", "ab"));
});
