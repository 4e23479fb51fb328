import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { get } from "../api.ts";
import { onTheme, setTheme, storedTheme } from "../theme.ts";
import { themes } from "../themes.ts";
import type { Page, Project, Session } from "../types.ts";
import { Copy, Failure, PageHead, Spinner, Time } from "../ui/bits.tsx";
import { Icon } from "../ui/icon.tsx";
import { useLoad } from "../ui/load.ts";
import { AgentSettings } from "./agentsettings.tsx";
import { Definitions } from "./definitions.tsx";
import { KeySettings } from "./keysettings.tsx";

interface Props {
  session: Session;
  leave: () => void; // signs out
}

/** SettingsPage has the project, its keys, and what this browser shows. */
export function SettingsPage({ session, leave }: Props): JSX.Element {
  const admin = session.scopes.includes("admin");
  return (
    <div class="page settings">
      <PageHead title="Settings" />
      <section aria-labelledby="settings-project">
        <h2 id="settings-project">Project</h2>
        <div class="card settings-card">
          {admin ? <Projects session={session} /> : <ProjectName name={session.project} />}
          <p class="muted small">
            A key belongs to one project and sees nothing of another. On the server, <code>brokle keys create</code>{" "}
            makes a key for a new project.
          </p>
        </div>
      </section>
      <section aria-labelledby="settings-keys">
        <h2 id="settings-keys">API keys</h2>
        {admin ? <KeySettings session={session} /> : <NoAdmin session={session} />}
      </section>
      <section aria-labelledby="settings-agents">
        <h2 id="settings-agents">Coding agents</h2>
        <AgentSettings />
      </section>
      <section aria-labelledby="settings-definitions">
        <h2 id="settings-definitions">Score definitions</h2>
        <Definitions admin={admin} />
      </section>
      <section aria-labelledby="settings-look">
        <h2 id="settings-look">Appearance</h2>
        <Look />
      </section>
      <section aria-labelledby="settings-session">
        <h2 id="settings-session">This session</h2>
        <div class="card settings-card">
          <dl class="facts">
            <dt>Key</dt>
            <dd>
              {session.key_name || "no name"}{" "}
              <Copy text={session.key_id} label="Copy the key's id">
                <code>{session.key_id}</code>
              </Copy>
            </dd>
            <dt>Scopes</dt>
            <dd>{session.scopes.join(", ")}</dd>
            <dt>Ends</dt>
            <dd>
              <Time at={session.expires_at} long /> or later: twelve hours after the last request
            </dd>
          </dl>
          <p class="actions">
            <button type="button" class="button" onClick={leave}>
              <Icon name="out" /> Sign out
            </button>
          </p>
        </div>
      </section>
    </div>
  );
}

function ProjectName({ name }: { name: string }): JSX.Element {
  return (
    <p class="settings-project">
      <strong>{name}</strong>
    </p>
  );
}

function Projects({ session }: { session: Session }): JSX.Element {
  const { data, error, reload } = useLoad(signal => get<Page<Project>>("/v1/projects", {}, signal), []);
  if (error) return <Failure error={error} again={reload} />;
  if (!data) return <Spinner />;
  const names = data.data.map(p => p.name);
  return (
    <>
      {(names.length > 0 ? names : [session.project]).map(name => (
        <ProjectName key={name} name={name} />
      ))}
    </>
  );
}

function NoAdmin({ session }: { session: Session }): JSX.Element {
  return (
    <div class="notice">
      <Icon name="settings" />
      <span>
        This key may not manage keys: it has {session.scopes.length === 1 ? "the scope" : "the scopes"}{" "}
        <strong>{session.scopes.join(", ")}</strong>, and that needs <strong>admin</strong>. Sign in with a key that has
        it, or run <code>brokle keys create --scope admin</code> on the server.
      </span>
    </div>
  );
}

function Look(): JSX.Element {
  const [chosen, set] = useState(storedTheme());
  useEffect(() => onTheme(() => set(storedTheme())), []);
  return (
    <fieldset class="card settings-card settings-themes">
      <legend class="visually-hidden">Theme</legend>
      {themes.map(t => (
        <label key={t.value}>
          <input type="radio" name="theme" checked={t.value === chosen} onChange={() => setTheme(t.value)} />
          <Icon name={t.icon} /> {t.title}
        </label>
      ))}
    </fieldset>
  );
}
