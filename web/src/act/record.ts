// What a person says of a trace in the page: events as any other, with who said it.
import { pages, request, seg } from "../api.ts";
import type { Sent } from "../json.ts";
import type { Score, Session, Trace } from "../types.ts";

/** About is a trace, or an observation in it. */
export interface About {
  trace: Trace;
  observation: string; // "": the trace itself
}

/** Note is a comment, or an output as it should have been. */
export interface Note {
  id: string;
  kind: "comment" | "correction";
  observation: string;
  text: string;
  author: string;
  at: string;
}

type Payload = Record<string, unknown>;

/** author is who is signed in, as events name them. */
export const author = (s: Session): string => s.key_name || s.key_id;

// record sends one event, and ends when it is stored.
async function record(about: About, type: string, payload: Payload): Promise<void> {
  const event = { event_id: newID(), event_type: type, payload };
  const answer = await request<{ failed_events: number; errors?: { error: string; details?: string }[] }>(
    "/v1/ingest/batch",
    { method: "POST", body: { environment: about.trace.environment || undefined, events: [event] } },
  );
  const [failed] = answer.errors ?? [];
  if (answer.failed_events > 0) throw new Error(failed?.details || failed?.error || "The server refused it.");
}

// newID is 128 random bits: crypto.randomUUID is there with TLS only.
function newID(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map(b => b.toString(16).padStart(2, "0")).join("");
}

export type ScoreValue = number | boolean | string;

/** mine is the score of this name that the person has given already; the newest, if there are several. */
export function mine(about: About, name: string, who: string): Score | undefined {
  return about.trace.score_list
    .filter(s => s.name === name && s.observation_id === about.observation && s.author_user_id === who)
    .sort((a, b) => (a.timestamp < b.timestamp ? 1 : -1))[0];
}

/** giveScore gives a score, or changes the one that the person has given. */
export function giveScore(
  about: About,
  name: string,
  dataType: string,
  value: ScoreValue,
  who: string,
  comment?: string,
): Promise<void> {
  const before = mine(about, name, who);
  return record(about, before ? "quality_score_update" : "quality_score_create", {
    id: before?.id ?? newID(),
    trace_id: about.trace.id,
    observation_id: about.observation || undefined,
    name,
    data_type: dataType,
    ...(dataType === "CATEGORICAL" ? { string_value: value } : { value: Number(value) }),
    source: "HUMAN",
    author_user_id: who,
    ...(comment === undefined ? {} : { comment }),
  });
}

export function setTags(trace: Trace, tags: string[]): Promise<void> {
  return record(
    { trace, observation: "" },
    "trace_update",
    tags.length > 0 ? { id: trace.id, tags } : { id: trace.id, clear: ["tags"] },
  );
}

export function addNote(about: About, kind: Note["kind"], text: string, who: string): Promise<void> {
  return record(about, "event_create", {
    type: kind,
    name: kind,
    trace_id: about.trace.id,
    observation_id: about.observation || undefined,
    text,
    author: who,
  });
}

interface Stored {
  event_id: string;
  timestamp: string;
  payload: Sent | null;
}

/** notesOf reads what people noted of a trace, oldest first. */
export async function notesOf(trace: string, signal: AbortSignal): Promise<Note[]> {
  const found: Note[] = [];
  const params = { trace_id: trace, event_type: "event_create" };
  for await (const page of pages<Stored>("/v1/telemetry/events", params, signal)) {
    for (const e of page) {
      const p = e.payload?.value as Payload | undefined;
      if ((p?.type !== "comment" && p?.type !== "correction") || typeof p.text !== "string") continue;
      found.push({
        id: e.event_id,
        kind: p.type,
        observation: typeof p.observation_id === "string" ? p.observation_id : "",
        text: p.text,
        author: typeof p.author === "string" ? p.author : "",
        at: e.timestamp,
      });
    }
  }
  return found.sort((a, b) => (a.at < b.at ? -1 : 1));
}

/** definitionPath is where a score definition of this name is. */
export const definitionPath = (name: string): string => named("/v1/score-definitions", name);

/** named is the path of something that is saved: a name that a path would lose stands in the query. */
export function named(path: string, name: string): string {
  return name === "." || name === ".." || name === "-" || name.includes("/")
    ? `${path}/-?id=${seg(name)}`
    : `${path}/${seg(name)}`;
}
