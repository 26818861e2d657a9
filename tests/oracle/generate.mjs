// Generates random cases and renders them with handlebars.js. Reads requests and writes answers, each a line of JSON:
//
//   {"make": [seed, first, count]}   returns rendered cases, and the number of cases with each feature
//   {"render": [case, …]}            returns the results of handlebars.js for cases that the caller changed
//
// A case is [template, partials, data, options, caller's data, output, error, features]. The output is null if
// handlebars.js fails. Data is JSON text until it is used, because JavaScript cannot write all that it reads (-0.0).

import { createInterface } from "node:readline";
import Handlebars from "handlebars/dist/handlebars.js";
import { FEATURES, Grammar } from "./grammar.mjs";
import { blockHelperMissing, helperMissing, helpers } from "./helpers.mjs";
import { Random } from "./random.mjs";
import { callerData, context } from "./values.mjs";

// Compiling takes longer than rendering, so each template is rendered with several contexts. Each of them is a case.
const CONTEXTS = 8;

Error.stackTraceLimit = 0;

const BUILT_IN = ["helperMissing", "blockHelperMissing", "each", "if", "unless", "with", "log", "lookup"];

const PARTIALS = ["p", "q", "r", "dir/s", "x y", "1"];

function environment(missing, blockMissing) {
  const made = Handlebars.create();
  made.log = () => {};
  made.registerHelper(helpers);
  if (missing) made.registerHelper("helperMissing", helperMissing);
  if (blockMissing) made.registerHelper("blockHelperMissing", blockHelperMissing);
  return made;
}

Handlebars.logger.log = () => {};
const environments = [0, 1, 2, 3].map((bits) => environment(bits & 1, bits & 2));
const separate = [0, 1, 2, 3].map((bits) => asText(environment(bits & 1, bits & 2)));

// handlebars.js joins output with `+`, which adds numbers. This compiler converts each value to text first, to find
// differences that have no other cause.
function asText(made) {
  class Compiler extends Handlebars.JavaScriptCompiler {
    appendToBuffer(source, location, explicit) {
      return super.appendToBuffer(this.environment.isSimple ? source : ['(""+', source, ")"], location, explicit);
    }
  }
  Compiler.prototype.compiler = Compiler;
  made.JavaScriptCompiler = Compiler;
  return made;
}

function choose(random) {
  const options = {};
  const some = (odds, name, value) => {
    if (random.chance(odds)) options[name] = value;
  };
  if (random.chance(45)) {
    some(22, "escape", false);
    some(15, "strict", true);
    some(12, "assume_objects", true);
    some(12, "prevent_indent", true);
    some(15, "ignore_standalone", true);
    some(12, "explicit_partial_context", true);
    some(15, "compat", true);
    some(15, "known_helpers", random.pick([["id", "up", "once"], ["a", "cat", "on"], ["list", "foo"]]));
    some(8, "known_helpers_only", true);
  }
  some(6, "helper_missing", true);
  some(6, "block_helper_missing", true);
  return options;
}

function compilerOptions(options) {
  return {
    noEscape: options.escape === false,
    strict: options.strict ?? false,
    assumeObjects: options.assume_objects ?? false,
    preventIndent: options.prevent_indent ?? false,
    ignoreStandalone: options.ignore_standalone ?? false,
    explicitPartialContext: options.explicit_partial_context ?? false,
    compat: options.compat ?? false,
    knownHelpers: Object.fromEntries((options.known_helpers ?? []).map((name) => [name, true])),
    knownHelpersOnly: options.known_helpers_only ?? false,
  };
}

// Returns a function from data to [output, error]. A partial that cannot be compiled fails even if it is not used.
function prepare(template, partials, options, sets = environments) {
  const made = sets[(options.helper_missing ? 1 : 0) + (options.block_helper_missing ? 2 : 0)];
  const compiler = compilerOptions(options);
  const compile = (source) => made.compile(made.parse(source, compiler), compiler);
  let main;
  const compiled = {};
  try {
    main = compile(template);
    for (const name of Object.keys(partials)) {
      check(made, partials[name], compiler);
      compiled[name] = compile(partials[name]);
    }
  } catch (error) {
    const failed = [null, firstLine(error)];
    return () => failed;
  }
  return (data, given) => {
    try {
      const runtime = { partials: compiled };
      if (given !== null) runtime.data = JSON.parse(given);
      return [main(JSON.parse(data), runtime), null];
    } catch (error) {
      return [null, firstLine(error)];
    }
  };
}

// Finds errors that handlebars.js would find only when the partial is first used.
function check(made, source, options) {
  const knownHelpers = { ...Object.fromEntries(BUILT_IN.map((name) => [name, true])), ...options.knownHelpers };
  new made.Compiler().compile(made.parse(source, options), { ...options, knownHelpers, data: true });
}

function firstLine(error) {
  return String(error?.message ?? error).split("\n", 1)[0];
}

let group = null;
let groupKey = "";

function makeGroup(seed, at) {
  const name = `${seed}/${at}`;
  if (groupKey === name) return group;
  const random = new Random(seed, at);
  const names = [];
  if (random.chance(45)) {
    for (let count = 1 + random.below(2); count > 0; count--) names.push(random.chance(75) ? PARTIALS[names.length] : random.pick(PARTIALS));
  }
  const grammar = new Grammar(random, names);
  const depth = random.weighted([[20, 1], [50, 2], [25, 3], [5, 5]]);
  const template = grammar.template(depth);
  const partials = {};
  for (const partial of names) {
    grammar.size = 2 + random.below(4);
    grammar.inlines = [];
    grammar.inPartial = true;
    partials[partial] = grammar.template(Math.min(depth, 2));
  }
  const options = choose(random);
  let mask = 0;
  for (const bit of grammar.features) mask += 2 ** bit;
  group = {
    features: [...grammar.features],
    mask,
    head: `${JSON.stringify(template)},${JSON.stringify(partials)},`,
    options: `,${JSON.stringify(options)},`,
    render: prepare(template, partials, options),
  };
  groupKey = name;
  return group;
}

function make(seed, first, count) {
  const cases = [];
  const features = new Array(FEATURES.length).fill(0);
  for (let at = first; at < first + count; at++) {
    const { head, options, mask, features: has, render } = makeGroup(seed, Math.floor(at / CONTEXTS));
    const random = new Random(seed ^ 0x5bd1e995, at);
    const data = context(random);
    const given = random.chance(25) ? callerData(random) : null;
    const [output, error] = render(data, given);
    for (const bit of has) features[bit] += 1;
    cases.push(`[${head}${data}${options}${given},${JSON.stringify(output)},${JSON.stringify(error)},${mask}]`);
  }
  return `{"cases":[${cases.join(",\n")}],"features":${JSON.stringify(features)}}`.replaceAll("\n", "");
}

function answer(request) {
  if (request.make) return make(...request.make);
  return JSON.stringify(
    request.render.map(({ template, partials, data, options, given, separate: apart }) =>
      prepare(template, partials, options, apart ? separate : environments)(data, given),
    ),
  );
}

process.stdout.write(`${JSON.stringify({ features: FEATURES, version: Handlebars.VERSION, contexts: CONTEXTS })}\n`);
for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${answer(JSON.parse(line))}\n`);
}
