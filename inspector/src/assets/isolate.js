// One isolate: what it is, what can be done with it, and for each of its tasks the source line it stands at, its stack and
// its variables, live.

import { h } from "./dom.js";
import { api, events, follow } from "./api.js";
import { bytes, count, duration, instant, now, relative } from "./format.js";
import { highlight } from "./python.js";
import { chip, isFinished } from "./status.js";
import { valueView } from "./value.js";

const AROUND = 7;
const KEPT = 500;

const kindOf = (type) => ({ int: "number", float: "number", str: "string", bytes: "string", bool: "keyword", None: "keyword" })[type] ?? "";

/** Begins the page of an isolate; gives a function that ends it. */
export function isolate(page, name) {
  let shown = null;
  let gone = null;
  let sources = { program: null, files: [] };
  let stop = () => {};
  let ended = false;
  let seen = null;
  const chosen = new Map();
  let past = [];
  let next = 0;
  let reading = false;

  const take = async (state) => {
    if (ended) return;
    if (state.gone) {
      gone = state.gone.error?.message ?? "This isolate was deleted.";
      stop();
      draw();
      return;
    }
    shown = state;
    gone = null;
    page.clock(state.now_ms);
    draw();
    if (state.commits !== seen) readHistory();
    seen = state.commits;
    if (sources.program !== state.program) await fetchSource(state.program);
  };
  const fetchSource = async (program) => {
    sources = { program, files: [] };
    try {
      const { files } = await api.source(name);
      sources = { program, files: files.map((file) => ({ ...file, lines: highlight(file.text) })) };
      draw();
    } catch (error) {
      page.notice(`The source can't be shown: ${error.message}`);
    }
  };
  const start = async () => {
    try {
      await take(await api.show(name));
    } catch (error) {
      if (ended) return;
      gone = error.message;
      draw();
      if (error.kind === "not_found") return;
    }
    if (!ended) stop = follow(events(name), take, page.live);
  };

  const act = async (verb, question, explanation, run) => {
    if (question && !(await page.confirm(question, explanation, verb))) return;
    try {
      await run();
    } catch (error) {
      page.notice(error.message);
    }
  };
  const actions = () => {
    if (!shown) return null;
    const over = isFinished(shown.status);
    const paused = shown.status === "paused";
    return h(
      "div",
      { class: "actions" },
      over
        ? h("button", { type: "button", key: "delete", onclick: () => act("Delete", `Delete ${name}?`, "Its result and its record are removed and the name is free again.", async () => (await api.remove(name), page.go("/"))) }, "Delete…")
        : [
            paused
              ? h("button", { type: "button", key: "resume", onclick: () => act("Resume", null, null, () => api.act(name, "resume")) }, "Resume")
              : h("button", { type: "button", key: "pause", onclick: () => act("Pause", `Pause ${name}?`, "It stops at its next stop and stays there until it is resumed.", () => api.act(name, "pause")) }, "Pause…"),
            h("button", { type: "button", class: "danger", key: "cancel", onclick: () => act("Cancel the isolate", `Cancel ${name}?`, "It ends at its next stop. This can't be undone.", () => api.act(name, "cancel")) }, "Cancel…"),
          ],
    );
  };

  const facts = () => {
    const rows = [
      ["Flow", h("span", { class: "mono" }, shown.flow)],
      typeof shown.step === "number" ? ["Step", h("span", { "data-flash": "", title: "Durable calls so far" }, count(shown.step))] : null,
      ["Commits", h("span", {}, count(shown.commits))],
      ["Started", h("span", { title: instant(shown.created_ms) }, relative(shown.created_ms))],
      shown.ended_ms
        ? ["Ended", h("span", { title: instant(shown.ended_ms) }, `${relative(shown.ended_ms)}, after ${duration(shown.ended_ms - shown.created_ms)}`)]
        : ["Changed", h("span", { title: instant(shown.updated_ms) }, relative(shown.updated_ms))],
      shown.wake_at_ms && !shown.ended_ms ? ["Wakes", h("span", { title: instant(shown.wake_at_ms) }, shown.wake_at_ms <= now() ? "now" : relative(shown.wake_at_ms))] : null,
      typeof shown.heap_bytes === "number" ? ["Heap", bytes(shown.heap_bytes)] : null,
      typeof shown.stored_bytes === "number" ? ["Stored", bytes(shown.stored_bytes)] : null,
      shown.args && shown.args !== "{}" ? ["Arguments", h("span", { class: "mono cut", title: shown.args }, shown.args)] : null,
      ["Program", h("span", { class: "mono", title: shown.program }, shown.program.slice(0, 12))],
      ["Id", h("span", { class: "mono" }, shown.id)],
    ];
    return h(
      "dl",
      { class: "facts card", key: "facts" },
      rows.filter(Boolean).map(([title, value]) => h("div", { key: title }, h("dt", {}, title), h("dd", {}, value))),
    );
  };

  const place = (frame) => (frame.file ? `${frame.file}:${frame.line}` : "");

  const outcome = () => {
    if (shown.failure) {
      const { kind, message, trace } = shown.failure;
      return h(
        "section",
        { class: "card outcome failed", key: "outcome" },
        h("h2", {}, "Failed: ", kind),
        h("p", { class: "message" }, message),
        trace?.length
          ? h(
              "ol",
              { class: "trace" },
              trace.map((line) => h("li", {}, h("span", { class: "mono" }, line.function), " ", h("span", { class: "faint" }, place(line)), line.text ? h("pre", {}, line.text.trim()) : null, line.repeats ? h("p", { class: "faint" }, line.repeats.text) : null)),
            )
          : null,
      );
    }
    if (shown.status === "done") return h("section", { class: "card outcome done", key: "outcome" }, h("h2", {}, "Result"), h("div", { class: "result mono" }, valueView(shown.result)));
    if (shown.status === "cancelled") return h("section", { class: "card outcome", key: "outcome" }, h("h2", {}, "Cancelled"), h("p", { class: "message" }, "An operator or a program cancelled it; it has no result."));
    if (shown.reason) return h("section", { class: "card outcome parked", key: "outcome" }, h("h2", {}, shown.status === "parked" ? "Parked" : "Note"), h("p", { class: "message" }, shown.reason));
    return null;
  };

  const excerpt = (frame) => {
    const file = sources.files.find((one) => one.path === frame.file);
    const first = file?.first_line ?? frame.line;
    const lines = file?.lines ?? [[["", frame.text ?? ""]]];
    const here = frame.line - first;
    const from = Math.max(0, Math.min(here - AROUND, lines.length - 2 * AROUND - 1));
    const to = Math.min(lines.length, Math.max(here + AROUND + 1, from + 2 * AROUND + 1));
    return h(
      "figure",
      { class: "source" },
      h("figcaption", {}, h("span", { class: "mono" }, place(frame)), h("span", { class: "faint" }, ` in ${frame.function}`)),
      h(
        "pre",
        { tabindex: "0", "aria-label": `Source around line ${frame.line}` },
        lines.slice(from, to).map((tokens, i) => {
          const number = first + from + i;
          const current = number === frame.line;
          return h(
            "span",
            { class: current ? "line current" : "line", key: String(number), "aria-current": current ? "location" : null },
            h("span", { class: "gutter", "aria-hidden": "true" }, number),
            h("span", { class: "code" }, tokens.map(([kind, text]) => (kind ? h("span", { class: `tok-${kind}` }, text) : text)), "\n"),
          );
        }),
      ),
    );
  };

  const variables = (frame) => {
    if (!frame.variables.length) return h("p", { class: "faint none", key: "none" }, "No variable has a value here.");
    return h(
      "table",
      { class: "variables", key: "variables" },
      h("thead", {}, h("tr", {}, ["Variable", "Type", "Value"].map((title) => h("th", { scope: "col" }, title)))),
      h(
        "tbody",
        {},
        frame.variables.map((variable) =>
          h(
            "tr",
            { key: variable.name },
            h("th", { scope: "row", class: "mono" }, variable.name),
            h("td", { class: "mono faint" }, variable.type),
            h("td", { class: "mono" }, variable.value === undefined ? h("span", { class: `value ${kindOf(variable.type)}`, "data-flash": "", title: variable.cut ? "cut short" : null, key: "preview" }, variable.preview) : valueView(variable.value)),
          ),
        ),
      ),
    );
  };

  const waits = (task) => {
    if (task.due_ms) return h("span", { title: instant(task.due_ms) }, task.due_ms <= now() ? "timer, due now" : `timer, due ${relative(task.due_ms)}`);
    return task.waits_for ? h("span", {}, task.waits_for) : null;
  };

  const taskView = (task) => {
    const at = Math.min(chosen.get(task.id) ?? 0, Math.max(0, task.frames.length - 1));
    const frame = task.frames[at];
    const waiting = waits(task);
    const over = isFinished(shown.status);
    return h(
      "section",
      { class: "card task", key: `task-${task.id}`, "aria-label": `Task ${task.id}` },
      over
        ? h("header", { key: "head" }, h("h3", {}, `Task ${task.id}`), h("span", { class: "faint" }, "as its last commit left it"))
        : h("header", { key: "head" }, h("h3", {}, `Task ${task.id}`), chip(task.status), waiting ? h("span", { class: "faint" }, waiting) : null),
      !frame
        ? h("p", { class: "faint none", key: "over" }, "No frame.")
        : h(
            "div",
            { class: "body", key: "body" },
            h("div", { class: "left" }, excerpt(frame)),
            h(
              "div",
              { class: "right" },
              h("h4", {}, "Variables"),
              variables(frame),
              h("h4", {}, "Stack"),
              h(
                "ol",
                { class: "stack" },
                task.frames.map((one, i) =>
                  h("li", { key: String(task.frames.length - i) }, h("button", { type: "button", class: "frame", "aria-pressed": String(i === at), onclick: () => (chosen.set(task.id, i), draw()) }, h("span", { class: "mono" }, one.function), h("span", { class: "faint" }, place(one)))),
                ),
              ),
            ),
          ),
    );
  };

  const tasks = () => {
    if (shown.view_error) return h("p", { class: "problem", key: "view" }, `Its state can't be shown: ${shown.view_error}`);
    const known = shown.tasks ?? [];
    if (!known.length) return null;
    const more = (shown.tasks_total ?? known.length) - known.length;
    return [known.map(taskView), more > 0 ? h("p", { class: "faint none", key: "more" }, `and ${count(more)} more ${more === 1 ? "task" : "tasks"}`) : null];
  };

  const readHistory = async () => {
    if (reading || ended) return;
    reading = true;
    try {
      const more = await api.history(name, next);
      next = more.next;
      past = past.concat(more.events).slice(-KEPT);
      if (more.events.length) draw();
    } catch {
      // The next change asks again.
    }
    reading = false;
  };
  const history = () =>
    past.length
      ? h(
          "section",
          { class: "card history", key: "history" },
          h("h2", {}, "History"),
          h(
            "ol",
            { tabindex: "0", "aria-label": "What happened, newest first" },
            past.toReversed().map((event) => h("li", { key: String(event.number) }, h("time", { title: instant(event.at_ms) }, relative(event.at_ms)), h("b", {}, event.kind), h("span", {}, event.text))),
          ),
        )
      : null;

  const draw = () => {
    page.title(shown ? `${name} · ${shown.status}` : name);
    page.draw(
      h("nav", { class: "crumbs", "aria-label": "Breadcrumb", key: "crumbs" }, h("a", { href: "/", "data-route": true }, "Isolates"), h("span", { "aria-hidden": "true" }, " / ")),
      h("div", { class: "head", key: "head" }, h("h1", {}, name), shown ? chip(shown.status) : null, gone ? null : actions()),
      gone ? h("p", { class: "problem", role: "alert", key: "gone" }, gone) : null,
      shown ? [facts(), outcome(), tasks(), history()] : gone ? null : h("p", { class: "empty", key: "loading" }, "Loading…"),
    );
  };

  draw();
  start();
  const tick = setInterval(() => shown && draw(), 500);
  return () => {
    ended = true;
    clearInterval(tick);
    stop();
  };
}
