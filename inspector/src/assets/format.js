// Times, durations and values as people read them.

let offset = 0;

/** Takes the server's clock, in unix milliseconds, as the one that durations are counted by. */
export function setNow(ms) {
  if (typeof ms === "number") offset = ms - Date.now();
}

/** The server's time now, in unix milliseconds. */
export const now = () => Date.now() + offset;

const UNITS = [
  [86_400, "d", 3_600, "h"],
  [3_600, "h", 60, "min"],
  [60, "min", 1, "s"],
];

/** A duration: `0.4 s`, `12 s`, `3 min 5 s`, `2 d 4 h`. */
export function duration(ms) {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  for (const [size, unit, below, belowUnit] of UNITS) {
    if (whole >= size) {
      const rest = Math.floor((whole % size) / below);
      return rest ? `${Math.floor(whole / size)} ${unit} ${rest} ${belowUnit}` : `${Math.floor(whole / size)} ${unit}`;
    }
  }
  return `${whole} s`;
}

/** `in 3.2 s`, `12 s ago`, or `now` near the instant itself. */
export function relative(ms) {
  const away = ms - now();
  if (away > 0) return `in ${duration(away)}`;
  return away > -1000 ? "just now" : `${age(-away)} ago`;
}

/** A duration in its largest unit, so that a column of ages does not flicker: `4 s`, `12 min`, `3 d`. */
export function age(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  for (const [size, unit] of UNITS) if (seconds >= size) return `${Math.floor(seconds / size)} ${unit}`;
  return `${seconds} s`;
}

/** The whole date, for titles. */
export const instant = (ms) => new Date(ms).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });

/** `1,234`. */
export const count = (n) => Number(n).toLocaleString("en-US");

/** `12.3 KiB`. */
export function bytes(n) {
  if (n < 1024) return `${n} B`;
  const units = ["KiB", "MiB", "GiB"];
  let size = n / 1024;
  let unit = 0;
  while (size >= 1024 && unit < units.length - 1) {
    size /= 1024;
    unit += 1;
  }
  return `${size.toFixed(1)} ${units[unit]}`;
}
