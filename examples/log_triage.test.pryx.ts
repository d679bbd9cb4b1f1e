import { assert, test } from "pryx";
import { cluster, shapeOf } from "./_log_shapes.ts";

test("shapeOf() leaves out the time, and every value", () => {
  assert.equal(
    shapeOf(
      '2026-03-01T10:00:00.123Z ERROR login of ann@example.org from 10.0.0.7:4711 took 250ms: "bad token abc"',
    ),
    "ERROR login of <mail> from <address> took <number>ms: <text>",
  );
  assert.equal(
    shapeOf("[01/Mar/2026:10:00:00 +0000] open /var/lib/app/x.db 0xdeadbeef01"),
    "open <path> <hex>",
  );
});

test("cluster() counts lines of a shape, the worst level first", () => {
  const shapes = cluster([
    "INFO a 1",
    "INFO a 2",
    "",
    "TypeError: x is undefined",
    "WARN disk 91%",
    "INFO a 3",
  ]);
  assert.equal(shapes, [
    { shape: "TypeError: x is undefined", level: "error", count: 1, first: 4 },
    { shape: "WARN disk <number>%", level: "warning", count: 1, first: 5 },
    { shape: "INFO a <number>", level: "info", count: 3, first: 1 },
  ]);
});
