// Makes texts equal that people take for the same, as the server's search does
// (caseFolder in internal/textsearch): what is found here is what a search finds.

// They put no space between words: a blank or a line break in them is no border.
const unspaced =
  "[\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Hangul}\\p{Script=Thai}\\p{Script=Lao}\\p{Script=Khmer}\\p{Script=Myanmar}ー〆\\u3099\\u309a]";
const between = new RegExp(`(?<=${unspaced})\\s+(?=${unspaced})`, "gu");
const accents = /[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+/gu;
const simple = /^[\0-\x7f]*$/;

/**
 * fold returns s with case (also ß as ss), accents and compatible forms folded,
 * and each run of blanks as one; between characters that are words each, none.
 */
export function fold(s: string): string {
  if (simple.test(s)) return s.toLowerCase().replace(/\s+/g, " ");
  return cased(cased(s.normalize("NFKD")).normalize("NFKD"))
    .replace(accents, "")
    .normalize("NFC")
    .replace(between, "")
    .replace(/\s+/g, " ");
}

// cased folds case: the lower case of the upper case, but for ı, which is no i, and ς, which is a σ.
function cased(s: string): string {
  return s.replace(/[^ı]+/g, part => part.toUpperCase().toLowerCase()).replaceAll("ς", "σ");
}

const word = new RegExp(`${unspaced}|(?:(?!${unspaced})[\\p{L}\\p{N}\\p{M}])+`, "gu");

/** wordsOf are the words of a text as the server's search takes them, folded, each once. */
export const wordsOf = (text: string): Set<string> => new Set((text.match(word) ?? []).map(fold));

/** placesOf are where in a text one of some words stands: from, upto. */
export function placesOf(text: string, words: Set<string>): [number, number][] {
  const places: [number, number][] = [];
  for (const found of text.matchAll(word)) {
    if (words.has(fold(found[0]))) places.push([found.index, found.index + found[0].length]);
  }
  return places;
}
