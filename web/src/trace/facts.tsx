import type { ComponentChildren, JSX } from "preact";
import { link } from "../base.ts";
import { cost, count, duration, scoreText } from "../format.ts";
import { entriesOf, isObject, pretty } from "../json.ts";
import type { Observation, Trace } from "../types.ts";
import { Copy, Time, Took } from "../ui/bits.tsx";
import {
  answered,
  costLeftOut,
  costParts,
  inputParts,
  NOT_SENT,
  outputParts,
  tokens,
  tokensLeftOut,
  unpriced,
} from "./amounts.ts";
import { endingOf } from "./read/ends.ts";
import { Ask, type Question } from "./why.tsx";

/** Status is ok, error or aborted. */
export function Status({ of: s }: { of: string }): JSX.Element {
  const look = s === "error" ? " badge-error" : s === "aborted" ? " badge-warn" : s === "ok" ? " badge-ok" : "";
  return <span class={`badge${look}`}>{s}</span>;
}

interface FactProps {
  title: string;
  ask?: (q: Question) => void; // opens the rules that gave it
  of?: string[]; // the fields of the API that it is made of
  children: ComponentChildren;
}

function Fact({ title, ask, of, children }: FactProps): JSX.Element {
  return (
    <div>
      <dt>
        {title}
        {ask && of && <Ask title={title} onAsk={() => ask({ title, fields: of })} />}
      </dt>
      <dd>{children}</dd>
    </div>
  );
}

function InChildren(): JSX.Element {
  return (
    <span class="badge stats-mark" title="It stands for what hangs below it, and sums have that alone">
      counted in its children
    </span>
  );
}

interface Props {
  o: Observation;
  ask: (q: Question) => void;
}

/** ObservationFacts are the numbers and words of an observation, each with a way to ask why. */
export function ObservationFacts({ o, ask }: Props): JSX.Element {
  const sent = o.model_parameters?.value;
  const parameters = isObject(sent) ? entriesOf(sent) : [];
  return (
    <>
      <Fact title="Status" ask={ask} of={["status", "error_type", "status_message", "level"]}>
        <Status of={o.status} /> {o.error_type}
      </Fact>
      <Fact title="Start" ask={ask} of={["start_time"]}>
        <Time at={o.start_time} />
        {o.start_time_inferred && <span class="faint"> inferred</span>}
      </Fact>
      <Fact title="Latency" ask={ask} of={["end_time", "latency_ms"]}>
        <Took of={o} />
        {o.latency_reason && <span class="faint"> {o.latency_reason}</span>}
      </Fact>
      {o.time_to_first_token_ms !== null && (
        <Fact title="First token" ask={ask} of={["time_to_first_token_ms"]}>
          {duration(o.time_to_first_token_ms)}
        </Fact>
      )}
      <CallFacts o={o} ask={ask} />
      <AmountFacts o={o} ask={ask} />
      {o.quality_score !== null && <Fact title="Quality">{scoreText(o.quality_score)}</Fact>}
      {o.version && (
        <Fact title="Version" ask={ask} of={["version"]}>
          {o.version}
        </Fact>
      )}
      {parameters.map(([k, v], i) => (
        <Fact key={i} title={k}>
          {typeof v === "object" ? pretty(v, "").replaceAll("\n", "") : String(v)}
        </Fact>
      ))}
    </>
  );
}

// CallFacts say who was asked, who answered, and why it stopped.
function CallFacts({ o, ask }: Props): JSX.Element {
  const models = [o.requested_model, o.model].filter((m, i, all) => m && m !== all[i - 1]);
  const tiers = [o.requested_service_tier, o.service_tier].filter((t, i, all) => t && t !== all[i - 1]);
  const finish = [o.finish_reason, o.finish_reason_original].filter(Boolean);
  return (
    <>
      {models.length > 0 && (
        <Fact title={models.length > 1 ? "Asked for → answered" : "Model"} ask={ask} of={["requested_model", "model"]}>
          {models.join(" → ")}
        </Fact>
      )}
      {tiers.length > 0 && (
        <Fact
          title={tiers.length > 1 ? "Service tier, asked for → answered" : "Service tier"}
          ask={ask}
          of={["requested_service_tier", "service_tier"]}
        >
          {tiers.join(" → ")}
        </Fact>
      )}
      {o.prompt_name && (
        <Fact title="Prompt" ask={ask} of={["prompt_name", "prompt_version"]}>
          <a
            href={link(`/prompts/${encodeURIComponent(o.prompt_name)}?version=${encodeURIComponent(o.prompt_version)}`)}
          >
            {o.prompt_name} {o.prompt_version}
          </a>
        </Fact>
      )}
      {o.provider && (
        <Fact title="Provider" ask={ask} of={["provider"]}>
          {o.provider}
        </Fact>
      )}
      {finish.length > 0 && (
        <Fact title="Finish" ask={ask} of={["finish_reason", "finish_reason_original"]}>
          <span class={endingOf(finish[0]!).bad ? "badge badge-error" : ""}>{finish[0]}</span>
          {finish.length > 1 && finish[1] !== finish[0] && <span class="faint"> sent as {finish[1]}</span>}
        </Fact>
      )}
      {o.response_id && (
        <Fact title="Response" ask={ask} of={["response_id"]}>
          <Copy text={o.response_id} label="Copy the id of the response">
            <code class="ellipsis">{o.response_id}</code>
          </Copy>
        </Fact>
      )}
    </>
  );
}

// AmountFacts are tokens and costs. What a call should have and nobody sent is said, and is no 0.
function AmountFacts({ o, ask }: Props): JSX.Element {
  const call = answered(o);
  const [input, output, costs] = [inputParts(o), outputParts(o), costParts(o)];
  const known = o.prompt_tokens !== null || o.completion_tokens !== null || o.total_tokens !== null;
  return (
    <>
      {(known || call) && (
        <Fact
          title="Tokens"
          ask={ask}
          of={["prompt_tokens", "completion_tokens", "total_tokens", "token_source", "usage"]}
        >
          {known ? tokens(o) : <span class="faint">{NOT_SENT}</span>}
          {o.token_source === "estimated" && (
            <span
              class="badge badge-warn stats-mark"
              title="The library that sent them made them up: no provider said them"
            >
              estimated
            </span>
          )}
          {tokensLeftOut(o) && <InChildren />}
        </Fact>
      )}
      {input && (
        <Fact
          title="Of the input"
          ask={ask}
          of={["cache_read_tokens", "cache_write_tokens", "cache_write_1h_tokens", "audio_input_tokens"]}
        >
          {input}
        </Fact>
      )}
      {output && (
        <Fact title="Of the output" ask={ask} of={["reasoning_tokens", "audio_output_tokens"]}>
          {output}
        </Fact>
      )}
      {(o.total_cost !== null || call) && (
        <Fact
          title="Cost"
          ask={ask}
          of={[
            "total_cost",
            "cost_source",
            "cost_reason",
            "input_cost",
            "cache_read_cost",
            "cache_write_cost",
            "output_cost",
          ]}
        >
          {cost(o.total_cost)}
          {costs && <span class="faint"> {costs}</span>}
          {o.cost_source === "computed" && (
            <>
              {" "}
              <span class="badge stats-mark">computed</span>
            </>
          )}
          {o.cost_reason && <span class="faint"> {o.cost_reason}</span>}
          {costLeftOut(o) && <InChildren />}
        </Fact>
      )}
    </>
  );
}

export function TraceFacts({ trace: t }: { trace: Trace }): JSX.Element {
  return (
    <>
      <Fact title="Start">
        <Time at={t.start_time} />
      </Fact>
      <Fact title="Latency">
        <Took of={t} />
        {t.latency_reason && <span class="faint"> {t.latency_reason}</span>}
      </Fact>
      <Fact title="Tokens">{count(t.total_tokens)}</Fact>
      <Fact title="Cost">
        {cost(t.total_cost)}
        {t.unpriced_count > 0 && <span class="faint"> {unpriced(t.unpriced_count)}</span>}
      </Fact>
      {t.models.length > 0 && <Fact title="Models">{t.models.join(", ")}</Fact>}
      {t.release && <Fact title="Release">{t.release}</Fact>}
      {t.version && <Fact title="Version">{t.version}</Fact>}
    </>
  );
}
