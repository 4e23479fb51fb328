// Marks the words that were looked for where they stand, by ranges that the browser draws (W3C CSS Custom Highlight API): nothing
// of what is shown is changed for it. A browser without them marks nothing.
import type { RefObject } from "preact";
import { useEffect } from "preact/hooks";
import { placesOf, wordsOf } from "../fold.ts";

const NAME = "found"; // as the style calls it
const MOST = 2000;

/** useMarks marks the words of find in an element, whatever comes into it, and scrolls to the first when find, or what is shown, is another. */
export function useMarks(root: RefObject<HTMLElement | null>, find: string, shown: string): void {
  // biome-ignore lint/correctness/useExhaustiveDependencies: shown says that the element has something else in it
  useEffect(() => {
    const el = root.current;
    const words = wordsOf(find);
    if (!el || words.size === 0 || !("highlights" in CSS)) return;
    let scrolled = false;
    let frame = 0;
    const mark = () => {
      frame = 0;
      const ranges = rangesIn(el, words);
      CSS.highlights.set(NAME, new Highlight(...ranges));
      if (!ranges[0] || scrolled) return;
      scrolled = true;
      ranges[0].startContainer.parentElement?.scrollIntoView({ block: "nearest" });
    };
    const changed = new MutationObserver(() => {
      frame ||= requestAnimationFrame(mark);
    });
    changed.observe(el, { childList: true, subtree: true, characterData: true });
    mark();
    return () => {
      changed.disconnect();
      cancelAnimationFrame(frame);
      CSS.highlights.delete(NAME);
    };
  }, [find, shown]);
}

function rangesIn(el: HTMLElement, words: Set<string>): Range[] {
  const ranges: Range[] = [];
  const texts = document.createTreeWalker(el, NodeFilter.SHOW_TEXT);
  for (let node = texts.nextNode(); node && ranges.length < MOST; node = texts.nextNode()) {
    for (const [from, upto] of placesOf(node.nodeValue ?? "", words)) {
      const range = document.createRange();
      range.setStart(node, from);
      range.setEnd(node, upto);
      ranges.push(range);
    }
  }
  return ranges;
}
