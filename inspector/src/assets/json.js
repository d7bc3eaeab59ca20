// The JSON form of values: JSON, with NaN, Infinity and -Infinity, and with numbers that JavaScript can't hold exactly
// (64-bit integers, 1.0 as opposed to 1) kept as they were written.

/** A number whose text says more than JavaScript's number does. */
export class Exact {
  constructor(text) {
    this.text = text;
  }
  valueOf() {
    return Number(this.text);
  }
  toString() {
    return this.text;
  }
}

const NUMBER = /-?(?:\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|Infinity)|NaN/y;
const SPACE = /[ \t\n\r]*/y;
const STRING = /"(?:[^"\\]|\\.)*"/ys;
const WORDS = { true: true, false: false, null: null };

/** Reads a text; throws a SyntaxError that says where it is none. */
export function parse(text) {
  let at = 0;
  const wrong = () => new SyntaxError(`not a value at character ${at}`);
  const take = (pattern) => {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (!match) throw wrong();
    at = pattern.lastIndex;
    return match[0];
  };
  const space = () => take(SPACE);
  const expect = (mark) => {
    space();
    if (text[at] !== mark) throw wrong();
    at += 1;
  };
  const string = () => JSON.parse(take(STRING));
  const members = (end, one) => {
    at += 1;
    space();
    if (text[at] === end) {
      at += 1;
      return;
    }
    for (;;) {
      one();
      space();
      if (text[at] === end) {
        at += 1;
        return;
      }
      expect(",");
    }
  };
  const value = () => {
    space();
    const first = text[at];
    if (first === '"') return string();
    if (first === "[") {
      const list = [];
      members("]", () => list.push(value()));
      return list;
    }
    if (first === "{") {
      const entries = [];
      members("}", () => {
        space();
        const key = string();
        expect(":");
        entries.push([key, value()]);
      });
      return Object.fromEntries(entries);
    }
    for (const [word, meaning] of Object.entries(WORDS)) {
      if (text.startsWith(word, at)) {
        at += word.length;
        return meaning;
      }
    }
    const number = take(NUMBER);
    const plain = Number(number);
    return String(plain) === number && Number.isFinite(plain) ? plain : new Exact(number);
  };
  const result = value();
  space();
  if (at !== text.length) throw wrong();
  return result;
}

/** Writes a value in its JSON form, on one line. */
export function print(value) {
  if (value instanceof Exact) return value.text;
  if (Array.isArray(value)) return `[${value.map(print).join(", ")}]`;
  if (value && typeof value === "object") {
    return `{${Object.entries(value)
      .map(([key, part]) => `${JSON.stringify(key)}: ${print(part)}`)
      .join(", ")}}`;
  }
  return JSON.stringify(value);
}
