import type * as Api from "../api.d.ts";
import type { Calls } from "./asking.ts";
import type { Guest } from "./guest.ts";

export interface Secrets {
  is(value: unknown): value is Api.Secret;
  /** The mark that stands for it in a request, with what `prefix` puts before. */
  mark(secret: Api.Secret): Promise<{ readonly prefix: string; readonly mark: string }>;
}

/** What comes from outside: secrets, environment variables, standard input. */
export function secretsApi(guest: Guest, { _calls: calls }: { readonly _calls: Calls }) {
  let reveal: (secret: Secret) => Promise<{ prefix: string; mark: string }>;

  class Secret implements Api.Secret {
    readonly name: string;
    readonly #prefix: string;
    readonly #mark: () => Promise<string>;

    constructor(name: string, prefix: string, mark: () => Promise<string>) {
      this.name = name;
      this.#prefix = prefix;
      this.#mark = mark;
      Object.freeze(this);
    }

    static {
      reveal = async (secret) => ({ prefix: secret.#prefix, mark: await secret.#mark() });
    }

    prefix(text: string): Secret {
      return new Secret(this.name, calls.text(text, "The prefix of a secret") + this.#prefix, this.#mark);
    }

    async sign(text: string, algorithm: Api.HashName = "SHA-256"): Promise<string> {
      return await calls.call("hmac", {
        name: this.name,
        text: calls.text(text, "What is signed"),
        algorithm,
      });
    }

    async verify(text: string, signature: string, algorithm: Api.HashName = "SHA-256"): Promise<boolean> {
      const given = calls.text(signature, "A signature").trim().replace(/^sha\d+=/i, "").toLowerCase();
      return await this.sign(text, algorithm) === given;
    }

    // Text made of a secret would go out as that text: better an error where it is made.
    [Symbol.toPrimitive](): never {
      throw new TypeError(
        `The secret ${this.name} has no text here: give it as a header or body itself, with prefix() for what stands before`,
      );
    }

    toJSON(): string {
      return `[secret ${this.name}]`;
    }
  }
  calls.named(Secret, "Secret");

  const secrets: typeof Api.secrets = {
    use(name) {
      if (!/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/.test(calls.text(name, "The name of a secret"))) {
        throw new TypeError(`${guest.inspect(name)} is no name of a secret`);
      }
      let asked: Promise<string> | undefined;
      // Not asked for before it is used, and again when it was refused.
      return new Secret(name, "", () =>
        asked ??= calls.call("secret", { name }).catch((error) => {
          asked = undefined;
          throw error;
        }));
    },
  };

  const env: typeof Api.env = {
    async get(name) {
      const text = calls.text(name, "The name of an environment variable");
      return await calls.call("env", { name: text }) ?? undefined;
    },
  };

  let input: Promise<string> | undefined;
  async function stdin(): Promise<string> {
    if (guest.load.stdin !== undefined) return guest.load.stdin;
    return await (input ??= calls.call("stdin", null));
  }

  const _secrets: Secrets = {
    is: (value) => value instanceof Secret,
    mark: (secret) => reveal(secret as Secret),
  };
  return { secrets, env, stdin, _secrets } satisfies
    & Pick<typeof Api, "secrets" | "env" | "stdin">
    & { _secrets: Secrets };
}
