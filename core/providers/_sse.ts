/** Longest single event that is taken, in characters; a server that sends more is broken or hostile. */
const MAX_EVENT = 64 * 1024 * 1024;

/** Takes the bytes of one `text/event-stream`. */
interface SseParser {
  /** Takes the next bytes, cut anywhere. Calls the listener for every event that is whole. */
  push(bytes: Uint8Array): void;
  /** The stream is over: an event without its closing blank line still counts, since servers often leave it out. */
  end(): void;
}

/**
 * Parses a `text/event-stream` (WHATWG HTML, section 9.2.6) and calls `on` with the data of each event. Event names,
 * ids and retry times are ignored: the APIs read here repeat the name inside the data. Throws RangeError on an event
 * longer than 64 Mi characters.
 */
export function createSseParser(on: (data: string) => void): SseParser {
  const decoder = new TextDecoder();
  let rest = "";
  let data: string | undefined;
  let afterReturn = false;

  const line = (text: string, from: number, to: number): void => {
    if (from === to) {
      if (data !== undefined) {
        const whole = data;
        data = undefined;
        on(whole);
      }
      return;
    }
    if (!text.startsWith("data", from)) return;
    let value: string;
    if (text.charCodeAt(from + 4) === 58 && to > from + 4) {
      value = text.slice(text.charCodeAt(from + 5) === 32 && to > from + 5 ? from + 6 : from + 5, to);
    } else if (to === from + 4) value = "";
    else return;
    data = data === undefined ? value : `${data}\n${value}`;
  };

  const take = (decoded: string): void => {
    let text = decoded;
    // A CR ends a line by itself, and a LF right behind it belongs to it, also when it comes in the next chunk.
    if (afterReturn && text.length > 0) {
      if (text.startsWith("\n")) text = text.slice(1);
      afterReturn = false;
    }
    if (text.includes("\r")) {
      afterReturn = text.endsWith("\r");
      text = text.replace(/\r\n?/g, "\n");
    }
    let newline = text.indexOf("\n");
    if (newline < 0) {
      // Joined without being searched again: a long line in many chunks stays linear.
      rest += text;
      if (rest.length > MAX_EVENT) throw new RangeError("an event of the stream is too long");
      return;
    }
    let from = 0;
    if (rest !== "") {
      newline += rest.length;
      text = rest + text;
    }
    for (; newline >= 0; newline = text.indexOf("\n", from)) {
      line(text, from, newline);
      from = newline + 1;
    }
    rest = text.slice(from);
    if (data !== undefined && data.length > MAX_EVENT) {
      throw new RangeError("an event of the stream is too long");
    }
  };

  return {
    push: (bytes) => take(decoder.decode(bytes, { stream: true })),
    end() {
      take(decoder.decode());
      if (rest !== "") line(rest, 0, rest.length);
      rest = "";
      line("", 0, 0);
    },
  };
}
