import { declareCalls } from "./_suite.ts";

declareCalls("bubblewrap");
