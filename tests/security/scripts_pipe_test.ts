import { pipe } from "./cases/scripts/pipe.ts";
import { declareScripts } from "./_scripts.ts";

declareScripts(pipe);
