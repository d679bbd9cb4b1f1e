import { sealed } from "./cases/scripts/sealed.ts";
import { declareScripts } from "./_scripts.ts";

declareScripts(sealed);
