// A description of elements and the one function that makes the page look like it. What is there already is kept and only
// changed where it differs, so that focus, selection, scroll and opened details survive an update.
// Text is only ever set as text; nothing here takes markup.

/** Describes an element. `props`: `class`, `on…` (a listener), `key` (identity among siblings), anything else an attribute. */
export function h(tag, props, ...children) {
  return { tag, props: props ?? {}, children: children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== false) };
}

/** Makes the children of `parent` look like `nodes`. */
export function render(parent, ...nodes) {
  reconcile(parent, nodes.flat(Infinity).filter((n) => n !== null && n !== undefined && n !== false));
}

const SVG = "http://www.w3.org/2000/svg";

function create(node, parent) {
  if (typeof node !== "object") return document.createTextNode(String(node));
  const svg = node.tag === "svg" || parent.namespaceURI === SVG;
  const element = svg ? document.createElementNS(SVG, node.tag) : document.createElement(node.tag);
  element.described = { props: {} };
  update(element, node);
  return element;
}

function update(element, node) {
  const before = element.described?.props ?? {};
  for (const name of Object.keys(before)) if (!(name in node.props)) set(element, name, null);
  for (const [name, value] of Object.entries(node.props)) if (before[name] !== value) set(element, name, value);
  element.described = { props: node.props };
  reconcile(element, node.children);
}

function set(element, name, value) {
  if (name === "key") return;
  if (name.startsWith("on")) element[name] = value;
  else if (name === "value" || name === "checked") element[name] = value ?? "";
  else if (value === null || value === undefined || value === false) element.removeAttribute(name);
  else element.setAttribute(name, value === true ? "" : String(value));
}

const fits = (element, node) =>
  typeof node !== "object"
    ? element.nodeType === Node.TEXT_NODE
    : element.nodeType === Node.ELEMENT_NODE &&
      element.localName === node.tag.toLowerCase() &&
      element.described !== undefined &&
      element.described.props.key === node.props.key;

function reconcile(parent, nodes) {
  const keyed = new Map();
  for (const child of parent.childNodes) {
    const key = child.described?.props.key;
    if (key !== undefined) keyed.set(key, child);
  }
  let next = parent.firstChild;
  for (const node of nodes) {
    let child = null;
    if (next && fits(next, node)) child = next;
    else if (typeof node === "object" && node.props.key !== undefined) {
      const found = keyed.get(node.props.key);
      if (found && fits(found, node)) child = found;
    }
    if (!child) {
      child = create(node, parent);
      parent.insertBefore(child, next);
      continue;
    }
    if (child === next) next = next.nextSibling;
    else parent.insertBefore(child, next);
    if (typeof node === "object") update(child, node);
    else if (child.data !== String(node)) {
      child.data = String(node);
      flash(parent);
    }
  }
  while (next) {
    const gone = next;
    next = next.nextSibling;
    gone.remove();
  }
}

/** Shows for a moment that a value has changed, where the element asks for it. */
function flash(element) {
  if (!element.dataset || element.dataset.flash === undefined) return;
  for (const running of element.getAnimations()) running.cancel();
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  element.animate([{ backgroundColor: "var(--flash)" }, { backgroundColor: "transparent" }], { duration: 900, easing: "ease-out" });
}
