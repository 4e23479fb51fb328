// The address bar is the state: path, and filters as its query.
import { useEffect, useState } from "preact/hooks";
import { inside } from "./base.ts";

export interface Place {
  path: string; // without what a proxy put before it
  query: URLSearchParams;
}

/** Reading is what an address means beyond what stands in it, and how that is written. */
interface Reading {
  read: (path: string, query: URLSearchParams) => URLSearchParams;
  write: (path: string, query: URLSearchParams) => URLSearchParams;
}

let reading: Reading = { read: (_, q) => q, write: (_, q) => q };

function here(): Place {
  const path = inside(location.pathname) ?? location.pathname;
  return { path, query: reading.read(path, new URLSearchParams(location.search)) };
}

let current: Place = here();
let before = ""; // the path and the query of the address that was left last
let back = false; // by the browser's buttons
const listeners = new Set<() => void>();

function changed(): void {
  current = here();
  for (const f of listeners) f();
}

/** readAddressesBy says what addresses mean; what it returns is for when they mean something else. */
export function readAddressesBy(r: Reading): () => void {
  reading = r;
  current = here();
  return changed;
}

/** place is the address as it is now. */
export const place = (): Place => current;

/** cameFrom is where this address was come to from: path and query of the one before, and whether it was by going back. */
export const cameFrom = (): { address: string; back: boolean } => ({ address: before, back });

const address = (): string => location.pathname + location.search;
let latest = address();

function left(byButton: boolean): void {
  before = latest;
  latest = address();
  back = byButton;
}

window.addEventListener("popstate", () => {
  left(true);
  changed();
});

/** navigate goes to an address of this page, as link makes it; replace leaves no step to come back to. */
export function navigate(to: string, replace = false): void {
  if (to === address()) return;
  if (replace) history.replaceState(null, "", to);
  else history.pushState(null, "", to);
  left(false);
  changed();
}

/** setQuery changes parameters of the address: undefined or "" removes one. */
export function setQuery(changes: Record<string, string | string[] | undefined>, replace = false): void {
  const q = new URLSearchParams(current.query);
  for (const [name, value] of Object.entries(changes)) {
    q.delete(name);
    for (const v of Array.isArray(value) ? value : [value]) if (v) q.append(name, v);
  }
  const text = reading.write(current.path, q).toString();
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
