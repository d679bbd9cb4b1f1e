import type { Family } from "./_case.ts";
import { approvals } from "./cases/approvals.ts";
import { closed } from "./cases/closed.ts";
import { commands } from "./cases/commands.ts";
import { environment } from "./cases/environment.ts";
import { gitFamily } from "./cases/git.ts";
import { kernel } from "./cases/kernel.ts";
import { network } from "./cases/network.ts";
import { own } from "./cases/own.ts";
import { paths } from "./cases/paths.ts";
import { projects } from "./cases/projects.ts";
import { redirects } from "./cases/redirects.ts";
import { resources } from "./cases/resources.ts";
import { scripts } from "./cases/scripts.ts";

/** Every family of hostile input, in the order of the table in docs/security.md. */
export const FAMILIES: readonly Family[] = [
  commands,
  redirects,
  environment,
  paths,
  closed,
  own,
  kernel,
  gitFamily,
  network,
  approvals,
  projects,
  resources,
  scripts,
];
