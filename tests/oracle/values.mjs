// Random values, as JSON text: text can express 1.0 and -0.0, which JavaScript cannot write.

export const NAMES = ["a", "b", "c", "foo", "bar", "list", "obj", "str", "num", "t"];
const ODD_NAMES = ["x y", "0", "1", "10", "02", "-1", "é", "имя", "$x", "_u", "a-b", "a.b", "length", "this", "if", "up", "true", "null", "12", "root", "", "𝒳", "p", "constructor", "2.5", "q'"];

const STRINGS = [
  "", "x", "str", "p", "q", "a", "0", "1", " ", "\n", "l1\nl2", "l1\nl2\n", "l1\r\nl2", "<b>&amp;</b>", "&<>\"'`=", "it's", "\"", "é", "naïve Ω", "漢字", "😀", "a😀<", "e\u0301",
  "\u00a0", "\u2028", "\t", "{{a}}", "\\", "true", "null", "  pad  ", "length", "long long text, with <tags> and = signs",
];
const INTEGERS = ["0", "1", "2", "3", "-1", "7", "10", "42", "-17", "255", "1000000", "123456789012", "9007199254740991", "-9007199254740992"];
const FLOATS = [
  "0.0", "-0.0", "1.0", "-1.0", "0.5", "-2.5", "3.14", "1e21", "1e20", "123456789012345680000.0", "1e-6", "1e-7", "1.5e-7", "1e100", "1.7976931348623157e308",
  "5e-324", "0.1", "0.30000000000000004", "1e16", "12345678901234567.0", "-1e21", "100000.0", "2.5e-5", "1e22", "123456.789",
];

export function key(random) {
  return random.chance(82) ? random.pick(NAMES) : random.pick(ODD_NAMES);
}

function scalar(random) {
  switch (random.below(10)) {
    case 0: return "null";
    case 1: return "true";
    case 2: return "false";
    case 3: case 4: return random.pick(INTEGERS);
    case 5: return random.pick(FLOATS);
    default: return JSON.stringify(random.pick(STRINGS));
  }
}

export function value(random, depth) {
  if (depth <= 0) return random.chance(8) ? random.pick(["[]", "{}"]) : scalar(random);
  const kind = random.below(10);
  if (kind < 4) return scalar(random);
  if (kind < 7) return array(random, depth);
  return object(random, depth - 1, random.below(4));
}

function array(random, depth) {
  const length = random.chance(4) ? 4 + random.below(12) : random.below(4);
  const items = [];
  for (let i = 0; i < length; i++) items.push(value(random, depth - 1));
  return `[${items.join(",")}]`;
}

export function object(random, depth, size) {
  const members = new Map();
  for (let i = 0; i < size; i++) members.set(key(random), null);
  const text = [];
  for (const name of members.keys()) {
    let member;
    if (name === "list" && random.chance(75)) member = array(random, Math.max(depth, 1));
    else if (name === "obj" && random.chance(75)) member = object(random, depth - 1, random.below(4));
    else if (name === "str" && random.chance(75)) member = JSON.stringify(random.pick(STRINGS));
    else if (name === "num" && random.chance(75)) member = random.pick(random.chance(60) ? INTEGERS : FLOATS);
    else if (name === "t" && random.chance(75)) member = "true";
    else member = value(random, depth);
    text.push(`${JSON.stringify(name)}:${member}`);
  }
  return `{${text.join(",")}}`;
}

// The data for a template.
export function context(random) {
  const big = random.chance(5);
  return object(random, big ? 4 : 2, big ? 10 : 2 + random.below(6));
}

export function callerData(random) {
  return `{${[`"user":${value(random, 1)}`, random.chance(30) ? `"index":${scalar(random)}` : "", random.chance(30) ? `"foo":${value(random, 1)}` : "", random.chance(15) ? `"level":${random.below(4)}` : ""].filter(Boolean).join(",")}}`;
}
