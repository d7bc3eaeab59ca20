// The JSON API as functions. A failure is an Error with the server's words; nothing is retried here.

import { parse } from "./json.js";

async function ask(path, options) {
  let response;
  try {
    response = await fetch(path, { cache: "no-store", ...options });
  } catch {
    throw new Error("the engine does not answer");
  }
  const text = await response.text();
  let body = null;
  try {
    body = text ? parse(text) : null;
  } catch {
    throw new Error(`the engine answered ${response.status} with something that is not JSON`);
  }
  if (!response.ok) {
    const error = new Error(body?.error?.message ?? `the engine answered ${response.status}`);
    error.kind = body?.error?.kind ?? "unknown";
    throw error;
  }
  return body;
}

const sendText = (method, path, body) => ask(path, { method, headers: { "content-type": "application/json" }, body });
const send = (method, path) => sendText(method, path, "{}");

const at = (name) => `/api/isolates/${encodeURIComponent(name)}`;

export const api = {
  health: () => ask("/api/health"),
  flows: () => ask("/api/flows"),
  list: (query) => ask(`/api/isolates?${query}`),
  show: (name) => ask(at(name)),
  history: (name, from) => ask(`${at(name)}/history?from=${from}&limit=500`),
  source: (name) => ask(`${at(name)}/source`),
  /** `args` is JSON text already: an object by parameter. */
  spawn: (name, flow, args) => sendText("POST", "/api/isolates", `{"name": ${JSON.stringify(name)}, "flow": ${JSON.stringify(flow)}, "args": ${args}}`),
  act: (name, verb) => send("POST", `${at(name)}/${verb}`),
  remove: (name) => send("DELETE", at(name)),
};

let frozen = new URLSearchParams(location.search).get("live") === "off";

/** Whether what is shown is left as it is, at the reader's wish (or by `?live=off`). */
export const isFrozen = () => frozen;

/** Freezes what is shown, or lets it follow again. */
export function freeze(wish) {
  frozen = wish;
  document.dispatchEvent(new Event("freeze"));
}

/**
 * Follows a stream of server-sent events: `on(data)` with each state, `state("live" | "reconnecting" | "frozen")` with the
 * connection's. A page that nobody sees holds no connection: a browser gives a server only six. Gives a function that ends it.
 */
export function follow(path, on, state) {
  let source = null;
  let retry = 0;
  const open = () => {
    source = new EventSource(path);
    source.addEventListener("state", (event) => on(parse(event.data)));
    source.addEventListener("gone", (event) => on({ gone: parse(event.data) }));
    source.onopen = () => state("live");
    source.onerror = () => {
      state("reconnecting");
      // The browser tries again by itself, except after an answer that was no stream.
      if (source?.readyState !== EventSource.CLOSED) return;
      close();
      retry = setTimeout(look, 2000);
    };
  };
  const close = () => {
    clearTimeout(retry);
    source?.close();
    source = null;
  };
  const look = () => {
    if (frozen) state("frozen");
    if (frozen || document.hidden) close();
    else if (!source) open();
  };
  const occasions = ["visibilitychange", "freeze"];
  for (const occasion of occasions) document.addEventListener(occasion, look);
  look();
  return () => {
    for (const occasion of occasions) document.removeEventListener(occasion, look);
    close();
  };
}

/** The path of an isolate's events, or of the list's. */
export const events = (name) => `${at(name)}/events`;
export const listEvents = (query) => `/api/events?${query}`;
