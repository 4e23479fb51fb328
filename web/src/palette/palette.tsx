import type { JSX } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { seg, query as written } from "../api.ts";
import { base, link } from "../base.ts";
import { recent } from "../recent.ts";
import { navigate } from "../router.ts";
import { views as pages } from "../routes.tsx";
import { useViews } from "../saved/views.ts";
import { Failure } from "../ui/bits.tsx";
import { addressIn, find, matches, type Place } from "./find.ts";

const SOON = 150; // ms after a key
const LONGEST = 400; // characters that an id may have, to be looked up

/** Palette goes anywhere by what is typed: a page, a view, an id, a user, a session. */
export function Palette({ onClose }: { onClose: () => void }): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const [text, type] = useState("");
  const [active, setActive] = useState(0);
  const chosen = useRef(0); // active, at once: keys come faster than renders
  const move = (to: number) => {
    chosen.current = to;
    setActive(to);
  };
  const id = useId();
  const { places, busy, error } = usePlaces(text.trim());
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another one is chosen, and may be out of sight
  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
  }, [active]);
  const go = (p: Place | undefined) => {
    if (!p) return;
    dialog.current?.close();
    navigate(p.href);
  };
  const onKey = (e: KeyboardEvent) => {
    const n = places.length;
    const at = Math.min(chosen.current, n - 1);
    if (e.key === "Enter") go(places[Math.max(0, at)]);
    else if (e.key === "ArrowDown" && n > 0) move((at + 1) % n);
    else if (e.key === "ArrowUp" && n > 0) move((at - 1 + n) % n);
    else return;
    e.preventDefault();
  };
  const now = Math.min(active, places.length - 1);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: a click beside the dialog is a convenience; Escape is the browser's
    <dialog
      ref={dialog}
      class="dialog palette"
      aria-label="Go to"
      onClose={onClose}
      onClick={e => {
        if (e.target === dialog.current) dialog.current?.close();
      }}
    >
      <input
        type="text"
        role="combobox"
        aria-label="Go to a page, an id, a user or a session"
        aria-expanded={places.length > 0}
        aria-controls={`${id}-list`}
        aria-autocomplete="list"
        aria-activedescendant={now >= 0 ? `${id}-${now}` : undefined}
        placeholder="An id, a page, a user, a session"
        value={text}
        spellcheck={false}
        autocomplete="off"
        autocapitalize="off"
        onInput={e => {
          type(e.currentTarget.value);
          move(0);
        }}
        onKeyDown={onKey}
      />
      <div class="palette-list" id={`${id}-list`} role="listbox" aria-label="Places" ref={list}>
        {places.map((p, i) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the input has the focus, and its keys choose
          <div
            key={`${p.kind} ${p.href}`}
            id={`${id}-${i}`}
            class="item"
            role="option"
            tabIndex={-1}
            aria-selected={i === now}
            onPointerDown={e => e.preventDefault()}
            onClick={() => go(p)}
          >
            <span class="palette-kind muted">{p.kind}</span>
            <span class="ellipsis">{p.title}</span>
            {p.says && p.says !== p.title && <code class="ellipsis muted">{p.says}</code>}
          </div>
        ))}
      </div>
      {error && <Failure error={error} />}
      <p class="palette-said muted small" role="status">
        {busy ? "Looking…" : places.length === 0 ? "Nothing of that name, and nothing with that id." : ""}
      </p>
    </dialog>
  );
}

/** usePlaces are those that a text may mean: what this page knows at once, and what the server finds after a moment. */
function usePlaces(text: string): { places: Place[]; busy: boolean; error: Error | null } {
  const { views } = useViews(true);
  const [found, set] = useState<{ of: string; places: Place[]; busy: boolean; error: Error | null }>({
    of: "",
    places: [],
    busy: false,
    error: null,
  });
  useEffect(() => {
    if (text === "" || text.length > LONGEST) return;
    const abort = new AbortController();
    const timer = setTimeout(() => {
      set({ of: text, places: [], busy: true, error: null });
      const more = (places: Place[]) => set(was => ({ ...was, places: [...was.places, ...places] }));
      find(text, more, abort.signal).then(
        () => abort.signal.aborted || set(was => ({ ...was, busy: false })),
        error => abort.signal.aborted || set(was => ({ ...was, busy: false, error: error as Error })),
      );
    }, SOON);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [text]);
  const known: Place[] = [
    ...recent().map(v => ({ kind: "Recent", title: v.title, href: v.path })),
    ...pages.flatMap(p => (p.nav ? [{ kind: "Page", title: p.nav.title, href: link(p.path) }] : [])),
    ...(views ?? []).map(v => ({
      kind: "View",
      title: v.name,
      says: v.page,
      href: link(`/${v.page}${written({ view: v.name })}`),
    })),
  ];
  if (text === "") return { places: known.filter(p => p.kind !== "View"), busy: false, error: null };
  const address = addressIn(text, location.origin, base);
  const here = found.of === text;
  const places = [
    ...(address ? [{ kind: "Address", title: address, href: address }] : []),
    ...known.filter(p => matches(p.title, text)),
    ...(here ? found.places : []),
    ...(/\s/.test(text) || address
      ? []
      : [{ kind: "Event", title: text, says: "its receipt", href: link(`/ingest?event=${seg(text)}`) }]),
  ];
  const seen = new Set<string>();
  const once = places.filter(p => !seen.has(p.href) && seen.add(p.href));
  return { places: once, busy: text.length <= LONGEST && (!here || found.busy), error: here ? found.error : null };
}
