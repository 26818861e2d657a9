// Generates random templates from the grammar of handlebars 4.7, with whitespace and with common mistakes.

import { key, NAMES } from "./values.mjs";

export const FEATURES = [
  "mustache", "unescaped", "path", "parent path", "segment literal", "literal name", "@data", "call", "subexpression", "hash",
  "if", "unless", "each", "with", "lookup", "log", "implicit block", "helper block", "inverse block", "else", "else chain", "block params",
  "partial", "dynamic partial", "partial context", "partial hash", "partial block", "@partial-block", "inline partial",
  "comment", "escape", "raw block", "whitespace control", "standalone", "crlf", "token soup", "helper missing",
];
const BIT = Object.fromEntries(FEATURES.map((name, at) => [name, at]));

const INLINE = ["id", "up", "cat", "same", "arr", "make", "ctx", "dat", "nul", "no", "called"];
const BLOCK = ["once", "twice", "inv", "both", "on", "off", "dta", "bps", "cond"];
const TEXTS = ["x", "text", " ", "  ", "-", ",", "é", "😀", "<i>", "&", "a b", "}", "}}", "{", "{ {", "\\", "'", "\"", "=", "\t", ".", "$", "\\n"];
const STRINGS = ["", "x", "a b", "p", "q", "foo", "<&>", "it's", "say \\\"hi\\\"", "é😀", "0", "length", "user", "index", "}}", "l\nl"];
const NUMBERS = ["0", "1", "2", "-1", "3.5", "10", "-0", "1.0", "007", "1.50", "12345678901234567890"];
const SOUP = [
  "{{", "}}", "{{{", "}}}", "{{#", "{{/", "{{^", "{{else", "{{else}}", "{{>", "{{#>", "{{!", "{{!--", "--}}", "{{~", "~}}", "{{{{", "}}}}", "{{{{/", "{{&", "{{#*", "{{*", "\\{{", "\\\\{{", "\\",
  "a", "b", "if", "each", "this", ".", "..", "/", "../", "./", "@", "#", "(", ")", "[", "]", "[a]", "=", "|", "as |", "as |x|", " ", "\n", "\"", "'", "\"s\"", "'s'", "1", "-1", "1.5", "true", "false", "null",
  "undefined", "^", "&", ">", "!", "~", "p", "{{a}}", "{{#if a}}", "{{/if}}", "{{#a}}", "{{/a}}", "{{> p}}", "text", "*", "inline", ",", ";", "%", "é", "😀", "\r\n", "\t", "@index", "a.b", "a=1", "else if", "{{/", "}",
];

export class Grammar {
  constructor(random, partials) {
    this.random = random;
    this.partials = partials;
    this.features = new Set();
    this.params = [];
    this.newline = random.weighted([[88, "\n"], [10, "\r\n"], [2, "\r"]]);
    this.size = random.weighted([[60, 3], [30, 6], [8, 12], [2, 30]]);
    this.control = random.weighted([[60, 0], [30, 8], [10, 35]]);
    this.lines = random.weighted([[40, 10], [60, 55]]);
    this.inlines = [];
    this.inPartial = false;
  }

  mark(feature) {
    this.features.add(BIT[feature]);
  }

  template(depth) {
    if (this.random.chance(4)) return this.soup();
    let text = this.program(depth);
    if (this.random.chance(1.5)) text = this.mutate(text);
    if (text.includes("\r\n")) this.mark("crlf");
    return text;
  }

  soup() {
    this.mark("token soup");
    let text = "";
    for (let count = 1 + this.random.below(12); count > 0; count--) text += this.random.pick(SOUP);
    return text;
  }

  mutate(text) {
    this.mark("token soup");
    const at = this.random.below(text.length + 1);
    switch (this.random.below(3)) {
      case 0: return text.slice(0, at) + this.random.pick(SOUP) + text.slice(at);
      case 1: return text.slice(0, at) + text.slice(at + 1 + this.random.below(3));
      default: return text.slice(0, at);
    }
  }

  program(depth) {
    let text = "";
    const count = this.random.chance(6) ? 0 : 1 + this.random.below(depth > 2 ? 4 : 3);
    for (let i = 0; i < count && this.size > 0; i++) text += this.statement(depth);
    return text;
  }

  statement(depth) {
    this.size -= 1;
    const deep = depth > 0;
    const kind = this.random.weighted([
      [22, "text"], [30, "mustache"], [deep ? 30 : 0, "block"], [this.partials.length ? 9 : 1, "partial"], [deep ? 4 : 0, "partialBlock"],
      [deep ? 4 : 0, "inline"], [4, "comment"], [3, "escape"], [1, "rawBlock"], [this.inPartial ? 10 : 1, "atPartialBlock"],
    ]);
    return this[kind](depth);
  }

  space() {
    return this.random.weighted([[80, " "], [12, "  "], [4, "\n"], [2, "\t"], [2, this.newline]]);
  }

  gap() {
    return this.random.weighted([[88, ""], [10, " "], [2, "\n"]]);
  }

  tilde() {
    if (!this.control || !this.random.chance(this.control)) return "";
    this.mark("whitespace control");
    return "~";
  }

  // A tag, sometimes alone on its line.
  tag(sigil, inner) {
    return this.line(`{{${this.tilde()}${sigil}${this.gap()}${inner}${this.gap()}${this.tilde()}}}`);
  }

  line(tag) {
    if (!this.random.chance(this.lines)) return tag;
    this.mark("standalone");
    const before = this.random.weighted([[60, ""], [25, this.newline], [5, `${this.newline}${this.newline}`], [10, ` ${this.newline}`]]);
    const indent = this.random.weighted([[50, ""], [30, "  "], [10, "\t"], [10, " "]]);
    const after = this.random.weighted([[70, this.newline], [12, `  ${this.newline}`], [10, ""], [8, " "]]);
    return before + indent + tag + after;
  }

  text() {
    let text = "";
    for (let count = 1 + this.random.below(3); count > 0; count--) text += this.random.chance(22) ? this.newline : this.random.pick(TEXTS);
    // A backslash before a tag escapes it; `escape` generates those.
    return text.endsWith("\\") || text.endsWith("{") ? `${text} ` : text;
  }

  mustache(depth) {
    this.mark("mustache");
    const inner = this.callOrPath(depth, true);
    if (this.random.chance(72)) return this.random.chance(90) ? `{{${this.tilde()}${this.gap()}${inner}${this.gap()}${this.tilde()}}}` : this.tag("", inner);
    this.mark("unescaped");
    if (this.random.chance(30)) return `{{${this.tilde()}&${this.gap()}${inner}${this.tilde()}}}`;
    return `{{${this.tilde()}{${this.gap()}${inner}${this.gap()}}${this.tilde()}}}`;
  }

  // The content of a mustache: a path, a literal name, or a call.
  callOrPath(depth, mustache) {
    const kind = this.random.below(100);
    if (kind < 66) return this.path();
    if (kind < 70 && mustache) return this.literalName();
    if (kind < 73) {
      this.mark("lookup");
      return `lookup ${this.argument(depth)} ${this.argument(depth)}`;
    }
    if (kind < 74) {
      this.mark("log");
      return `log ${this.argument(depth)}`;
    }
    if (kind < 76) {
      this.mark("helper missing");
      return `${this.random.pick(["nope", "a", "foo", "obj.foo", "this.id", "./up"])} ${this.args(1, depth)}`;
    }
    if (kind < 77) return `(${this.call(depth)})`;
    return this.call(depth);
  }

  call(depth) {
    this.mark("call");
    const name = this.random.chance(90) ? this.random.pick(INLINE) : this.random.pick(BLOCK);
    const least = name === "cat" || name === "arr" ? 1 : 0;
    return `${name}${this.arguments(depth, least)}`;
  }

  arguments(depth, least = 0) {
    const args = this.args(Math.max(least, this.random.weighted([[15, 0], [60, 1], [20, 2], [5, 3]])), depth);
    const hash = this.random.chance(18) ? this.hash(depth) : "";
    return (args ? this.space() + args : "") + (hash ? this.space() + hash : "");
  }

  args(count, depth) {
    const args = [];
    for (let i = 0; i < count; i++) args.push(this.argument(depth));
    return args.join(this.space());
  }

  hash(depth) {
    this.mark("hash");
    const pairs = [];
    for (let count = 1 + this.random.below(2); count > 0; count--) {
      const name = this.random.chance(88) ? this.random.pick(NAMES) : this.random.pick(["[x y]", "[1]", "é", "a-b", "user", "index", "key"]);
      pairs.push(`${name}=${this.argument(depth)}`);
    }
    return pairs.join(" ");
  }

  argument(depth) {
    const kind = this.random.below(100);
    if (kind < 62) return this.path();
    if (kind < 88 || depth <= 0) return this.literal();
    this.mark("subexpression");
    if (this.random.chance(12)) return `(lookup ${this.argument(depth - 1)} ${this.argument(depth - 1)})`;
    if (this.random.chance(4)) return `(${this.path()}${this.random.chance(50) ? ` ${this.path()}` : ""})`;
    return `(${this.call(depth - 1)})`;
  }

  literal() {
    const kind = this.random.below(10);
    if (kind < 4) return this.string();
    if (kind < 7) return this.random.pick(NUMBERS);
    return this.random.pick(["true", "false", "null", "undefined"]);
  }

  string() {
    const text = this.random.pick(STRINGS);
    if (this.random.chance(30) && !text.includes("'")) return `'${text.replaceAll("\\\"", "\"")}'`;
    return `"${text}"`;
  }

  literalName() {
    this.mark("literal name");
    return this.random.pick(["12", "true", "false", "null", "undefined", "\"foo bar\"", "\"x y\"", "'a'", "\"\"", "1", "0", "2.5", "\"up\"", "-1", "\"foo\""]);
  }

  segment() {
    if (this.random.chance(86)) return this.random.pick(NAMES);
    const name = this.random.chance(60) ? key(this.random) : this.random.pick(["0", "1", "length", "constructor", "toString", "__proto__", "this"]);
    if (/^[\p{L}_$][\p{L}\p{N}_$-]*$/u.test(name) && !["this", "true", "null", "if"].includes(name) && this.random.chance(70)) return name;
    if (/^\d+$/.test(name) && this.random.chance(50)) return name;
    this.mark("segment literal");
    return `[${name}]`;
  }

  path() {
    const { random } = this;
    if (this.params.length && random.chance(25)) return random.pick(this.params) + (random.chance(25) ? `.${this.segment()}` : "");
    const kind = random.below(100);
    if (kind < 48) return this.simple();
    if (kind < 62) return this.join([this.simple(), this.segment()]);
    if (kind < 72) return random.weighted([[60, "this"], [30, "."], [4, "this.this"], [6, "./this"]]);
    if (kind < 78) return random.pick(["this.", "this/", "./"]) + this.segment();
    this.mark("path");
    if (kind < 88) {
      this.mark("parent path");
      const ups = random.weighted([[70, "../"], [22, "../../"], [8, "../../../"]]);
      if (random.chance(12)) return ups.slice(0, -1);
      if (random.chance(5)) return `${ups}this`;
      if (random.chance(2)) return `${ups}.`;
      return ups + this.join([this.segment(), ...(random.chance(25) ? [this.segment()] : [])]);
    }
    if (kind < 97) {
      this.mark("@data");
      const name = random.weighted([[20, "@index"], [18, "@key"], [10, "@first"], [10, "@last"], [14, `@root.${this.segment()}`], [4, "@root"], [6, "@../index"], [6, "@../key"], [3, "@../../index"], [6, "@user"], [3, `@user.${this.segment()}`], [2, "@foo"], [1, "@level"], [1, "@root/a"], [1, "@../root.a"], [1, "@./index"], [1, "@[index]"], [1, "@partial-block"]]);
      return name;
    }
    if (kind < 98) return random.pick(["..", "../..", "a.[b].c", "a/b.c", "list.[0]", "list.0", "list.length", "list.0.a", "str.length", "list/1/b", "./../a", "a/../b", "a.this", "a/./b", "this.[a]", "[this]", "[a].b"]);
    return this.join([this.simple(), this.segment(), this.segment()]);
  }

  simple() {
    return this.random.chance(93) ? this.random.pick(NAMES) : this.segment().replace(/^(\d+|length)$/, "a");
  }

  join(parts) {
    this.mark("path");
    return parts.join(this.random.chance(85) ? "." : "/");
  }

  blockParams(odds, least = 1) {
    if (!this.random.chance(odds)) return ["", []];
    this.mark("block params");
    const names = [];
    for (let count = least + this.random.below(2) + (this.random.chance(3) ? 1 : 0); count > 0; count--) names.push(this.random.pick(["v", "k", "w", "a", "foo"]));
    return [`${this.space()}as |${this.gap()}${names.join(" ")}${this.gap()}|`, names];
  }

  // The opening tag of a block: its words, the name that closes it, and the probability of block parameters.
  opening(depth, chained) {
    const { random } = this;
    const kind = random.weighted([
      [24, "if"], [7, "unless"], [22, "each"], [12, "with"], [chained ? 3 : 18, "implicit"], [12, "helper"], [1, "lookup"], [1, "missing"], [1, "inline"], [chained ? 0 : 1, "literal"],
    ]);
    switch (kind) {
      case "if": case "unless": {
        this.mark(kind);
        const hash = random.chance(6) ? ` includeZero=${random.pick(["true", "false", "1", "a"])}` : "";
        return [`${kind}${this.space()}${this.argument(depth)}${random.chance(0.5) ? " a" : ""}${hash}`, kind, 1];
      }
      case "each":
        this.mark("each");
        return [`each${this.space()}${random.chance(55) ? random.pick(["list", "obj", "this", "list", "../list", "a"]) : this.argument(depth)}${random.chance(0.5) ? " a" : ""}`, "each", 28];
      case "with":
        this.mark("with");
        return [`with${this.space()}${random.chance(40) ? random.pick(["obj", "list", "a"]) : this.argument(depth)}`, "with", 20];
      case "lookup":
        return [`lookup ${this.argument(depth)} ${this.argument(depth)}`, "lookup", 5];
      case "missing":
        this.mark("helper missing");
        return [`nope ${this.argument(depth)}`, "nope", 5];
      case "inline": {
        const name = random.pick(INLINE);
        return [`${name}${this.arguments(depth)}`, name, 5];
      }
      case "literal": {
        const name = this.literalName();
        return [name, name, 3];
      }
      case "helper": {
        this.mark("helper block");
        const name = random.pick(BLOCK);
        return [`${name}${this.arguments(depth, name === "on" || name === "cond" ? 1 : 0)}`, name, name === "bps" ? 70 : 8];
      }
      default: {
        this.mark("implicit block");
        const name = random.chance(45) ? random.pick(["list", "obj", "t", "a", "str"]) : this.path();
        return [name, name, 12];
      }
    }
  }

  // A body with named block parameters.
  within(names, depth) {
    this.params.push(...names);
    const body = this.program(depth - 1);
    this.params.length -= names.length;
    return body;
  }

  block(depth) {
    const { random } = this;
    const [words, name, odds] = this.opening(depth, false);
    if (random.chance(7)) {
      this.mark("inverse block");
      const [params, names] = this.blockParams(odds / 4);
      let text = this.tag("^", words + params) + this.within(names, depth);
      if (random.chance(35)) text += this.otherwise() + this.program(depth - 1);
      return text + this.tag("/", name);
    }
    const [params, names] = this.blockParams(odds);
    let text = this.tag("#", words + params) + this.within(names, depth);
    let chain = random.chance(12) ? 1 + random.below(2) : 0;
    while (chain-- > 0) {
      this.mark("else chain");
      const [next, , nextOdds] = this.opening(depth, true);
      const [nextParams, nextNames] = this.blockParams(nextOdds);
      text += this.tag(random.chance(90) ? "else " : "^", next + nextParams) + this.within(nextNames, depth);
    }
    if (random.chance(32)) text += this.otherwise() + this.program(depth - 1);
    return text + this.tag("/", name);
  }

  otherwise() {
    this.mark("else");
    return this.tag("", this.random.weighted([[80, "else"], [20, "^"]]));
  }

  partialName() {
    const { random } = this;
    const known = [...this.partials, ...this.inlines];
    if (!known.length || random.chance(2)) return random.pick(["nope", "p", "\"p\"", "[p]", "a.b"]);
    const name = random.pick(known);
    if (random.chance(10)) {
      this.mark("dynamic partial");
      return random.chance(70) ? `(id "${name}")` : random.pick([`(lookup . "str")`, `(cat "${name}")`, `(${random.pick(NAMES)})`, `(id ${this.path()})`]);
    }
    if (/[^\w/.-]/.test(name) || random.chance(3)) return random.chance(50) ? `[${name}]` : `"${name}"`;
    return name;
  }

  partialInner(depth) {
    const { random } = this;
    let inner = this.partialName();
    if (random.chance(28)) {
      this.mark("partial context");
      inner += this.space() + this.argument(depth);
      if (random.chance(1)) inner += ` ${this.argument(depth)}`;
    }
    if (random.chance(18)) {
      this.mark("partial hash");
      inner += this.space() + this.hash(depth);
    }
    return inner;
  }

  partial(depth) {
    this.mark("partial");
    return this.tag(">", this.partialInner(depth));
  }

  partialBlock_(depth) {
    const inner = this.partialInner(depth);
    const name = /^(\([^)]*\)+|\[[^\]]*\]|"[^"]*"|\S+)/.exec(inner)[0];
    return [inner, name];
  }

  partialBlock(depth) {
    if (depth <= 0) return this.text();
    this.mark("partial block");
    const [inner, name] = this.partialBlock_(depth);
    if (name.startsWith("(")) return this.tag(">", inner);
    const close = /[\s"[]/.test(name) ? name : name;
    const [params, names] = this.blockParams(2);
    return this.tag("#>", inner + params) + this.within(names, depth) + this.tag("/", close);
  }

  atPartialBlock(depth) {
    this.mark("@partial-block");
    const inner = `@partial-block${this.random.chance(15) ? ` ${this.argument(depth)}` : ""}${this.random.chance(8) ? ` ${this.hash(depth)}` : ""}`;
    if (this.random.chance(6) && depth > 0) return this.tag("#>", inner) + this.program(depth - 1) + this.tag("/", "@partial-block");
    if (this.random.chance(8)) return `{{#if @partial-block}}${this.tag(">", inner)}{{/if}}`;
    return this.tag(">", inner);
  }

  inline(depth) {
    this.mark("inline partial");
    const name = this.random.pick(["in", "p", "q", "in2"]);
    const text = this.tag("#*", `inline "${name}"`) + this.program(depth - 1) + this.tag("/", "inline");
    this.inlines.push(name);
    return text;
  }

  comment() {
    this.mark("comment");
    const { random } = this;
    const body = random.pick([" note ", "", "x", " a\n b ", "-", " -- ", "é😀", " {{x "]);
    const text = random.chance(40) ? `{{${this.tilde()}!--${body}${random.chance(20) ? " }} " : ""}--${this.tilde()}}}` : `{{${this.tilde()}!${body}${this.tilde()}}}`;
    return this.line(text);
  }

  escape() {
    this.mark("escape");
    const { random } = this;
    const slashes = random.weighted([[60, "\\"], [30, "\\\\"], [10, "\\\\\\"]]);
    return `${random.chance(40) ? this.text() : ""}${slashes}{{${random.weighted([[70, this.simple()], [10, `{${this.simple()}}`], [10, "#if a"], [10, " x "]])}}}${random.chance(60) ? this.text() : ""}`;
  }

  rawBlock() {
    this.mark("raw block");
    const { random } = this;
    const name = random.weighted([[85, "raw"], [5, "nope"], [5, "once"], [5, "a"]]);
    const args = random.chance(25) ? this.arguments(1) : "";
    const body = random.pick([" {{a}} ", "", "x", "{{#if}}", "{{{{inner}}}} y {{{{/inner}}}}", "\n{{b}}\n", "\\{{x}}", "}}}} {{", "{{{{/"]);
    return `{{{{${this.gap()}${name}${args}${this.gap()}}}}}${body}{{{{/${name}}}}}`;
  }
}
