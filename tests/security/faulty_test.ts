import { declareCalls } from "./_suite.ts";

declareCalls("stubbed");
declareCalls("stubbed-landlock");
declareCalls("planted");
