// The list of isolates: counts by status as filters, a search by the beginning of the name, a page of rows, live.

import { h } from "./dom.js";
import { api, follow, listEvents } from "./api.js";
import { age, count, instant, now, relative } from "./format.js";
import { chip, STATUSES } from "./status.js";
import { print } from "./json.js";

const PAGE = 100;

/** Begins the list; gives a function that ends it. `page.draw(nodes)` shows, `page.go(path)` leaves. */
export function list(page) {
  let query = new URLSearchParams(location.search);
  let shown = null;
  let failure = null;
  let before = [];
  let stop = () => {};
  let typing = 0;

  const asked = () => {
    const wanted = new URLSearchParams({ limit: String(PAGE) });
    for (const key of ["status", "flow", "prefix", "after"]) if (query.get(key)) wanted.set(key, query.get(key));
    return wanted;
  };
  const take = (state) => {
    shown = state;
    failure = null;
    page.clock(state.now_ms);
    draw();
  };
  const restart = async () => {
    stop();
    const current = query;
    try {
      const state = await api.list(asked());
      if (current !== query) return;
      take(state);
    } catch (error) {
      if (current !== query) return;
      failure = error;
      draw();
    }
    stop = follow(listEvents(asked()), take, page.live);
  };
  const set = (key, value) => {
    const changed = new URLSearchParams(query);
    if (value) changed.set(key, value);
    else changed.delete(key);
    if (key !== "after") {
      changed.delete("after");
      before = [];
    }
    query = changed;
    history.replaceState(null, "", changed.size ? `/?${changed}` : "/");
    draw();
    restart();
  };

  const filters = () => {
    const counts = shown?.counts ?? {};
    const status = query.get("status");
    return h(
      "div",
      { class: "filters", key: "filters" },
      h(
        "div",
        { class: "chips", role: "group", "aria-label": "Filter by status" },
        h("button", { class: "filter", type: "button", "aria-pressed": String(!status), onclick: () => set("status", null) }, "all ", h("b", {}, count(shown?.total ?? 0))),
        STATUSES.map((name) =>
          h(
            "button",
            { class: `filter status-${name}${counts[name] ? "" : " none"}`, type: "button", key: name, "aria-pressed": String(status === name), onclick: () => set("status", status === name ? null : name) },
            h("i", { class: "dot", "aria-hidden": "true" }),
            name,
            " ",
            h("b", {}, count(counts[name] ?? 0)),
          ),
        ),
      ),
      h("input", {
        id: "search",
        type: "search",
        placeholder: "Name begins with…  ( / )",
        "aria-label": "Show only names that begin with",
        autocomplete: "off",
        spellcheck: "false",
        value: query.get("prefix") ?? "",
        oninput: (event) => {
          const text = event.target.value;
          clearTimeout(typing);
          typing = setTimeout(() => set("prefix", text), 200);
        },
      }),
      h("button", { class: "primary", type: "button", onclick: () => page.spawn() }, "New isolate"),
    );
  };

  const when = (row) => {
    if (row.ended_ms) return h("span", { title: instant(row.ended_ms) }, `ended ${relative(row.ended_ms)}`);
    if (row.wake_at_ms && row.status === "sleeping") return h("span", { title: instant(row.wake_at_ms) }, row.wake_at_ms < now() ? "due now" : `wakes ${relative(row.wake_at_ms)}`);
    if (row.reason) return h("span", { title: row.reason }, row.reason);
    return h("span", { title: instant(row.updated_ms) }, `changed ${relative(row.updated_ms)}`);
  };

  const row = (item) => {
    const path = `/isolates/${encodeURIComponent(item.name)}`;
    return h(
      "tr",
      { key: item.id, onclick: (event) => event.target.closest("a") ?? (getSelection().isCollapsed && page.go(path)) },
      h("td", { class: "name" }, h("a", { href: path, "data-route": true, title: item.name }, item.name)),
      h("td", {}, h("button", { class: "link mono", type: "button", title: `Only ${item.flow}`, onclick: (event) => (event.stopPropagation(), set("flow", item.flow)) }, item.flow)),
      h("td", {}, chip(item.status)),
      h("td", { class: "faint when" }, when(item)),
      h("td", { class: "number" }, count(item.commits)),
      h("td", { class: "number faint", title: instant(item.created_ms) }, age((item.ended_ms ?? now()) - item.created_ms)),
    );
  };

  const table = () => {
    const rows = shown?.isolates ?? [];
    if (!rows.length) {
      const filtered = query.get("status") || query.get("flow") || query.get("prefix") || query.get("after");
      return h("p", { class: "empty", key: "empty" }, !shown ? "Loading…" : filtered ? "No isolate matches the filter." : "No isolate yet. Spawn one here, from a program, or with ", !shown || filtered ? null : h("code", {}, "deepslate spawn"));
    }
    return h(
      "div",
      { class: "scroll card", key: "table" },
      h(
        "table",
        { class: "isolates" },
        h("thead", {}, h("tr", {}, ["Name", "Flow", "Status", "When"].map((title) => h("th", { scope: "col" }, title)), h("th", { scope: "col", class: "number", title: "How often its state was committed" }, "Commits"), h("th", { scope: "col", class: "number" }, "Age"))),
        h("tbody", {}, rows.map(row)),
      ),
    );
  };

  const pager = () => {
    const after = query.get("after");
    if (!after && !shown?.next) return null;
    return h(
      "nav",
      { class: "pager", "aria-label": "Pages", key: "pager" },
      h("button", { type: "button", disabled: !after, onclick: () => set("after", before.pop() ?? null) }, "Previous"),
      h("button", { type: "button", disabled: !shown?.next, onclick: () => (before.push(after), set("after", shown.next)) }, "Next"),
    );
  };

  const draw = () => {
    const flow = query.get("flow");
    page.draw(
      h("h1", { class: "sr", key: "title" }, "Isolates"),
      filters(),
      flow ? h("p", { class: "narrowed", key: "flow" }, "Flow ", h("b", { class: "mono" }, flow), " ", h("button", { type: "button", class: "link", onclick: () => set("flow", null) }, "show all flows")) : null,
      failure ? h("p", { class: "problem", role: "alert", key: "failure" }, failure.message) : null,
      (shown?.damaged ?? []).map((one, i) => h("p", { class: "problem", key: `damaged-${i}` }, one.message ?? print(one))),
      table(),
      pager(),
    );
  };

  page.title("Deepslate");
  draw();
  restart();
  const tick = setInterval(draw, 1000);
  return () => {
    clearInterval(tick);
    clearTimeout(typing);
    stop();
  };
}
