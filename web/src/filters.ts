// The filters of traces: their names are the API's, and the address holds them.
import type { Params } from "./api.ts";

export interface Field {
  name: string; // parameter
  title: string;
  kind: "text" | "number" | "flag" | "score";
  sign?: string; // of a number: ≥ or ≤
  unit?: string;
  suggest?: { of: string; by: string }; // where known values come from: /v1/stats
  choices?: string[];
}

export const traceFields: Field[] = [
  { name: "name", title: "Name", kind: "text", suggest: { of: "traces", by: "name" } },
  { name: "user_id", title: "User", kind: "text", suggest: { of: "traces", by: "user_id" } },
  { name: "session_id", title: "Session", kind: "text", suggest: { of: "traces", by: "session_id" } },
  { name: "environment", title: "Environment", kind: "text", suggest: { of: "traces", by: "environment" } },
  { name: "key_id", title: "Key", kind: "text", suggest: { of: "observations", by: "key_id" } },
  { name: "model", title: "Model", kind: "text", suggest: { of: "observations", by: "model" } },
  { name: "tag", title: "Tag", kind: "text" },
  { name: "level", title: "Level", kind: "text", choices: ["ERROR", "WARN", "INFO", "DEBUG", "DEFAULT"] },
  { name: "has_error", title: "Errors", kind: "flag" },
  { name: "min_latency_ms", title: "Latency", kind: "number", sign: "≥", unit: "ms" },
  { name: "max_latency_ms", title: "Latency", kind: "number", sign: "≤", unit: "ms" },
  { name: "min_cost", title: "Cost", kind: "number", sign: "≥", unit: "$" },
  { name: "score", title: "Score", kind: "score", suggest: { of: "scores", by: "name" } },
];

const named = (...names: string[]): Field[] => names.flatMap(n => traceFields.filter(f => f.name === n));

/** The filters of the other pages: those of traces that their questions take too. */
export const dashboardFields = named("environment", "model", "name", "user_id", "key_id", "tag");
export const sessionFields = named("user_id", "environment", "key_id", "model", "tag", "has_error");
export const userFields = named("environment", "key_id", "model", "tag", "has_error");
export const scoreFields = named("environment", "key_id");

/** Applied is one filter in force. */
export interface Applied {
  field: Field;
  value: string;
}

/** applied reads the filters of an address. Only score may be there more than once. */
export function applied(q: URLSearchParams, fields: Field[]): Applied[] {
  return fields.flatMap(field => {
    const values = q.getAll(field.name).filter(v => v !== "");
    return (field.kind === "score" ? values : values.slice(0, 1)).map(value => ({ field, value }));
  });
}

/** filterParams are the API's parameters for the filters and the text search of an address. */
export function filterParams(q: URLSearchParams, fields: Field[]): Params {
  const params: Params = { q: q.get("q") ?? undefined };
  for (const f of fields) params[f.name] = q.getAll(f.name);
  return params;
}

/** described is a filter as a person says it. */
export function described({ field, value }: Applied): { title: string; value: string } {
  switch (field.kind) {
    case "flag":
      return { title: field.title, value: value === "true" ? "yes" : "none" };
    case "number":
      return {
        title: `${field.title} ${field.sign}`,
        value: field.unit === "$" ? `$${value}` : `${value} ${field.unit}`,
      };
    case "score":
      return { title: field.title, value };
    default:
      return { title: field.title, value };
  }
}
