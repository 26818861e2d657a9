// The helpers of the comparison. `engine.py` has the same helpers in Python; keep both equal.

const text = (value) => (value === null || value === undefined ? "" : String(value));
// If the context is null or missing, handlebars.js passes an empty object to helpers, and to the blocks that they render.
const given = (context) => (context?.constructor === Object && Object.keys(context).length === 0 ? null : context);
const fn = (options, ...rest) => (options.fn ? `${options.fn(...rest)}` : "");
const inverse = (options, ...rest) => (options.inverse ? `${options.inverse(...rest)}` : "");

export const helpers = {
  id(...args) {
    return args.length > 1 ? args[0] : null;
  },
  up(...args) {
    return args.length > 1 ? text(args[0]).toUpperCase() : "";
  },
  cat(...args) {
    const { hash } = args.pop();
    const parts = args.map(text);
    for (const name of Object.keys(hash)) parts.push(`${name}=${text(hash[name])}`);
    return parts.join("|");
  },
  same(...args) {
    args.pop();
    const [a = null, b = null] = args;
    return a === b && (a === null || typeof a !== "object");
  },
  arr(...args) {
    args.pop();
    return args.map((arg) => arg ?? null);
  },
  make(...args) {
    const { hash } = args.pop();
    return { ...hash };
  },
  ctx() {
    return given(this);
  },
  dat(...args) {
    const { data } = args.pop();
    return (data && data[["index", "key", "first", "last", "user"].find((name) => name === args[0]) ?? "user"]) ?? null;
  },
  nul() {
    return null;
  },
  no() {
    return false;
  },
  called(...args) {
    return args.pop().name;
  },
  once(...args) {
    return fn(args.pop(), this);
  },
  twice(...args) {
    const options = args.pop();
    return `${fn(options, this)},${fn(options, this)}`;
  },
  inv(...args) {
    return inverse(args.pop(), this);
  },
  both(...args) {
    const options = args.pop();
    return `${fn(options, this)}/${inverse(options, this)}`;
  },
  on(...args) {
    return fn(args.pop(), args[0] ?? null);
  },
  off(...args) {
    return inverse(args.pop(), args[0] ?? null);
  },
  dta(...args) {
    const options = args.pop();
    return fn(options, this, { data: Object.assign(frame(options.data), options.hash) });
  },
  bps(...args) {
    return fn(args.pop(), this, { blockParams: [args[0] ?? null, args[1] ?? null] });
  },
  cond(...args) {
    const options = args.pop();
    const [value] = args;
    return value === true || (typeof value === "string" && value !== "") ? fn(options, this) : inverse(options, this);
  },
  raw(...args) {
    return fn(args.pop(), this);
  },
};

function frame(data) {
  return Object.assign({}, data, { _parent: data });
}

export function helperMissing(...args) {
  const { name } = args.pop();
  return `[${name} ${args.map(text).join("|")}]`;
}

export function blockHelperMissing(...args) {
  const options = args.pop();
  return `(${options.name} ${text(args[0])}:${fn(options, this)}/${inverse(options, this)})`;
}
