import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { get, request, seg } from "../api.ts";
import type { ApiKey, Page, Session } from "../types.ts";
import { Copy, Failure, Spinner, Time } from "../ui/bits.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { Icon } from "../ui/icon.tsx";
import { useLoad } from "../ui/load.ts";
import { CreateKey, type MadeKey } from "./keycreate.tsx";

/** KeySettings lists the project's keys, makes new ones and revokes old ones. */
export function KeySettings({ session }: { session: Session }): JSX.Element {
  const { data, error, reload } = useLoad(signal => get<Page<ApiKey>>("/v1/keys", {}, signal), []);
  const [creating, setCreating] = useState(false);
  const [made, setMade] = useState<MadeKey | null>(null);
  const [leaving, setLeaving] = useState<ApiKey | null>(null);
  if (error && !data) return <Failure error={error} again={reload} />;
  if (!data) return <Spinner />;
  const revokedLast = (k: ApiKey) => (k.revoked_at ? 1 : 0);
  const keys = [...data.data].sort(
    (a, b) => revokedLast(a) - revokedLast(b) || b.created_at.localeCompare(a.created_at),
  );
  return (
    <>
      {error && <Failure error={error} again={reload} />}
      <ul class="card key-list">
        {keys.map(k => (
          <KeyRow key={k.id} k={k} own={k.id === session.key_id} revoke={() => setLeaving(k)} />
        ))}
      </ul>
      <p class="actions">
        <button type="button" class="button primary" onClick={() => setCreating(true)}>
          <Icon name="plus" /> Create a key
        </button>
      </p>
      {creating && (
        <CreateKey
          onClose={() => setCreating(false)}
          onMade={k => {
            setCreating(false);
            setMade(k);
            reload();
          }}
        />
      )}
      {made && <Secret made={made} onClose={() => setMade(null)} />}
      {leaving && (
        <Revoke
          k={leaving}
          own={leaving.id === session.key_id}
          onClose={() => setLeaving(null)}
          onDone={() => {
            setLeaving(null);
            reload();
          }}
        />
      )}
    </>
  );
}

interface RowProps {
  k: ApiKey;
  own: boolean;
  revoke: () => void;
}

function KeyRow({ k, own, revoke }: RowProps): JSX.Element {
  const name = k.name || "no name";
  return (
    <li class={k.revoked_at ? "key-row key-revoked" : "key-row"}>
      <div class="key-name">
        <strong class="ellipsis">{name}</strong>
        {own && <span class="badge badge-ok">signed in with it</span>}
        {k.revoked_at && <span class="badge badge-error">revoked</span>}
      </div>
      <code class="key-mask">{masked(k.prefix)}</code>
      <span class="key-scopes">
        {k.scopes.map(s => (
          <span key={s} class="badge">
            {s}
          </span>
        ))}
      </span>
      <span class="muted small key-times">
        <span>
          created <Time at={k.created_at} />
        </span>
        {k.revoked_at && (
          <span>
            revoked <Time at={k.revoked_at} />
          </span>
        )}
      </span>
      {!k.revoked_at && (
        <button type="button" class="button" aria-label={`Revoke ${name}`} onClick={revoke}>
          Revoke
        </button>
      )}
    </li>
  );
}

// masked shows the beginning of a key; the rest of it nobody has but its owner.
const masked = (prefix: string): string => `${prefix.startsWith("bk_") ? prefix : `bk_${prefix}`}…`.replace(/…+$/, "…");

function Secret({ made, onClose }: { made: MadeKey; onClose: () => void }): JSX.Element {
  return (
    <Dialog title="The key is made" onClose={onClose}>
      <p>
        Copy it now. The server keeps only its hash, so <strong>it is not shown again</strong>.
      </p>
      <div class="code-block key-secret">
        <code>{made.key}</code>
        <Copy text={made.key} label="Copy the key" />
      </div>
      <p class="muted small">
        Give it to the application as <code>BROKLE_API_KEY</code>.
      </p>
      <p class="actions">
        <button type="button" class="button primary" onClick={onClose}>
          I have it
        </button>
      </p>
    </Dialog>
  );
}

interface RevokeProps {
  k: ApiKey;
  own: boolean;
  onClose: () => void;
  onDone: () => void;
}

function Revoke({ k, own, onClose, onDone }: RevokeProps): JSX.Element {
  const [error, setError] = useState<Error | null>(null);
  const [busy, setBusy] = useState(false);
  const revoke = async () => {
    setBusy(true);
    try {
      await request<void>(`/v1/keys/${seg(k.id)}`, { method: "DELETE" });
      onDone();
    } catch (e) {
      setError(e as Error);
      setBusy(false);
    }
  };
  return (
    <Dialog title={`Revoke ${k.name || masked(k.prefix)}?`} onClose={onClose}>
      <p>
        Whoever uses <code>{masked(k.prefix)}</code> is refused from the next second on. This cannot be undone. What was
        sent with it stays.
      </p>
      {own && (
        <p class="notice notice-error">
          <Icon name="error" />
          <span>You are signed in with this key: revoking it ends this session, too.</span>
        </p>
      )}
      {error && <Failure error={error} />}
      <p class="actions">
        <button type="button" class="button danger" disabled={busy} onClick={() => void revoke()}>
          Revoke the key
        </button>
        <button type="button" class="button" onClick={onClose}>
          Keep it
        </button>
      </p>
    </Dialog>
  );
}
