import assert from "node:assert/strict";
import { childEnvironment } from "../../core/sandbox/_environment.ts";

/** Keys, start-up files, loaders, settings of programs, sockets of agents: none of it is a child's business. */
const WITHHELD = `
  OPENAI_API_KEY ANTHROPIC_API_KEY AWS_SECRET_ACCESS_KEY GITHUB_TOKEN PRYX_HOME PRYX_MODEL
  BASH_ENV ENV PROMPT_COMMAND PS4 SHELLOPTS BASHOPTS CDPATH IFS
  LD_PRELOAD LD_LIBRARY_PATH LD_AUDIT DYLD_INSERT_LIBRARIES DYLD_LIBRARY_PATH
  NODE_OPTIONS NODE_PATH PYTHONPATH PYTHONSTARTUP PERL5OPT PERL5LIB RUBYOPT RUBYLIB JAVA_TOOL_OPTIONS
  GIT_DIR GIT_WORK_TREE GIT_CONFIG_GLOBAL GIT_CONFIG_COUNT GIT_SSH GIT_SSH_COMMAND GIT_EXTERNAL_DIFF GIT_ASKPASS
  EDITOR VISUAL BROWSER LESSOPEN LESS MANPAGER
  SSH_AUTH_SOCK SSH_ASKPASS DBUS_SESSION_BUS_ADDRESS DISPLAY WAYLAND_DISPLAY XAUTHORITY GPG_AGENT_INFO XDG_RUNTIME_DIR
  HTTP_PROXY HTTPS_PROXY ALL_PROXY http_proxy DOCKER_HOST KUBECONFIG
`.trim().split(/\s+/);

const unix = Deno.build.os !== "windows";

Deno.test({ name: "childEnvironment() passes on what it lists and nothing else", ignore: !unix }, () => {
  const own = Object.fromEntries(WITHHELD.map((name) => [name, "/secret"]));
  const listed = {
    PATH: "/usr/bin:relative::/bin",
    HOME: "/home/u",
    USER: "u",
    LANG: "C.UTF-8",
    LC_ALL: "C",
    TZ: "UTC",
    XDG_CONFIG_HOME: "/home/u/.config",
    CARGO_HOME: "/opt/cargo",
    GOPATH: "relative",
  };
  const pagers = { GIT_PAGER: "less; x", PAGER: "x", GH_PAGER: "x", SYSTEMD_PAGER: "x", GIT_EDITOR: "x" };
  assert.deepEqual(
    childEnvironment({ ...own, ...listed, ...pagers, GIT_TERMINAL_PROMPT: "1", TERM: "xterm" }),
    {
      PATH: "/usr/bin:/bin",
      HOME: "/home/u",
      USER: "u",
      LANG: "C.UTF-8",
      LC_ALL: "C",
      TZ: "UTC",
      XDG_CONFIG_HOME: "/home/u/.config",
      CARGO_HOME: "/opt/cargo",
      TERM: "dumb",
      NO_COLOR: "1",
      PAGER: "cat",
      GIT_PAGER: "cat",
      GH_PAGER: "cat",
      SYSTEMD_PAGER: "cat",
      GIT_EDITOR: "true",
      GIT_TERMINAL_PROMPT: "0",
      DEBIAN_FRONTEND: "noninteractive",
    },
  );
  assert.equal(childEnvironment({ PATH: "bin:." }).PATH, "/usr/local/bin:/usr/bin:/bin");
});
