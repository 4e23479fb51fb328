// Who is signed in. The cookie is out of this page's reach (HttpOnly): the
// server says whose it is.
import { away, request } from "./api.ts";
import type { Session } from "./types.ts";

/** currentSession is the session of the link in the address, else of the cookie, or null. */
export async function currentSession(): Promise<Session | null> {
  const token = TOKEN.exec(location.hash)?.[1];
  if (!token) return (await request<Session | undefined>("/v1/session")) ?? null;
  try {
    const session = await signIn({ token });
    forgetToken();
    return session;
  } catch (e) {
    if (!away(e as Error)) forgetToken();
    throw e;
  }
}

export function signIn(with_: { key: string } | { token: string }): Promise<Session> {
  return request<Session>("/v1/session", { method: "POST", body: with_ });
}

export function signOut(): Promise<void> {
  return request<void>("/v1/session", { method: "DELETE" });
}

const TOKEN = /^#token=([\w-]+)$/;

/** holdsToken says that the address is that of a link that signs in. */
export const holdsToken = (): boolean => TOKEN.test(location.hash);

// forgetToken removes the token of a link, which signs in once, from the address and the history.
function forgetToken(): void {
  history.replaceState(null, "", location.pathname + location.search);
}
