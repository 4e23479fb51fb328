#!/usr/bin/env bash
# Four published price tables give one call prices that differ by a factor of up to five, and a spelling may cost 0.
#
# Guessed: the price of an input token of a well-known model is the same in every current table, up to rounding.
# Seen 2026-11-28, US dollars per million input tokens: genai-prices 0.2.3 and litellm 1.110.2 (PyPI; its own table, not the
# one it fetches), tokenlens 1.3.1 and llm-info 1.0.69 (npm)
#   gpt-4o                              2.5    2.5    2.5    5
#   o3                                  2      2      2      10   (genai-prices gives 10 for a call of 1 June 2025)
#   mistral-large-latest                2      0.5    2      -
#   claude-sonnet-4-5, 250,000 tokens   6      3      -      -    (one table has a long-context price, the other none)
# and the same name in other spelling: tokenlens prices openai/gpt-4o at 0 (openai:gpt-4o at 2.5); genai-prices does not know
# text-embedding-3-small unless told the provider; litellm refuses GPT-5 in capitals and models that were retired
# (gemini-2.0-flash, claude-3-7-sonnet-20250219), which genai-prices still prices.
# Means for us: a price is looked up once, at the time of the call, and kept with the table's name; an alias "latest" has no
# price of its own; 0 from a table is "unknown" for a model that is not free; old calls need old tables.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" install -q --no-compile --disable-pip-version-check genai-prices==0.2.3 litellm==1.110.2
(cd "$dir" && npm init -y >/dev/null && npm install --silent --no-fund --no-audit tokenlens@1.3.1 llm-info@1.0.69)
LITELLM_LOCAL_MODEL_COST_MAP=True "$dir/v/bin/python" - <<'PY'
import datetime
import math
from genai_prices import Usage, calc_price
import litellm
litellm.suppress_debug_info = True
def genai(model, tokens=1_000_000, **more):
    return float(calc_price(Usage(input_tokens=tokens), model, **more).total_price) / tokens * 1e6
def lite(model, tokens=1_000_000):
    return litellm.cost_per_token(model=model, prompt_tokens=tokens, completion_tokens=0)[0] / tokens * 1e6
rows = [
    ("gpt-4o", genai("gpt-4o"), lite("gpt-4o"), 2.5, 2.5),
    ("o3", genai("o3"), lite("o3"), 2, 2),
    ("mistral-large-latest", genai("mistral-large-latest"), lite("mistral/mistral-large-latest"), 2, 0.5),
    ("claude-sonnet-4-5", genai("claude-sonnet-4-5", 250_000), lite("claude-sonnet-4-5", 250_000), 6, 3),
    ("o3 in June 2025", genai("o3", genai_request_timestamp=datetime.datetime(2025, 6, 1, tzinfo=datetime.timezone.utc)), 2, 10, 2),
]
for name, one, two, want_one, want_two in rows:
    print(f"{name:22} genai-prices {one:5.2f}  litellm {two:5.2f}")
    assert math.isclose(one, want_one) and math.isclose(two, want_two), name
def unknown(call, *args):
    try:
        call(*args)
    except Exception:
        return True
    return False
assert unknown(genai, "text-embedding-3-small")
assert math.isclose(genai("text-embedding-3-small", provider_id="openai"), 0.02)
for retired in ("gemini/gemini-2.0-flash", "claude-3-7-sonnet-20250219"):
    assert unknown(lite, retired), retired
    assert genai(retired.split("/")[-1]) > 0
assert unknown(lite, "GPT-5") and genai("GPT-5") == genai("gpt-5")
PY
cat >"$dir/ask.mjs" <<'JS'
import assert from 'node:assert/strict'
import { estimateCost } from 'tokenlens'
import { ModelInfoMap } from 'llm-info'
const lens = modelId => estimateCost({ modelId, usage: { inputTokens: 1e6, outputTokens: 0 } }).totalUSD
const info = model => ModelInfoMap[model].pricePerMillionInputTokens
const got = [lens('openai:gpt-4o'), lens('openai/gpt-4o'), lens('openai:o3'), lens('mistral:mistral-large-latest'), info('gpt-4o'), info('o3')]
console.log('tokenlens', got.slice(0, 4), 'llm-info', got.slice(4))
assert.deepEqual(got, [2.5, 0, 2, 2, 5, 10])
JS
node "$dir/ask.mjs"
