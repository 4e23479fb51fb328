// Markdown as people and models write it, straight into elements: there is no
// HTML on the way, so a text cannot become markup that was not meant here.
import type { ComponentChildren, JSX } from "preact";

// Bounds, so that no text makes the page busy: beyond them it is shown as it stands.
const MAX_TEXT = 300_000;
const MAX_LINE = 2_000; // that is looked at for a heading, a rule, a table
const MAX_INLINE = 20_000; // of one paragraph

/** Markdown renders text: headings, lists, quotes, code, tables, emphasis, links. HTML in it stays text. */
export function Markdown({ text }: { text: string }): JSX.Element {
  if (text.length > MAX_TEXT) return <p class="plain">{text}</p>;
  return <div class="markdown">{blocks(text.replace(/\r\n?/g, "\n").split("\n"), 0)}</div>;
}

const MAX_DEPTH = 8; // of quotes and lists in one another
const item = /^(\s*)([-*+]|\d{1,9}[.)])\s+(.*)$/;

function blocks(lines: string[], depth: number): ComponentChildren[] {
  const out: ComponentChildren[] = [];
  for (let i = 0; i < lines.length; ) {
    const line = lines[i] ?? "";
    const taken = line.trim() === "" ? 1 : block(lines, i, depth, out);
    i += taken;
  }
  return out;
}

// block renders the block that begins at line i and says how many lines it took.
function block(lines: string[], i: number, depth: number, out: ComponentChildren[]): number {
  const line = lines[i]!;
  const fence = /^\s*(`{3,}|~{3,})\s*(\S*)/.exec(line);
  if (fence) return code(lines, i, fence[1]!, out);
  const usual = line.length <= MAX_LINE;
  const heading = usual && /^(#{1,6})\s+(.*?)\s*#*$/.exec(line);
  if (heading) {
    out.push(<p class={`md-h md-h${heading[1]!.length}`}>{inline(heading[2]!)}</p>);
    return 1;
  }
  if (usual && /^\s*([-*_])(\s*\1){2,}\s*$/.test(line)) {
    out.push(<hr />);
    return 1;
  }
  if (/^\s*>/.test(line) && depth < MAX_DEPTH) {
    const n = run(lines, i, l => /^\s*>/.test(l));
    out.push(
      <blockquote>
        {blocks(
          lines.slice(i, i + n).map(l => l.replace(/^\s*> ?/, "")),
          depth + 1,
        )}
      </blockquote>,
    );
    return n;
  }
  const below = lines[i + 1] ?? "";
  if (
    line.includes("|") &&
    below.includes("-") &&
    below.length <= MAX_LINE &&
    /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/.test(below)
  ) {
    return table(lines, i, out);
  }
  if (item.test(line) && depth < MAX_DEPTH) return list(lines, i, depth, out);
  const n = Math.max(
    1,
    run(
      lines,
      i,
      (l, first) => l.trim() !== "" && (first || !/^\s*(```|~~~|#{1,6}\s|>)/.test(l)) && (first || !item.test(l)),
    ),
  );
  out.push(<p>{inline(lines.slice(i, i + n).join("\n"))}</p>);
  return n;
}

function run(lines: string[], from: number, holds: (line: string, first: boolean) => boolean): number {
  let n = 0;
  while (from + n < lines.length && holds(lines[from + n]!, n === 0)) n++;
  return n;
}

function code(lines: string[], i: number, fence: string, out: ComponentChildren[]): number {
  const body: string[] = [];
  let n = 1;
  for (; i + n < lines.length; n++) {
    const l = lines[i + n]!;
    if (l.trim().startsWith(fence)) {
      n++;
      break;
    }
    body.push(l);
  }
  out.push(
    <pre class="md-code">
      <code>{body.join("\n")}</code>
    </pre>,
  );
  return n;
}

function table(lines: string[], i: number, out: ComponentChildren[]): number {
  const cells = (l: string) =>
    l
      .trim()
      .replace(/^\||\|$/g, "")
      .split("|")
      .map(c => inline(c.trim()));
  const n = 2 + run(lines, i + 2, l => l.includes("|"));
  out.push(
    <div class="md-table">
      <table>
        <thead>
          <tr>
            {cells(lines[i]!).map(c => (
              <th>{c}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {lines.slice(i + 2, i + n).map(l => (
            <tr>
              {cells(l).map(c => (
                <td>{c}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>,
  );
  return n;
}

// list takes items of one indentation, each with the deeper lines below it.
function list(lines: string[], i: number, depth: number, out: ComponentChildren[]): number {
  const first = item.exec(lines[i]!)!;
  const indent = first[1]!.length;
  const ordered = /\d/.test(first[2]!);
  const items: string[][] = [];
  let n = 0;
  for (; i + n < lines.length; n++) {
    const l = lines[i + n]!;
    const m = item.exec(l);
    const deep = l.length - l.trimStart().length;
    if (m && m[1]!.length <= indent + 1 && m[1]!.length >= indent) {
      if (/\d/.test(m[2]!) !== ordered) break;
      items.push([m[3]!]);
    } else if (l.trim() === "") {
      const next = lines[i + n + 1] ?? "";
      if (!item.test(next) && next.length - next.trimStart().length <= indent) break;
      items.at(-1)!.push("");
    } else if (deep > indent || !m) {
      if (deep <= indent && /^\s*(```|~~~|#{1,6}\s|>)/.test(l)) break;
      items.at(-1)!.push(l.slice(Math.min(deep, indent + 2)));
    } else break;
  }
  const rendered = items.map(body => <li>{body.length === 1 ? inline(body[0]!) : blocks(body, depth + 1)}</li>);
  out.push(ordered ? <ol start={Number.parseInt(first[2]!, 10)}>{rendered}</ol> : <ul>{rendered}</ul>);
  return Math.max(1, n);
}

const span =
  /(`+)([^`]|[^`][\s\S]*?[^`])\1(?!`)|\*\*(?=\S)([\s\S]*?\S)\*\*|__(?=\S)([\s\S]*?\S)__(?!\w)|\*(?=[^\s*])([^*]*?[^\s*])\*|(?<!\w)_(?=[^\s_])([^_]*?[^\s_])_(?!\w)|~~(?=\S)([\s\S]*?\S)~~|!?\[([^\]\n]*)\]\(([^()\s]*)(?:\s+"[^"\n]*")?\)|(https?:\/\/[^\s<>()"']*[^\s<>()"'.,;:!?])/g;

function inline(text: string, depth = 0): ComponentChildren[] {
  if (text.length > MAX_INLINE) return [text];
  const out: ComponentChildren[] = [];
  let from = 0;
  for (const m of text.matchAll(span)) {
    out.push(text.slice(from, m.index));
    from = m.index + m[0].length;
    out.push(emphasised(m, depth));
  }
  out.push(text.slice(from));
  return out;
}

function emphasised(m: RegExpMatchArray, depth: number): ComponentChildren {
  const [all, tick, literal, bold, bold2, italic, italic2, struck, label, href, bare] = m;
  const deeper = (t: string) => (depth < 4 ? inline(t, depth + 1) : t);
  if (tick) return <code>{literal}</code>;
  if (bold ?? bold2) return <strong>{deeper((bold ?? bold2)!)}</strong>;
  if (italic ?? italic2) return <em>{deeper((italic ?? italic2)!)}</em>;
  if (struck) return <del>{deeper(struck)}</del>;
  if (bare) return <Out href={bare}>{bare}</Out>;
  if (href === undefined || all.startsWith("!")) return all; // pictures are not fetched: that would tell others who reads
  return safe(href) ? <Out href={href}>{label || href}</Out> : all;
}

// safe lets out only links that a click may follow: no javascript:, no data:.
function safe(href: string): boolean {
  return /^(https?:\/\/|mailto:)/i.test(href);
}

function Out({ href, children }: { href: string; children: ComponentChildren }): JSX.Element {
  return (
    <a href={href} target="_blank" rel="noopener noreferrer" title={href}>
      {children}
    </a>
  );
}
