// A trace as one file that needs nothing else: no script, nothing fetched, and
// every value escaped. What is said is drawn as the page draws it.
import { type ComponentType, h } from "preact";
import { offer } from "../export.ts";
import { cost, count, duration, scoreText, utc } from "../format.ts";
import { answer, pretty, type Sent } from "../json.ts";
import type { Observation, Trace } from "../types.ts";
import { answered, costLeftOut, inputParts, outputParts, tokens, tokensLeftOut, unpriced } from "./amounts.ts";
import { InputView, OutputView } from "./conversation.tsx";
import { embedded } from "./embed.ts";
import { Html, html } from "./html.ts";
import { Formatted } from "./payload.tsx";
import { still } from "./still.tsx";
import { type Talk, talkOf } from "./talk.ts";
import { type Node, nodesOf } from "./tree.ts";

const style = `
:root{color-scheme:light dark}
body{font:14px/1.5 system-ui,sans-serif;max-width:1000px;margin:2rem auto;padding:0 1rem}
h1{font-size:1.3rem}dl{display:grid;grid-template-columns:max-content 1fr;gap:.1rem 1rem}dt{opacity:.7}dd{margin:0;overflow-wrap:anywhere}
details{border-top:1px solid #8884;padding:.35rem 0}summary{cursor:pointer;display:flex;gap:.6rem;align-items:center}
.name{flex:0 0 40%;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}.line{flex:1;position:relative;height:.7rem;background:#8882;border-radius:3px}
.line i{position:absolute;top:0;bottom:0;background:#5d7bf0;border-radius:3px;min-width:2px}.failed .line i{background:#d9534a}.took{flex:0 0 5rem;text-align:right}
pre{white-space:pre-wrap;overflow-wrap:anywhere;background:#8881;padding:.7rem;border-radius:6px;font-size:12px}h2{font-size:.85rem;margin:.6rem 0 .2rem}
p,figure{margin:.2rem 0}table{border-collapse:collapse}td,th{border:1px solid #8884;padding:.2rem .5rem;text-align:left}blockquote{margin:0;padding-left:.7rem;border-left:3px solid #8884}
.chat{list-style:none;margin:0;padding:0}.message{border:1px solid #8884;border-left:3px solid #888;border-radius:6px;padding:.4rem .7rem;margin:.4rem 0;overflow-wrap:anywhere}
.role-user{border-left-color:#2f49b8}.role-assistant{border-left-color:#1c6e3f}.role-tool{border-left-color:#9a5b00}.message header{display:flex;gap:.6rem;font-size:12px}.role{font-weight:650}
.faint,.muted{opacity:.75}.small{font-size:12px}.badge{border:1px solid #8886;border-radius:4px;padding:0 .3rem;font-size:12px}.badge-error{color:#fff;background:#b3261e;border-color:#b3261e}
.call,.refusal{border:1px solid #8884;border-radius:6px;padding:.4rem .6rem;margin:.3rem 0}.call-head{display:flex;flex-wrap:wrap;gap:.4rem}.long{max-height:60rem;overflow:auto}.markdown p{white-space:pre-wrap}
img,video{max-width:100%}`;

/** traceDocument writes the trace as a page. */
export function traceDocument(trace: Trace): string {
  const { nodes, span } = nodesOf(trace);
  const facts: [string, string][] = [
    ["Id", trace.id],
    ["Start", utc(trace.start_time)],
    ["Latency", took(trace)],
    ["Outcome", trace.status],
    ["User", trace.user_id],
    ["Session", trace.session_id],
    ["Environment", trace.environment],
    ["Tags", trace.tags.join(", ")],
    ["Models", trace.models.join(", ")],
    ["Tokens", count(trace.total_tokens)],
    ["Cost", [cost(trace.total_cost), unpriced(trace.unpriced_count)].filter(Boolean).join(", ")],
    [
      "Scores",
      Object.entries(trace.scores)
        .map(([k, v]) => `${k} ${scoreText(v)}`)
        .join(", "),
    ],
  ];
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:; media-src data:">
<title>${trace.name || trace.id}</title><style>${new Html(style)}</style></head><body>
<h1>${trace.name || trace.id}</h1>
<dl>${list(facts)}</dl>
${exchange(trace, trace)}${part("Metadata", trace.metadata)}
<h2>Observations</h2>
${nodes.slice(1).map(n => observation(n, n.observation!, trace, span))}
</body></html>
`.text;
}

const took = (x: Trace | Observation): string => [duration(x.latency_ms), x.latency_reason].filter(Boolean).join(" ");
const amount = (text: string, leftOut: boolean): string => (leftOut ? `${text}, counted in its children` : text);

function list(facts: [string, string][]): Html[] {
  return facts.filter(f => f[1] !== "").map(([k, v]) => html`<dt>${k}</dt><dd>${v}</dd>`);
}

function part(title: string, sent: Sent | null | undefined): Html {
  if (!sent) return html``;
  const { value } = sent;
  return html`<h2>${title}</h2><pre>${typeof value === "string" ? value : pretty(value)}</pre>`;
}

// exchange is what went in and what came out, drawn as the page draws it.
function exchange(x: Trace | Observation, trace: Trace): Html {
  const talk = talkOf(x, trace);
  const side = (
    title: string,
    sent: Sent | null | undefined,
    conversation: boolean,
    View: ComponentType<{ talk: Talk }>,
  ) =>
    sent
      ? html`<h2>${title}</h2>${still(conversation ? h(View, { talk }) : h(Formatted, { value: sent.value }))}`
      : html``;
  return html`${side("Input", x.input, talk.input !== null, InputView as ComponentType<{ talk: Talk }>)}${side("Output", x.output, talk.output !== null, OutputView as ComponentType<{ talk: Talk }>)}`;
}

function observation(n: Node, o: Observation, trace: Trace, span: number): Html {
  const end = n.end ?? span;
  const percent = (v: number) => ((v / span) * 100).toFixed(3);
  const facts: [string, string][] = [
    ["Id", o.id],
    ["Type", o.type],
    ["Start", utc(o.start_time)],
    ["Level", o.level],
    ["Status", o.status_message],
    ["Latency", o.latency_reason ? took(o) : ""],
    ["Outcome", [o.status, o.error_type].filter(Boolean).join(" · ")],
    ["Same call as", n.twin ? `${n.twin.name} (${n.twin.id})` : ""],
    ["Model", [o.model, o.provider].filter(Boolean).join(" · ")],
    ["Asked for", o.requested_model === o.model ? "" : o.requested_model],
    ["Response", o.response_id],
    ["Finish", o.finish_reason],
    ["First token", o.time_to_first_token_ms === null ? "" : duration(o.time_to_first_token_ms)],
    ["Tokens", o.total_tokens === null && !answered(o) ? "" : amount(tokens(o), tokensLeftOut(o))],
    ["Token source", o.token_source === "estimated" ? "estimated" : ""],
    ["Of the input", inputParts(o)],
    ["Of the output", outputParts(o)],
    ["Cost", o.total_cost === null && !answered(o) ? "" : amount(cost(o.total_cost), costLeftOut(o))],
  ];
  return html`<details class="${o.level === "ERROR" ? "failed" : ""}"><summary><span class="name" style="padding-left:${Math.min(n.depth - 1, 14)}rem">${o.name || o.id}</span><span class="line"><i style="left:${percent(n.start)}%;width:${percent(Math.max(0, end - n.start))}%"></i></span><span class="took">${duration(o.latency_ms)}</span></summary>
<dl>${list(facts)}</dl>${part("Model parameters", o.model_parameters)}${exchange(o, trace)}${part("Metadata", o.metadata)}</details>
`;
}

const fileName = (trace: Trace): string => `trace-${trace.id.replace(/[^\w.-]+/g, "_").slice(0, 80)}`;

/** downloadHtml saves the trace of text, which is the server's own answer, with its pictures. */
export async function downloadHtml(text: string): Promise<void> {
  const trace = answer(await embedded(text)) as Trace;
  offer([traceDocument(trace)], `${fileName(trace)}.html`, "text/html");
}

/** downloadJson saves text, which is the server's own answer: nothing in it is read and written again. */
export function downloadJson(trace: Trace, text: string): void {
  offer([text], `${fileName(trace)}.json`, "application/json");
}
