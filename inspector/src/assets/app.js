// The page's frame: which view the address names, the connection's state, dialogs and notices. The views know the rest.

import { h, render } from "./dom.js";
import { api, freeze, isFrozen } from "./api.js";
import { parse } from "./json.js";
import { setNow } from "./format.js";
import { isolate } from "./isolate.js";
import { list } from "./list.js";

const main = document.getElementById("main");
const live = document.getElementById("live");
const notice = document.getElementById("notice");
const dialog = document.getElementById("dialog");
let leave = () => {};
let hiding = 0;

const page = {
  draw: (...nodes) => render(main, ...nodes),
  title: (text) => {
    if (document.title !== text) document.title = text;
  },
  clock: setNow,
  live: (state) => {
    if (live.dataset.state === state) return;
    live.dataset.state = state;
    live.textContent = state;
    live.setAttribute("aria-pressed", String(state === "frozen"));
  },
  notice: (text) => {
    notice.textContent = text;
    notice.hidden = false;
    clearTimeout(hiding);
    hiding = setTimeout(() => (notice.hidden = true), 8000);
  },
  go: (path) => {
    history.pushState(null, "", path);
    show();
    main.focus({ preventScroll: true });
    scrollTo(0, 0);
  },
  confirm: (question, explanation, verb) =>
    new Promise((answer) => {
      render(
        dialog,
        h(
          "form",
          { method: "dialog", key: question },
          h("h2", { id: "dialog-title" }, question),
          h("p", {}, explanation),
          h("div", { class: "actions" }, h("button", { value: "no", autofocus: true }, "Keep it"), h("button", { value: "yes", class: "primary" }, verb)),
        ),
      );
      dialog.returnValue = "no";
      dialog.onclose = () => answer(dialog.returnValue === "yes");
      dialog.showModal();
    }),
  spawn: async () => {
    let flows;
    try {
      ({ flows } = await api.flows());
    } catch (error) {
      page.notice(error.message);
      return;
    }
    if (!flows.length) {
      page.notice("This engine has no flows: start it with a file that defines one.");
      return;
    }
    spawnDialog(flows, flows[0].name, null);
  },
};

// A value typed for a parameter: text as it is where text is wanted, otherwise its JSON form.
const typed = (text, type) => {
  if (type === "str") return text;
  try {
    parse(text);
    return text;
  } catch {
    throw new Error(`${text || "nothing"} is no ${type}: write its JSON form`);
  }
};

function spawnDialog(flows, chosen, problem) {
  const flow = flows.find((one) => one.name === chosen) ?? flows[0];
  const submit = async (event) => {
    event.preventDefault();
    const form = event.target;
    const name = form.elements["isolate-name"].value;
    try {
      // Numbers go as they were typed, so that a 64-bit integer stays one.
      const args = flow.params.map((param) => {
        const text = typed(form.elements[`arg-${param.name}`].value, param.type);
        return `${JSON.stringify(param.name)}: ${param.type === "str" ? JSON.stringify(text) : text}`;
      });
      await api.spawn(name, flow.name, `{${args.join(", ")}}`);
    } catch (error) {
      spawnDialog(flows, flow.name, error.message);
      return;
    }
    dialog.close();
    page.go(`/isolates/${encodeURIComponent(name)}`);
  };
  render(
    dialog,
    h(
      "form",
      { class: "spawn", key: "spawn", onsubmit: submit },
      h("h2", { id: "dialog-title" }, "New isolate"),
      h("label", {}, "Flow", h("select", { onchange: (event) => spawnDialog(flows, event.target.value, null) }, flows.map((one) => h("option", { key: one.name, selected: one.name === flow.name, value: one.name }, one.name)))),
      h("label", {}, "Name", h("input", { name: "isolate-name", required: true, maxlength: "200", pattern: "[A-Za-z0-9._~\\-]+", title: "Letters, digits and . _ ~ -", autocomplete: "off", autofocus: true })),
      flow.params.map((param) => h("label", { key: `arg-${param.name}` }, h("span", {}, param.name, " ", h("span", { class: "faint mono" }, param.type)), h("input", { name: `arg-${param.name}`, class: "mono", autocomplete: "off" }))),
      problem ? h("p", { class: "problem", role: "alert", key: "problem" }, problem) : null,
      h("div", { class: "actions", key: "actions" }, h("button", { type: "button", onclick: () => dialog.close() }, "Close"), h("button", { class: "primary", type: "submit" }, "Spawn")),
    ),
  );
  dialog.onclose = null;
  if (!dialog.open) dialog.showModal();
}

function show() {
  leave();
  const path = /^\/isolates\/([^/]+)$/.exec(location.pathname);
  leave = path ? isolate(page, decodeURIComponent(path[1])) : list(page);
}

// Links inside the page change the view without loading it again; with a modifier key they stay links.
document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[data-route]");
  if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  page.go(link.getAttribute("href"));
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || dialog.open) return;
  if (event.target.closest?.("input, textarea, select")) return;
  const search = document.getElementById("search");
  if (search) {
    event.preventDefault();
    search.focus();
  }
});
live.onclick = () => freeze(!isFrozen());
addEventListener("popstate", show);
document.querySelector(".brand").dataset.route = "";

api.health().then(
  (health) => (document.getElementById("node").textContent = [health.namespace, health.version && `v${health.version}`].filter(Boolean).join(" · ")),
  () => {},
);
show();
