// What the bar of filters offers: the fields by the shortest of their names, as docs/api.md has them.

export interface Field {
  name: string; // ends in a point when a key follows
  says?: string; // beside the name
  kind: "text" | "number" | "flag" | "time" | "keyed";
  examples?: string[]; // of numbers and times
  suggest?: { of: string; by: string }; // where known values come from: /v1/stats
  choices?: string[];
}

const text = (name: string, of?: string, by = name, says?: string): Field => ({
  name,
  kind: "text",
  ...(of ? { suggest: { of, by } } : {}),
  ...(says ? { says } : {}),
});

const number = (name: string, says: string, ...examples: string[]): Field => ({ name, kind: "number", says, examples });

const levels = ["ERROR", "WARN", "INFO", "DEBUG", "DEFAULT"];
const times = [">2026-01-31", "2026-01-01..2026-01-31"];

const about = (of: string): Field[] => [
  text("name", of),
  text("user", "traces", "user_id"),
  text("session", "traces", "session_id"),
  text("env", of, "environment", "environment"),
];

const called: Field[] = [
  text("model", "observations"),
  text("type", "observations"),
  { ...text("level"), choices: levels },
  text("provider", "observations"),
  text("error_type", "observations"),
  text("message", undefined, "", "what a status says"),
];

const where: Field[] = [
  text("tag"),
  text("key", "observations", "key_id", "the key that brought it"),
  text("version", "observations"),
  text("release", "observations"),
];

const failed: Field = { name: "error", kind: "flag", says: "whether it failed", choices: ["true", "false"] };
const latency = number("latency", "ms, s or m", ">1s", ">=500", "1s..5s");
const cost = number("cost", "US dollars", ">0.01", ">=$1", "0..0.001");
const tokens = number("tokens", "in and out", ">1000", "100..500");
const started: Field = { name: "start", kind: "time", says: "a date or a time", examples: times };
const score: Field = {
  name: "score.",
  kind: "keyed",
  says: "the mean of a name",
  suggest: { of: "scores", by: "name" },
  examples: [">=0.8", "<0.5", "1"],
};
const said: Field[] = [
  { name: "metadata.", kind: "keyed", says: "a path in metadata" },
  { name: "attributes.", kind: "keyed", says: "an attribute of a span" },
  { name: "resource.", kind: "keyed", says: "of a span's resource" },
];

const ofTraces: Field[] = [
  ...about("traces"),
  ...called,
  failed,
  text("status", "traces"),
  latency,
  cost,
  tokens,
  number("observations", "how many steps", ">10"),
  number("errors", "how many failed", ">1"),
  score,
  ...where,
  text("id"),
  started,
];

/** The fields of each page: those that all of its questions take. */
export const traceFields: Field[] = [...ofTraces, ...said];
export const observationFields: Field[] = [
  ...about("observations"),
  ...called,
  failed,
  text("status", "observations"),
  latency,
  number("ttft", "to the first token", ">1s"),
  cost,
  tokens,
  number("prompt_tokens", "in", ">1000"),
  number("completion_tokens", "out", ">1000"),
  score,
  ...where,
  text("finish_reason"),
  text("service_tier", "observations"),
  text("prompt", "observations", "prompt_name"),
  text("prompt_version", "observations"),
  text("cost_source", "observations"),
  text("trace"),
  text("id"),
  started,
  ...said,
];
export const sessionFields: Field[] = ofTraces;
export const userFields: Field[] = [
  text("user", "traces", "user_id"),
  text("env", "traces", "environment", "environment"),
  text("name", "traces"),
  text("model", "observations"),
  failed,
  ...where,
  started,
];
export const dashboardFields: Field[] = [...about("traces"), text("model", "observations"), ...where, started];
export const scoreFields: Field[] = [
  text("env", "scores", "environment", "environment"),
  text("key", "scores", "key_id", "the key that brought it"),
  text("model", "scores"),
  text("type", "scores"),
  text("user", "scores", "user_id"),
  text("session", "scores", "session_id"),
  number("value", "of a number; yes is 1", ">=0.8", "0..0.5"),
  text("source", "scores"),
  text("evaluator", "scores", "evaluator_name"),
  text("author", undefined, "", "who gave it"),
  text("comment"),
  text("trace", "scores", "trace_id"),
  text("observation"),
  started,
];

/** SCORES_ONLY are those that nothing but scores has. */
export const SCORES_ONLY = ["value", "string_value", "source", "evaluator", "author", "comment", "observation"];
