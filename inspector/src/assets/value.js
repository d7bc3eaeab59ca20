// A value of a flow as elements: short ones on one line, long ones to be opened.

import { h } from "./dom.js";
import { Exact, print } from "./json.js";

const LINE = 72;

const kind = (value) => {
  if (value === null) return "keyword";
  if (value instanceof Exact || typeof value === "number") return "number";
  if (typeof value === "string") return "string";
  if (typeof value === "boolean") return "keyword";
  return "";
};

const short = (text) => (text.length > LINE ? `${text.slice(0, LINE)}…` : text);

/** The elements for a value in its JSON form. */
export function valueView(value, depth = 0) {
  const text = print(value);
  const isTree = value !== null && typeof value === "object" && !(value instanceof Exact);
  if (!isTree || (text.length <= LINE && !Object.values(value).some((part) => typeof part === "object" && part !== null))) {
    if (text.length > 4 * LINE) return h("details", { class: "tree", key: "long" }, h("summary", {}, h("span", { class: `value ${kind(value)}` }, short(text))), h("pre", { class: "whole" }, typeof value === "string" ? value : text));
    return h("span", { class: `value ${kind(value)}`, "data-flash": "", key: "line" }, text);
  }
  if (depth > 12) return h("span", { class: "value", key: "deep" }, short(text));
  const entries = Array.isArray(value) ? value.map((part, i) => [i, part]) : Object.entries(value);
  return h(
    "details",
    { class: "tree", key: "tree" },
    h("summary", {}, h("span", { class: "value", "data-flash": "" }, short(text)), " ", h("span", { class: "faint" }, `${entries.length} ${entries.length === 1 ? "item" : "items"}`)),
    h("ul", {}, entries.map(([key, part]) => h("li", { key: String(key) }, h("span", { class: "member" }, `${key}`), ": ", valueView(part, depth + 1)))),
  );
}
