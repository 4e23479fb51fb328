/** Html is text that is safe to stand in a document; only html`` and still make it. */
export class Html {
  constructor(readonly text: string) {}
}

export type Piece = string | number | Html | Html[];

/** html escapes everything that is put in, but for what html`` itself made. */
export function html(strings: TemplateStringsArray, ...values: Piece[]): Html {
  return new Html(strings.reduce((out, s, i) => out + written(values[i - 1] ?? "") + s));
}

function written(v: Piece): string {
  if (v instanceof Html) return v.text;
  if (Array.isArray(v)) return v.map(x => x.text).join("");
  return escaped(String(v));
}

/** escaped is a text as it stands in a document, also in an attribute with quotes. */
export const escaped = (text: string): string => text.replace(/[&<>"'`]/g, c => `&#${c.charCodeAt(0)};`);
