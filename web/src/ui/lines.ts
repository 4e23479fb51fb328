// How long a text is on the screen, and the beginning of it.

const WIDE = 110; // characters of a line, about

/** MOST is how many lines of a block are shown at first. */
export const MOST = 40;

/** SHOWN is how many are shown of a longer one. */
export const SHOWN = 10;

const rows = (line: string): number => Math.max(1, Math.ceil(line.length / WIDE));

/** linesOf is about how many lines a text takes. */
export function linesOf(text: string): number {
  let n = 0;
  for (const line of text.split("\n")) n += rows(line);
  return n;
}

/** beginning is what of a text takes so many lines. */
export function beginning(text: string, lines: number): string {
  let left = lines;
  let at = 0;
  while (at < text.length && left > 0) {
    const end = text.indexOf("\n", at);
    const line = text.slice(at, end < 0 ? text.length : end);
    const takes = rows(line);
    if (takes > left) {
      let to = at + left * WIDE;
      if (/[\ud800-\udbff]/.test(text.charAt(to - 1))) to--; // no half of a character
      return text.slice(0, to);
    }
    left -= takes;
    at += line.length + 1;
  }
  return text.slice(0, Math.min(at, text.length)).replace(/\n$/, "");
}
