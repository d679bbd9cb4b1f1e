/** What a line of output says went wrong. */
export type Complaint =
  /** The kernel said no: EACCES, EPERM, EROFS, EBUSY. `writing`: true when that can only be about writing. */
  | {
    readonly kind: "denied";
    readonly writing: boolean;
    readonly busy: boolean;
    readonly paths: readonly string[];
    /** Those of the paths that can be nothing else where it speaks of writing: what stands in quotes, or alone between colons. */
    readonly named: readonly string[];
  }
  /** A name is not there, which is what bubblewrap makes of all it does not open. */
  | { readonly kind: "missing"; readonly writing: boolean; readonly paths: readonly string[] }
  /** A program was not found by its name. */
  | { readonly kind: "program"; readonly name: string }
  /** No way to a host; undefined when the line names none. */
  | { readonly kind: "network"; readonly host: string | undefined }
  /** Nobody listens on that port of the loopback. */
  | { readonly kind: "refused"; readonly host: string; readonly port: number }
  /** A socket of this machine. */
  | { readonly kind: "socket" };

const BUSY = /device or resource busy|\bEBUSY\b/i;
const READ_ONLY = /read-only file ?system|\bEROFS\b|os error 30\b/i;
const DENIED =
  /permission denied|operation not permitted|access(?: is)? denied|\bEACCES\b|\bEPERM\b|PermissionError|PermissionDenied|os error 1(?:3)?\b/i;
const MISSING =
  /no such file or directory|\bENOENT\b|FileNotFoundError|cannot find|could not find|does(?: not|n't) exist|not found|os error 2\b/i;
/** Words of a program that was about to write. */
const WRITING =
  /creat|cannot (?:touch|remove|move|mkdir)|mkdir|open(?:ing|ed)? .*for (?:writing|output)|writ(?:e|ing)|unlink|renam|cannot overwrite|unable to (?:append|lock)|copyfile|symlink|save|cannot open output|^(?:\S*\/)?tee: /i;
const NOT_FOUND = /(?:^|: )([\w.+-]+): (?:command )?not found\s*$/;

const SOCKET =
  /unix:\/\/|docker daemon|podman(?:-| )?(?:sock|service)|d-?bus|\.sock\b|ssh-agent|authentication agent/i;
const SOCKET_FAILED =
  /permission denied|not permitted|cannot connect|could not (?:open|connect)|failed to connect|no such file/i;

const HOST = "([a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\\.[a-z0-9-]+)*\\.?)";
const HOSTS = [
  `could not resolve (?:host(?:name)?|proxy)?:? ?['"]?${HOST}`,
  `(?:ENOTFOUND|EAI_AGAIN|EAI_NONAME|EAI_FAIL) ${HOST}`,
  `lookup ${HOST}(?: on |:)`,
  `unable to resolve host(?: address)? ['"‘]?${HOST}`,
  `failed to (?:lookup address information|resolve address for) ['"]?${HOST}`,
  `host='${HOST}'`,
  `UnknownHostException: ${HOST}`,
  `resolving ['"]?${HOST}`,
  `error sending request for url \\(https?://${HOST}`,
].map((pattern) => new RegExp(pattern, "i"));
const URL_HOST = new RegExp(`\\b(?:https?|ssh|git|ftp)://(?:[^/@\\s]*@)?${HOST}`, "i");
const NETWORK =
  /could not resolve|temporary failure in name resolution|name or service not known|nodename nor servname|name resolution|\bENOTFOUND\b|\bEAI_\w+|network is unreachable|\bENETUNREACH\b|failed to lookup address|dns error|no address associated|unable to resolve|UnknownHostException|getaddrinfo/i;
/** What seccomp answers to the making of a socket. */
const NO_SOCKET =
  /\b(?:socket|connect|bind|listen|sendto|dial)\b.*(?:operation not permitted|\bEPERM\b)|(?:operation not permitted|\bEPERM\b).*\b(?:socket|connect)\b/i;

const LOOPBACK = "(localhost|127(?:\\.\\d+){3}|\\[?::1\\]?)";
/** A place in an error: `localhost:80`, `localhost port 80`, `'localhost', port=80`, `"localhost" (127.0.0.1), port 80`. */
const LOOPBACK_PLACE = new RegExp(
  `${LOOPBACK}['"|]?(?: \\([^)\\s]*\\))?(?::|,? port[ =]|\\|:)(\\d{1,5})\\b`,
  "i",
);
const REFUSED = /connection refused|ECONNREFUSED|could(?: not|n't) connect to server|failed to connect/i;

/** Reads one line of what a program printed. Undefined when nothing in it sounds like a refusal. Pure. */
export function complaintIn(line: string): Complaint | undefined {
  if (SOCKET.test(line) && SOCKET_FAILED.test(line)) return { kind: "socket" };
  const network = NETWORK.test(line) || NO_SOCKET.test(line);
  for (const pattern of network ? HOSTS : []) {
    const host = line.match(pattern)?.[1];
    if (host !== undefined) return { kind: "network", host: plain(host) };
  }
  if (network) {
    const host = line.match(URL_HOST)?.[1];
    return { kind: "network", host: host === undefined ? undefined : plain(host) };
  }
  if (REFUSED.test(line)) {
    const [, host, port] = line.match(LOOPBACK_PLACE) ?? [];
    if (host !== undefined) {
      const plainHost = host.toLowerCase().replace(/[[\]]/g, "");
      return { kind: "refused", host: plainHost === "::1" ? "localhost" : plainHost, port: Number(port) };
    }
  }
  const readOnly = READ_ONLY.test(line);
  const busy = BUSY.test(line);
  if (readOnly || busy || DENIED.test(line)) {
    const writing = readOnly || busy || WRITING.test(line);
    return { kind: "denied", writing, busy, paths: pathsIn(line), named: namesIn(line, readOnly) };
  }
  const program = line.match(NOT_FOUND)?.[1];
  if (program !== undefined) return { kind: "program", name: program };
  if (MISSING.test(line)) return { kind: "missing", writing: WRITING.test(line), paths: pathsIn(line) };
  return undefined;
}

function plain(host: string): string {
  return host.toLowerCase().replace(/\.$/, "");
}

const QUOTED = /'([^']+)'|"([^"]+)"|`([^`']+)[`']|‘([^’]+)’|“([^”]+)”/g;
const ABSOLUTE = /(?:^|[\s(\[=,:])(\/[^\s'"`,;()\[\]]+)/g;

/**
 * Everything in a line that may be a path, the likeliest first: what is quoted, a field between colons (the last ones
 * before the first), anything that begins with a slash. The program that speaks comes first in a line, and is none of them.
 */
function pathsIn(said: string): string[] {
  const found: string[] = [];
  const line = /^[^\s:]+: .*: /.test(said) ? said.slice(said.indexOf(": ") + 2) : said;
  for (const match of line.matchAll(QUOTED)) {
    const text = match.slice(1).find((one) => one !== undefined);
    if (text !== undefined) found.push(text);
  }
  for (const field of line.split(/: /).map((one) => one.trim()).reverse()) {
    if (field === "" || field.length > 4_096) continue;
    found.push(field);
    const last = field.split(" ").at(-1);
    if (last !== undefined && last !== field) found.push(last);
  }
  for (const [, path = ""] of line.matchAll(ABSOLUTE)) found.push(path.replace(/[:.!?]+$/, ""));
  return [...new Set(found)];
}

/** Paths that stand in quotes, or alone before what went wrong. With a space only where nothing but a file is meant (`sure`). */
function namesIn(said: string, sure: boolean): string[] {
  const quoted = [...said.matchAll(QUOTED)].flatMap((match) =>
    match.slice(1).find((one) => one !== undefined) ?? []
  );
  const alone = /: ([^\s:'"`‘“]+): [^:]+$/.exec(said)?.[1];
  return [...quoted, ...alone === undefined ? [] : [alone]].filter((name) => sure || !/\s/.test(name));
}
