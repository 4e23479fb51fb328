import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { away, onUnauthorized } from "./api.ts";
import { Keys } from "./keys.tsx";
import { currentSession, holdsToken } from "./session.ts";
import { Shell } from "./shell.tsx";
import { SignIn } from "./signin.tsx";
import type { Session } from "./types.ts";
import { useAgain } from "./ui/again.ts";
import { Failure } from "./ui/bits.tsx";

type State =
  | { at: "asking" }
  | { at: "out"; why?: string }
  | { at: "in"; session: Session }
  | { at: "failed"; error: Error };

/** App shows the pages to who is signed in, and the sign-in to who is not. */
export function App(): JSX.Element {
  const [state, set] = useState<State>({ at: "asking" });
  const ask = () => {
    currentSession().then(
      session => set(session ? { at: "in", session } : { at: "out" }),
      (error: Error) =>
        set(
          !away(error) && error.message.includes("link") ? { at: "out", why: error.message } : { at: "failed", error },
        ),
    );
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: asked once, when the page opens
  useEffect(() => {
    onUnauthorized(() =>
      set(s =>
        s.at === "in" ? { at: "out", why: "The session has ended: the key was revoked, or twelve hours passed." } : s,
      ),
    );
    ask();
    // A link that signs in, put into the address of the page that is open, changes nothing but what follows the #.
    const linked = () => {
      if (holdsToken()) ask();
    };
    addEventListener("hashchange", linked);
    return () => removeEventListener("hashchange", linked);
  }, []);
  useAgain(state.at === "failed" ? state.error : undefined, state.at === "asking", ask);
  switch (state.at) {
    case "asking":
      return <div class="blank" />;
    case "failed":
      return (
        <div class="blank">
          <Failure error={state.error} again={ask} />
        </div>
      );
    case "out":
      return <SignIn {...(state.why ? { why: state.why } : {})} onSignedIn={session => set({ at: "in", session })} />;
    case "in":
      return (
        <>
          <Shell session={state.session} onSignedOut={() => set({ at: "out" })} />
          <Keys />
        </>
      );
  }
}
