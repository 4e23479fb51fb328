// Who is signed in, for what is deep in a page.
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Session } from "./types.ts";

const nobody: Session = { project: "", key_id: "", key_name: "", scopes: [], expires_at: "" };

export const SignedIn = createContext<Session>(nobody);

/** useSession is who is signed in. */
export const useSession = (): Session => useContext(SignedIn);

/** may says whether the session's key has a scope. */
export const may = (s: Session, scope: "ingest" | "read" | "admin"): boolean => s.scopes.includes(scope);
