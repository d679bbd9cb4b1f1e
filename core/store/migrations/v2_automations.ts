/** What automations keep from run to run. `owner` is the file: absolute path of its project's root, NUL, path in it. */
export const AUTOMATIONS = `
CREATE TABLE automation_state (
  owner TEXT NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (owner, key)
) STRICT, WITHOUT ROWID;
`;
