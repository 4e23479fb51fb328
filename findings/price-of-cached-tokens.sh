#!/usr/bin/env bash
# 1,000,000 prompt tokens of gpt-4o, 800,000 of them cached: 1.50 in two price tables, 3.50 in a third, which charges them twice.
#
# Guessed: a helper that takes OpenAI's usage object knows that its cached tokens are part of prompt_tokens; more cached
# tokens than prompt tokens are an error; audio tokens without a price of their own are an error.
# Seen 2026-11-28: genai-prices 0.2.3, litellm 1.110.2 (PyPI), tokenlens 1.3.1 (npm), model gpt-4o:
#   prompt_tokens 1e6, cached 8e5      genai-prices 1.5 · litellm 1.5 · tokenlens 3.5 (the full price, and 800,000 cached beside)
#   1,000 prompt tokens, 1,800 cached  genai-prices ValueError · litellm charges all 1,800
#   a misspelt count                   genai-prices warns (UserWarning) and charges nothing for it
#   1e6 audio tokens of gpt-4o-audio-preview: genai-prices 2.5, the price of text, without a word; gpt-audio 32
# Means for us: whether input includes the cache is settled before pricing; cached above input is a fault to show, not to price.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" install -q --no-compile --disable-pip-version-check genai-prices==0.2.3 litellm==1.110.2
(cd "$dir" && npm init -y >/dev/null && npm install --silent --no-fund --no-audit tokenlens@1.3.1)
LITELLM_LOCAL_MODEL_COST_MAP=True "$dir/v/bin/python" - <<'PY'
import math
import warnings
from genai_prices import Usage, calc_price
from litellm import cost_per_token
from litellm.types.utils import PromptTokensDetailsWrapper
from litellm.types.utils import Usage as LiteUsage
def genai(model="gpt-4o", **counts):
    return float(calc_price(Usage(**counts), model).total_price)
def lite(prompt, cached):
    usage = LiteUsage(prompt_tokens=prompt, completion_tokens=0, prompt_tokens_details=PromptTokensDetailsWrapper(cached_tokens=cached))
    return sum(cost_per_token(model="gpt-4o", usage_object=usage))
got = genai(input_tokens=1_000_000, cache_read_tokens=800_000), lite(1_000_000, 800_000)
print("800,000 of 1,000,000 cached: genai-prices, litellm", got)
assert math.isclose(got[0], 1.5) and math.isclose(got[1], 1.5)
try:
    genai(input_tokens=1000, cache_read_tokens=1800)
except ValueError as e:
    print("genai-prices", e)
else:
    raise SystemExit("genai-prices accepts more cached tokens than tokens")
got = lite(1000, 1800)
print("1,800 of 1,000 cached: litellm", got)
assert math.isclose(got, 1800 * 1.25e-6)
with warnings.catch_warnings(record=True) as seen:
    warnings.simplefilter("always")
    got = genai(input_tokens=1_000_000, inptu_tokens=1_000_000)
assert math.isclose(got, 2.5) and [w.category for w in seen] == [UserWarning], (got, seen)
got = genai("gpt-4o-audio-preview", input_tokens=1_000_000, input_audio_tokens=1_000_000), genai("gpt-audio", input_tokens=1_000_000, input_audio_tokens=1_000_000)
print("audio: gpt-4o-audio-preview, gpt-audio", got)
assert got == (2.5, 32.0), got
PY
cat >"$dir/ask.mjs" <<'JS'
import assert from 'node:assert/strict'
import { costFromUsage } from 'tokenlens'
const cost = usage => costFromUsage({ id: 'openai:gpt-4o', usage })
const got = [cost({ prompt_tokens: 1e6, completion_tokens: 0 }), cost({ prompt_tokens: 1e6, completion_tokens: 0, prompt_tokens_details: { cached_tokens: 8e5 } })]
console.log('tokenlens, without and with 800,000 cached', got)
assert.deepEqual(got, [2.5, 3.5])
JS
node "$dir/ask.mjs"
