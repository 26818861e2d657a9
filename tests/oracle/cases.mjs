// Renders the template cases with handlebars.js, and reports the cases with another result than they expect.
// Cases with a documented difference must differ, so that outdated differences are noticed.

import { readdirSync, readFileSync } from "node:fs";
import Handlebars from "handlebars";

const folder = new URL("../data/templates/", import.meta.url);

function render(test) {
  const options = test.options ?? {};
  const engine = Handlebars.create();
  const compile = {
    noEscape: !(options.escape ?? options.dialect === "handlebars"),
    strict: options.dialect === "handlebars" && options.strict,
    compat: options.compat,
    knownHelpersOnly: options.known_helpers_only,
    preventIndent: options.prevent_indent,
    ignoreStandalone: options.ignore_standalone,
    explicitPartialContext: options.explicit_partial_context,
  };
  for (const [name, partial] of Object.entries(test.partials ?? {})) {
    engine.registerPartial(name, engine.compile(partial, compile));
  }
  return engine.compile(test.template, compile)(test.data);
}

let agreed = 0;
const failures = [];
for (const file of readdirSync(folder).filter((name) => name.endsWith(".json")).sort()) {
  const { cases, differs } = JSON.parse(readFileSync(new URL(file, folder), "utf8"));
  for (const test of cases) {
    test.differs ??= differs;
    if (test.error?.kind === "render") continue; // what strict mode adds
    let outcome;
    try {
      outcome = JSON.stringify(render(test));
    } catch (error) {
      outcome = `error: ${error.message.split("\n")[0]}`;
    }
    const agrees = test.error ? outcome.startsWith("error:") : outcome === JSON.stringify(test.expect);
    if (agrees === !test.differs || (test.error && test.differs)) agreed += 1;
    else failures.push(`${file}: ${test.name}: handlebars.js gives ${outcome}${test.differs ? ", as we do" : ""}`);
  }
}
for (const failure of failures) console.error(failure);
console.log(`handlebars.js: ${agreed} passed, ${failures.length} failed`);
process.exitCode = failures.length > 0 ? 1 : 0;
