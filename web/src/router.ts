// The address bar is the state: path, and filters as its query.
import { useEffect, useState } from "preact/hooks";
import { inside } from "./base.ts";

export interface Place {
  path: string; // without what a proxy put before it
  query: URLSearchParams;
}

function here(): Place {
  return { path: inside(location.pathname) ?? location.pathname, query: new URLSearchParams(location.search) };
}

let current: Place = here();
const listeners = new Set<() => void>();

function changed(): void {
  current = here();
  for (const f of listeners) f();
}

window.addEventListener("popstate", changed);

/** navigate goes to an address of this page, as link makes it; replace leaves no step to come back to. */
export function navigate(to: string, replace = false): void {
  if (to === location.pathname + location.search) return;
  if (replace) history.replaceState(null, "", to);
  else history.pushState(null, "", to);
  changed();
}

/** setQuery changes parameters of the address: undefined or "" removes one. */
export function setQuery(changes: Record<string, string | string[] | undefined>, replace = false): void {
  const q = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(changes)) {
    q.delete(name);
    for (const v of Array.isArray(value) ? value : [value]) if (v) q.append(name, v);
  }
  const text = q.toString();
  navigate(location.pathname + (text ? `?${text}` : ""), replace);
}

/** usePlace renders again whenever the address changes. */
export function usePlace(): Place {
  const [place, set] = useState(current);
  useEffect(() => {
    const f = () => set(current);
    listeners.add(f);
    f();
    return () => {
      listeners.delete(f);
    };
  }, []);
  return place;
}

/**
 * followLinks makes plain clicks on links to this page change the address
 * instead of loading it again. Modified clicks and downloads stay the browser's.
 */
export function followLinks(root: HTMLElement): void {
  root.addEventListener("click", e => {
    if (e.defaultPrevented || e.button !== 0 || e.metaKey || e.ctrlKey || e.shiftKey || e.altKey) return;
    const a = (e.target as Element).closest("a");
    if (!a || a.target || a.hasAttribute("download") || a.origin !== location.origin || a.hash) return;
    if (inside(a.pathname) === undefined) return;
    e.preventDefault();
    navigate(a.pathname + a.search);
  });
}

/** decode reads one segment of a path; what is not well encoded is taken as it stands. */
export function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
