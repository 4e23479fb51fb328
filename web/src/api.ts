// The only way to the server: the public API, with the session's cookie.
import { link } from "./base.ts";
import { answer } from "./json.ts";
import type { Page } from "./types.ts";

/** ApiError is an answer that is not 2xx. code is stable and listed in docs/api.md; status 0 is no answer at all. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly details?: Record<string, unknown>,
  ) {
    super(message);
  }
}

/** away says that an error is of no answer: of none at all, or of a proxy in the server's place. It may be restarting. */
export function away(error: Error | undefined): boolean {
  return error instanceof ApiError && [0, 502, 503, 504].includes(error.status);
}

export type Params = Record<string, string | string[] | undefined>;

/** query writes parameters as "?a=b&c=d", leaving out what is empty. */
export function query(params: Params): string {
  const q = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    for (const v of Array.isArray(value) ? value : [value]) if (v) q.append(name, v);
  }
  const text = q.toString();
  return text ? `?${text}` : "";
}

/** seg writes an id as one segment of a path. */
export const seg = (id: string): string => encodeURIComponent(id);

/** idPath is where something of an id is: one that a path would lose stands in the query. */
export function idPath(path: string, id: string, params: Params = {}): string {
  const lost = id === "." || id === ".." || id === "-" || id.includes("/");
  return lost ? `${path}/-${query({ id, ...params })}` : `${path}/${seg(id)}${query(params)}`;
}

type Unauthorized = () => void;
let unauthorized: Unauthorized = () => {};

/** onUnauthorized sets what happens when the session has ended. */
export function onUnauthorized(f: Unauthorized): void {
  unauthorized = f;
}

interface Options {
  method?: string;
  body?: unknown;
  text?: string; // instead of body: as it is, of the media type
  type?: string;
  signal?: AbortSignal | undefined;
}

/** request sends one request and returns its JSON; undefined for an answer without a body. */
export async function request<T>(path: string, o: Options = {}): Promise<T> {
  const text = await ask(path, o);
  return (text ? answer(text) : undefined) as T;
}

/** ask sends one request and returns the text of its answer. */
export async function ask(path: string, o: Options = {}): Promise<string> {
  const init: RequestInit = { method: o.method ?? "GET", credentials: "same-origin", signal: o.signal ?? null };
  if (o.body !== undefined) {
    init.headers = { "Content-Type": "application/json" };
    init.body = JSON.stringify(o.body);
  }
  if (o.text !== undefined) {
    init.headers = { "Content-Type": o.type ?? "text/plain" };
    init.body = o.text;
  }
  let res: Response;
  let text: string;
  try {
    res = await fetch(link(path), init);
    text = await res.text();
  } catch (e) {
    if (e instanceof DOMException && e.name === "AbortError") throw e;
    throw new ApiError(0, "unreachable", "The server does not answer. It may be restarting.");
  }
  if (!res.ok) throw failure(res.status, text);
  return text;
}

/** bytesAt is what a path has, as bytes; undefined when there is nothing. */
export async function bytesAt(path: string): Promise<Blob | undefined> {
  try {
    const res = await fetch(link(path), { credentials: "same-origin" });
    return res.ok ? await res.blob() : undefined;
  } catch {
    return undefined;
  }
}

function failure(status: number, text: string): ApiError {
  if (status === 401) unauthorized();
  try {
    const { error } = JSON.parse(text) as {
      error: { code: string; message: string; details?: Record<string, unknown> };
    };
    const lines = Array.isArray(error.details)
      ? error.details.filter(x => typeof x === "string" && !error.message.includes(x))
      : [];
    return new ApiError(status, error.code, [error.message, ...lines].join("\n"), error.details);
  } catch {
    return new ApiError(status, "unreadable", `The server answered ${status} and nothing readable.`);
  }
}

export function get<T>(path: string, params: Params = {}, signal?: AbortSignal): Promise<T> {
  return request<T>(path + query(params), { signal });
}

/** pages yields every page of a list, 1000 rows each, until the end. */
export async function* pages<T>(path: string, params: Params, signal?: AbortSignal): AsyncGenerator<T[]> {
  let cursor: string | undefined;
  do {
    const page: Page<T> = await get<Page<T>>(path, { ...params, limit: "1000", cursor }, signal);
    yield page.data;
    cursor = page.next_cursor ?? undefined;
  } while (cursor);
}
