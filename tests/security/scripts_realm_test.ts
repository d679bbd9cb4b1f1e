import { realm } from "./cases/scripts/realm.ts";
import { declareScripts } from "./_scripts.ts";

declareScripts(realm);
