import type { ApiStyle } from "../../core/config/config.ts";
import { providerContract } from "../contract/provider_contract.ts";
import { startModelServer } from "../support/model_server.ts";
import { providerAt, stoppedClock } from "./_provider.ts";

for (const api of ["chat", "responses"] satisfies ApiStyle[]) {
  providerContract(`openai ${api}`, async (answers, use) => {
    await using server = await startModelServer(answers);
    await use(providerAt(server.url, api, { clock: stoppedClock() }));
  });
}
