// What a bundle has in the place of node:path where Windows is not: see _light_paths.ts. `win32` is null.
import path from "path-browserify";

export const {
  basename,
  delimiter,
  dirname,
  extname,
  format,
  isAbsolute,
  join,
  normalize,
  parse,
  posix,
  relative,
  resolve,
  sep,
  win32,
} = path;
export default path;
