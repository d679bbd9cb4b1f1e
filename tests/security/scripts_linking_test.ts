import { linking } from "./cases/scripts/linking.ts";
import { declareScripts } from "./_scripts.ts";

declareScripts(linking);
