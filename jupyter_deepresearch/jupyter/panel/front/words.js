// Numbers, times and verdicts in words: the same words as in the magic's and the command line's output.

// At most five significant digits, "-" where there is none.
function number(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return "-";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e5)) return trimmed(value.toExponential(4));
  return trimmed(value.toPrecision(5));
}

function trimmed(digits) {
  const [mantissa, exponent] = digits.split("e");
  const short = mantissa.includes(".") ? mantissa.replace(/\.?0+$/, "") : mantissa;
  return exponent === undefined ? short : `${short}e${exponent}`;
}

// "0.9822 ± 0.0016 (3 seeds)"; without an interval only the value and its seeds.
function measured(value, interval, seeds) {
  if (value === null || value === undefined) return "-";
  const half = interval ? ` ± ${trimmed(((interval[1] - interval[0]) / 2).toPrecision(2))}` : "";
  return `${number(value)}${half}${seeds ? ` (${counted(seeds, "seed")})` : ""}`;
}

// With its sign, for differences: "+0.0411", "−0.002".
function signed(value) {
  if (value === null || value === undefined) return "";
  const sign = value < 0 ? "−" : value > 0 ? "+" : "±";
  return `${sign}${trimmed(Math.abs(value).toPrecision(3))}`;
}

function counted(count, unit) {
  return `${grouped(count)} ${unit}${count === 1 ? "" : "s"}`;
}

// 1612 as "1,612", whatever the browser's language: the rest of the panel speaks English too.
function grouped(count) {
  return count === null || count === undefined ? "-" : count.toLocaleString("en-US");
}

function duration(seconds) {
  if (seconds === null || seconds === undefined) return "-";
  if (seconds < 90) return seconds < 10 ? `${seconds.toFixed(1)} s` : `${Math.round(seconds)} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

function bytes(count) {
  if (count === null || count === undefined) return "-";
  const units = ["B", "kB", "MB", "GB", "TB"];
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, count)) / 3)));
  const value = count / 1000 ** power;
  return `${value >= 100 || power === 0 ? Math.round(value) : value.toFixed(1)} ${units[power]}`;
}

// "$12.50", "$0.25", "$0.00371"; an unknown price is said and never becomes zero.
function dollars(usd) {
  if (usd === null || usd === undefined) return "price unknown";
  const cents = { minimumFractionDigits: 2, maximumFractionDigits: 2 };
  if (Math.abs(usd) >= 1) return `$${usd.toLocaleString("en-US", cents)}`;
  const digits = trimmed(Number(usd.toPrecision(3)).toFixed(12));
  return `$${digits.includes(".") && digits.split(".")[1].length > 2 ? digits : Number(digits).toFixed(2)}`;
}

function plainWord(word) {
  return String(word ?? "").replaceAll("_", " ");
}

// A text on one line of at most `limit` characters.
function oneLine(text, limit = 200) {
  const plain = String(text ?? "").replace(/\s+/gu, " ").trim();
  const letters = Array.from(plain);
  return letters.length <= limit ? plain : `${letters.slice(0, limit - 1).join("")}…`;
}

// A value of the parameters cell as a person types it: a text has quotes only where it would be read as another value.
function typed(value) {
  if (value === null || value === undefined) return "None";
  if (value === true || value === false) return value ? "True" : "False";
  if (typeof value === "number" && value !== 0 && Math.abs(value) < 1e-4) return value.toExponential(); // as Python
  if (typeof value !== "string") return JSON.stringify(value);
  const bare = /^[\p{L}_][^"'()[\]{}]*$/u.test(value) && value.trim() === value;
  return bare && !/^(true|false|none)$/i.test(value) ? value : JSON.stringify(value);
}

const VERDICTS = {
  baseline: "■",
  promising: "◇",
  confirmed: "◆",
  retracted: "◌",
  worse: "▼",
  inconclusive: "○",
  failed: "✕",
  rejected: "⊘",
};

// How a verdict looks: {kind, shape, word, colour}. A failure says which; what is not judged yet, where it stands.
function decisionMark(decision, state) {
  const live = !state || state === "pending" || state === "running";
  if (!decision) {
    const shape = state === "running" ? "▶" : "…";
    return { kind: "open", shape, word: plainWord(state) || "waiting", colour: "var(--dr-open)" };
  }
  const word = decision === "failed" && !live ? state : decision;
  const kind = decision in VERDICTS ? decision : "inconclusive";
  return { kind, shape: VERDICTS[kind], word: plainWord(word).toUpperCase(), colour: `var(--dr-${kind})` };
}
