// What a text that somebody typed or pasted may mean: an address, an id, the beginning of a session's or a user's.
import { get, seg } from "../api.ts";
import { link } from "../base.ts";
import { quoted } from "../terms.ts";
import type { Observation, Page, Score, SessionSummary, TraceSummary, UserSummary } from "../types.ts";

/** Place is somewhere to go. */
export interface Place {
  kind: string; // what it is
  title: string;
  says?: string; // beside the title
  href: string;
}

/** addressIn is the path of this page in a text that is an address of it; undefined when it is none. */
export function addressIn(text: string, origin: string, base: string): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  if (url.origin !== origin || !(url.pathname === base || url.pathname.startsWith(`${base}/`))) return undefined;
  return url.pathname + url.search;
}

/** matches says whether each word of a text begins a word of a title. */
export function matches(title: string, text: string): boolean {
  const words = title.toLowerCase().split(/[\s/:,.-]+/);
  return text
    .toLowerCase()
    .split(/\s+/)
    .every(w => words.some(x => x.startsWith(w)));
}

const FEW = "5";

/** find looks a text up: what has it as its id, and sessions and users that begin with it. found hears of each as it comes. */
export async function find(text: string, found: (places: Place[]) => void, signal: AbortSignal): Promise<void> {
  const is = quoted(text);
  const ask = async <T>(path: string, filter: string, place: (row: T) => Place) => {
    const { data } = await get<Page<T>>(path, { filter, limit: FEW }, signal);
    if (!signal.aborted) found(data.map(place));
  };
  const asked = [
    () =>
      ask<TraceSummary>("/v1/traces", `id:${is}`, t => ({
        kind: "Trace",
        title: t.name || t.id,
        says: t.id,
        href: link(`/traces/${seg(t.id)}`),
      })),
    () =>
      ask<Observation>("/v1/observations", `id:${is}`, o => ({
        kind: "Observation",
        title: o.name || o.id,
        says: o.id,
        href: link(`/traces/${seg(o.trace_id)}?observation=${seg(o.id)}`),
      })),
    () =>
      ask<UserSummary>("/v1/users", `user:${is}*`, u => ({
        kind: "User",
        title: u.id,
        href: link(`/users/${seg(u.id)}`),
      })),
    () =>
      ask<SessionSummary>("/v1/sessions", `session:${is}*`, s => ({
        kind: "Session",
        title: s.id,
        href: link(`/sessions/${seg(s.id)}`),
      })),
    () =>
      ask<Score>("/v1/scores", `id:${is}`, s => ({
        kind: "Score",
        title: s.name,
        says: s.id,
        href: link(
          s.trace_id
            ? `/traces/${seg(s.trace_id)}${s.observation_id ? `?observation=${seg(s.observation_id)}` : ""}`
            : `/scores?name=${seg(s.name)}&range=all`,
        ),
      })),
  ];
  // Two at a time: on a small machine all at once take longer for each.
  let first: unknown;
  const next = async (): Promise<void> => {
    for (let f = asked.shift(); f && !signal.aborted; f = asked.shift()) {
      await f().catch(e => {
        first ??= e;
      });
    }
  };
  await Promise.all([next(), next()]);
  if (first && !signal.aborted) throw first;
}
