import { declareCalls } from "./_suite.ts";

declareCalls("bubblewrap", { warm: true });
declareCalls("stubbed", { warm: true });
declareCalls("stubbed-landlock", { warm: true });
