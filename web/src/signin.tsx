import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { signIn } from "./session.ts";
import type { Session } from "./types.ts";
import { Mark } from "./ui/mark.tsx";

interface Props {
  why?: string; // why the person is asked again
  onSignedIn: (s: Session) => void;
}

/** SignIn takes a key once; what stays is a cookie that no script can read. */
export function SignIn({ why, onSignedIn }: Props): JSX.Element {
  const [error, setError] = useState(why ?? "");
  const [busy, setBusy] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    document.title = "Sign in · Brokle";
    field.current?.focus();
  }, []);
  const submit = async (e: Event) => {
    e.preventDefault();
    const key = field.current?.value.trim() ?? "";
    if (!key) return;
    setBusy(true);
    try {
      onSignedIn(await signIn({ key }));
    } catch (err) {
      setError((err as Error).message);
      setBusy(false);
      field.current?.select();
    }
  };
  return (
    <main class="signin">
      <form class="card signin-card" onSubmit={submit}>
        <Mark />
        <h1>Sign in</h1>
        <label for="key">API key</label>
        <input
          id="key"
          ref={field}
          type="password"
          autocomplete="current-password"
          spellcheck={false}
          placeholder="bk_…"
          aria-describedby="key-help"
          aria-invalid={error !== ""}
        />
        {error && (
          <p class="field-error" role="alert">
            {error}
          </p>
        )}
        <button type="submit" class="button primary" disabled={busy}>
          {busy ? "Signing in…" : "Sign in"}
        </button>
        <p id="key-help" class="muted small">
          A key with the scope <code>read</code>. <code>brokle keys create</code> makes one; <code>brokle open</code>{" "}
          prints a link that signs in without typing it.
        </p>
      </form>
    </main>
  );
}
