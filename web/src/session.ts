// Who is signed in. The cookie is out of this page's reach (HttpOnly): the
// server says whose it is.
import { request } from "./api.ts";
import { link } from "./base.ts";
import type { Session } from "./types.ts";

/** currentSession is the session of the cookie, or null. It does not go through the "session ended" path. */
export async function currentSession(): Promise<Session | null> {
  const token = takeToken();
  if (token) return signIn({ token });
  const res = await fetch(link("/v1/session"), { credentials: "same-origin" });
  if (res.status === 204) return null;
  if (!res.ok) throw new Error(`The server answered ${res.status} to the question who is signed in.`);
  return (await res.json()) as Session;
}

export function signIn(with_: { key: string } | { token: string }): Promise<Session> {
  return request<Session>("/v1/session", { method: "POST", body: with_ });
}

export function signOut(): Promise<void> {
  return request<void>("/v1/session", { method: "DELETE" });
}

/** takeToken reads a one-time link's token and removes it from the address and the history. */
function takeToken(): string | null {
  const found = /^#token=([\w-]+)$/.exec(location.hash);
  if (!found) return null;
  history.replaceState(null, "", location.pathname + location.search);
  return found[1] ?? null;
}
