export const RECORDING = "";
