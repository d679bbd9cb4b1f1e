import { powers } from "./cases/scripts/powers.ts";
import { declareScripts } from "./_scripts.ts";

declareScripts(powers);
