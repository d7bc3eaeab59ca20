// The words for what an isolate and a task are doing, as chips. Never by colour alone.

import { h } from "./dom.js";

/** Every status, in the order in which they are shown. */
export const STATUSES = ["running", "sleeping", "waiting", "paused", "parked", "done", "failed", "cancelled"];

/** Whether nothing more will happen. */
export const isFinished = (status) => status === "done" || status === "failed" || status === "cancelled";

/** A status word with its colour. */
export const chip = (status) => h("span", { class: `chip status-${STATUSES.includes(status) ? status : "waiting"}` }, h("i", { class: "dot", "aria-hidden": "true" }), status);
