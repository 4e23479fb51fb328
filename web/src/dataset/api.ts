// Datasets and experiments as the server has them: each answer has what was asked for under data.
import { get, type Params, request, seg } from "../api.ts";
import { isObject, Sent } from "../json.ts";
import type {
  ComparedExperiments,
  Dataset,
  DatasetItem,
  DatasetVersion,
  Experiment,
  ExperimentSummary,
  ImportTold,
} from "../types.ts";

/** Rows is a page of a list, and how many there are in all. */
export interface Rows<T> {
  data: T[];
  meta: { pagination: { page: number; limit: number; total: number } };
}

interface One<T> {
  data: T;
}

const at = (id: string, more = "") => `/v1/datasets/${seg(id)}${more}`;

const data = async <T>(asked: Promise<One<T>>): Promise<T> => (await asked).data;

export const listDatasets = (signal?: AbortSignal) => get<Rows<Dataset>>("/v1/datasets", { limit: "1000" }, signal);

export const getDataset = (id: string, signal?: AbortSignal) => data(get<One<Dataset>>(at(id), {}, signal));

export const makeDataset = (name: string, description: string) =>
  data(request<One<Dataset>>("/v1/datasets", { method: "POST", body: { name, description } }));

export const dropDataset = (id: string) => request<void>(at(id), { method: "DELETE" });

export const listItems = (id: string, version: string | null, page: number, signal?: AbortSignal) =>
  get<Rows<DatasetItem>>(
    at(id, "/items"),
    { limit: String(ITEMS), page: String(page), version: version ?? undefined },
    signal,
  );

/** ITEMS is how many items a page of a dataset has. */
export const ITEMS = 50;

/** putItem puts an item, whose members are JSON as texts. */
export const putItem = (id: string, item: Record<string, string | undefined>) => {
  const members = Object.entries(item).flatMap(([name, json]) => (json ? [`${JSON.stringify(name)}:${json}`] : []));
  return data(
    request<One<ImportTold>>(at(id, "/items"), {
      method: "POST",
      text: `{"items":[{${members.join(",")}}]}`,
      type: "application/json",
    }),
  );
};

export const dropItem = (id: string, item: string) =>
  request<void>(at(id, `/items/${seg(item)}`), { method: "DELETE" });

export const listVersions = (id: string, signal?: AbortSignal) =>
  get<Rows<DatasetVersion>>(at(id, "/versions"), {}, signal);

/** exportPath is where the items are as a file. */
export const exportPath = (id: string, version: string | null, format: string) =>
  at(id, `/items/export?format=${format}${version ? `&version=${version}` : ""}`);

export const addTraces = (id: string, traces: string[]) =>
  data(request<One<ImportTold>>(at(id, "/items/from-traces"), { method: "POST", body: { trace_ids: traces } }));

export const addSpan = (id: string, trace: string, span: string) =>
  data(
    request<One<ImportTold>>(at(id, "/items/from-spans"), {
      method: "POST",
      body: { span_ids: [span], trace_id: trace },
    }),
  );

export const listExperiments = (dataset: string, page: number, signal?: AbortSignal) =>
  get<Rows<Experiment>>(
    "/v1/experiments",
    { dataset_id: dataset || undefined, limit: "20", page: String(page) },
    signal,
  );

export const getExperiment = (id: string, signal?: AbortSignal) =>
  data(get<One<ExperimentSummary>>(`/v1/experiments/${seg(id)}`, {}, signal));

export const compareExperiments = (params: Params, signal?: AbortSignal) =>
  data(get<One<ComparedExperiments>>("/v1/experiments/compare", { limit: "50", ...params }, signal));

/** importText sends a file of JSON Lines or CSV. */
export async function importText(id: string, text: string, csv: boolean, fields: string): Promise<ImportTold> {
  const path = at(id, `/items/import${fields ? `?columns=${encodeURIComponent(fields)}` : ""}`);
  const type = csv ? "text/csv" : "application/x-ndjson";
  return data(request<One<ImportTold>>(path, { method: "POST", text, type }));
}

/** written is a value for people: a text as it is, else JSON. */
export function written(v: Sent | unknown, space = 0): string {
  if (v === undefined || v === null) return "";
  if (!(v instanceof Sent)) return typeof v === "string" ? v : JSON.stringify(v, null, space);
  if (typeof v.value === "string") return v.value;
  return space > 0 && isObject(v.value) ? pretty(v.text, space) : v.text;
}

// pretty is JSON over several lines, where nothing of it is lost by that.
function pretty(text: string, space: number): string {
  const read = JSON.parse(text) as unknown;
  return JSON.stringify(read) === text ? JSON.stringify(read, null, space) : text;
}

/** toldOf says in a line what became of what was added. */
export function toldOf(t: ImportTold): string {
  const parts = [`${t.created} added`];
  if (t.updated > 0) parts.push(`${t.updated} changed`);
  if (t.skipped > 0) parts.push(`${t.skipped} there already`);
  if (t.failed > 0) parts.push(`${t.failed} not taken`);
  return `${parts.join(", ")}.`;
}
