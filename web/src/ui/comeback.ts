// Who comes back to a list finds it where it was left: the same row in the same place, with the focus on it.
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { cameFrom } from "../router.ts";
import { type Left, leaveList, leftAt } from "../visited.ts";
import type { Paged } from "./paged.ts";
import type { Rows } from "./rows.ts";

interface Listed<T> {
  list: Paged<T>;
  height: number; // of a row
  view: Rows<T>;
  keyOf: (row: T) => string;
  href: (row: T) => string;
  at: { current: { at: number; begun: boolean } }; // the row that has the focus, once one had it
  activate: (at: number) => void;
}

const here = (): string => location.pathname + location.search;
const path = (address: string): string => address.split("?")[0]!;

// wanted is how to find the list again: after going back, and from a page that is below it.
function wanted(): Left | undefined {
  const from = cameFrom();
  return from.back || path(from.address).split("/").length > location.pathname.split("/").length
    ? leftAt(here())
    : undefined;
}

/** Seen is what of the rows is in view: known while the list is drawn, and not any more when it goes. */
interface Seen {
  top: number;
  height: number;
}

function leaving<T>({ list, height, keyOf, at }: Listed<T>, seen: Seen): Left | undefined {
  const { top } = seen;
  const { at: active, begun } = at.current;
  const focus = begun && (active + 1) * height > top && active * height < top + seen.height;
  const place = focus ? active : Math.ceil(top / height);
  const row = list.rows[place];
  return row && { key: keyOf(row), focus, offset: place * height - top, rows: list.rows.length };
}

/** useComeBack keeps how a list is left, and brings it back. What a person does meanwhile counts more. */
export function useComeBack<T>(listed: Listed<T>): void {
  const { list, height, view } = listed;
  const latest = useRef(listed);
  latest.current = listed;
  const address = useRef("");
  const seen = useRef<Seen>({ top: 0, height: 0 });
  const goal = useRef<Left | undefined>(undefined);
  const begun = useRef(false);
  if (!begun.current) {
    begun.current = true;
    goal.current = wanted();
  }
  useLayoutEffect(() => {
    address.current = here(); // at once: with a later effect it could be the next one's
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: what scrolls is the same element all along
  useEffect(() => {
    const since = performance.now();
    const give = (e: Event) => {
      if (e.timeStamp > since) goal.current = undefined; // the key that led here is still on its way
    };
    const box = view.box.current;
    const look = () => {
      seen.current = { top: box?.scrollTop ?? 0, height: box?.clientHeight ?? 0 };
    };
    look();
    box?.addEventListener("scroll", look, { passive: true });
    const acts = ["pointerdown", "wheel", "keydown", "touchstart"] as const;
    for (const act of acts) addEventListener(act, give, { passive: true });
    return () => {
      for (const act of acts) removeEventListener(act, give);
      box?.removeEventListener("scroll", look);
      const how = leaving(latest.current, seen.current);
      if (how) leaveList(address.current, how);
    };
  }, []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: looked for in the rows as they come
  useLayoutEffect(() => {
    const to = goal.current;
    if (!to || !list.loaded || list.rows.length === 0) return;
    const { keyOf, href, activate } = latest.current;
    const from = path(cameFrom().address);
    // The row of the page that was left: who walks from trace to trace comes back to the last of them.
    const left = list.rows.findIndex(r => path(href(r)) === from);
    const same = list.rows.findIndex(r => keyOf(r) === to.key);
    const at = same >= 0 && path(href(list.rows[same]!)) === from ? same : left >= 0 ? left : same;
    if (at >= 0) {
      goal.current = undefined;
      const box = view.box.current;
      if (box) {
        box.scrollTop = at * height - Math.min(Math.max(0, to.offset), box.clientHeight - 2 * height);
        view.look();
      }
      if (to.focus || at === left) {
        activate(at);
        view.focus(at);
      }
    } else if (list.end || list.rows.length >= to.rows + 100) goal.current = undefined;
    else list.more();
  }, [list.rows, list.loaded]);
}
