import type { CassetteHeader, Recording } from "../domain/cassette.ts";
import { messageOf, PryxError } from "../domain/error.ts";
import { hidePlaces, type Places } from "../domain/places.ts";

export interface RecordingOptions extends Places {
  readonly file: string;
  /** Takes secret values out of a text. Default: there are none. */
  readonly redact?: (text: string) => string;
  /** For the header. Default: the machine's clock. */
  readonly now?: () => Date;
}

/** A cassette in a file that only its owner can read. Nothing is touched before {@link Recording.begin}. */
export function createRecording(options: RecordingOptions): Recording {
  const { file, workspace, home, redact = (text) => text, now = () => new Date() } = options;
  const places = { workspace, home };
  let begun: Promise<void> | undefined;
  let writing = Promise.resolve();

  const begin = (provider?: string) => begun ??= start(file, now(), provider);
  return {
    places,
    redact,
    hide: (text) => hidePlaces(redact(text), places),
    begin,
    append(entry) {
      // As it is now, and one after another: entries of what runs side by side must not mix.
      const line = `${JSON.stringify(entry)}\n`;
      writing = Promise.all([begin(), writing]).then(() => write(file, line, { append: true }));
      return writing;
    },
    settled: () => writing,
  } satisfies Recording;
}

async function start(file: string, now: Date, provider: string | undefined): Promise<void> {
  let first: string | undefined;
  try {
    first = (await Deno.readTextFile(file)).split("\n", 1)[0];
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cannotWrite(file, cause);
  }
  if (first && !/"type":\s*"cassette"/.test(first)) {
    throw new PryxError("conflict", `Cannot record to ${file}: it exists and is not a cassette`, {
      fix: "Name another file, or remove this one",
    });
  }
  const header: CassetteHeader = {
    v: 1,
    type: "cassette",
    createdAt: now.toISOString(),
    ...(provider === undefined ? {} : { provider }),
  };
  await write(file, `${JSON.stringify(header)}\n`, { append: false });
  if (Deno.build.os !== "windows") await Deno.chmod(file, 0o600);
}

async function write(file: string, text: string, { append }: { append: boolean }): Promise<void> {
  try {
    await Deno.writeTextFile(file, text, { append, mode: 0o600 });
  } catch (cause) {
    throw cannotWrite(file, cause);
  }
}

function cannotWrite(file: string, cause: unknown): PryxError {
  const why = cause instanceof Deno.errors.NotFound ? "its folder does not exist" : messageOf(cause);
  return new PryxError("io", `Cannot record to ${file}: ${why}`, { cause });
}
