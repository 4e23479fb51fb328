// Small pieces that several pages share.
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { away } from "../api.ts";
import { inside } from "../base.ts";
import { duration, fullTime, shortTime, utc } from "../format.ts";
import { visited } from "../recent.ts";
import type { TraceSummary } from "../types.ts";
import { Icon, type IconName } from "./icon.tsx";

/** Time shows local time; its title is UTC, and the local time in full. */
export function Time({ at, long }: { at: string; long?: boolean }): JSX.Element {
  return (
    <time dateTime={at} title={`${utc(at)}\n${fullTime(at)} here`}>
      {long ? fullTime(at) : shortTime(at)}
    </time>
  );
}

/** Took is a latency: "open" without an end, and "–" with the reason in its title where nobody can know. */
export function Took({ of: x }: { of: Pick<TraceSummary, "end_time" | "latency_ms" | "latency_reason"> }): JSX.Element {
  return <span title={x.latency_reason}>{x.end_time ? duration(x.latency_ms) : "open"}</span>;
}

/** Copy puts a text on the clipboard and says so for a moment. */
export function Copy({
  text,
  label,
  children,
}: {
  text: string;
  label: string;
  children?: ComponentChildren;
}): JSX.Element {
  const [done, set] = useState(false);
  useEffect(() => {
    if (!done) return;
    const t = setTimeout(() => set(false), 1500);
    return () => clearTimeout(t);
  }, [done]);
  return (
    <button
      type="button"
      class={children ? "copy" : "icon-button"}
      title={label}
      aria-label={children ? undefined : label}
      onClick={() => void copyText(text).then(set)}
    >
      {children}
      <Icon name={done ? "check" : "copy"} size={13} />
      <span class="visually-hidden" aria-live="polite">
        {done ? "Copied" : ""}
      </span>
    </button>
  );
}

async function copyText(text: string): Promise<boolean> {
  if (navigator.clipboard) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      // Refused: try the older way below.
    }
  }
  const area = document.createElement("textarea"); // the clipboard API needs TLS or localhost
  area.value = text;
  document.body.append(area);
  area.select();
  const ok = document.execCommand("copy");
  area.remove();
  return ok;
}

/** CsvButton saves a table as CSV. */
export function CsvButton({ of, run }: { of: string; run: () => void }): JSX.Element {
  return (
    <button type="button" class="button quiet" aria-label={`${of} as CSV`} onClick={run}>
      CSV
    </button>
  );
}

/** Failure says what went wrong and offers to try again. */
export function Failure({ error, again }: { error: Error; again?: () => void }): JSX.Element {
  return (
    <div class="notice notice-error" role="alert">
      <Icon name="error" />
      <span>
        {error.message}
        {away(error) && " Asking again…"}
      </span>
      {again && (
        <button type="button" class="button" onClick={again}>
          Try again
        </button>
      )}
    </div>
  );
}

/** PageHead is a page's title and what stands beside it. */
export function PageHead({ title, children }: { title: string; children?: ComponentChildren }): JSX.Element {
  useEffect(() => {
    document.title = `${title} · Brokle`;
    const below = (inside(location.pathname) ?? "").split("/").length > 2;
    if (below) visited(location.pathname, title);
  }, [title]);
  return (
    <header class="page-head">
      <h1>{title}</h1>
      {children}
    </header>
  );
}

/** Empty stands where rows would be. */
export function Empty({
  icon,
  title,
  children,
}: {
  icon: IconName;
  title: string;
  children?: ComponentChildren;
}): JSX.Element {
  return (
    <div class="empty">
      <Icon name={icon} size={28} />
      <h2>{title}</h2>
      {children}
    </div>
  );
}

/** Spinner says that something is on its way, once it takes a moment. */
export function Spinner({ label = "Loading" }: { label?: string }): JSX.Element {
  return (
    <div class="spinner" role="status">
      <span class="visually-hidden">{label}</span>
    </div>
  );
}
