#!/usr/bin/env bash
# Two public price tables, each asked by its own code, beside our book that is made from both: of 14,265 answers 828 differ from ours by more than 1 %.
#
# Guessed: a book made from two tables gives what they give, but where they contradict each other.
# Seen 2026-11-29: genai-prices 0.2.3, litellm 1.110.2 (PyPI), every model that the book has from them in three calls (small, with a cache,
# 300,000 tokens). Each difference has one of these reasons:
#   the tables contradict each other (200): ours is from the one that says where it has this very entry from
#   cached tokens that one table has no price for (289): litellm charges nothing for them; ours cost what the other table says, or as input
#   output that has no price, of embeddings (240): 0 to them, unknown to us
#   genai-prices takes the price of OpenAI or DeepSeek for Azure where it has none (46); we have Azure's from litellm
#   a price above 200,000 or 272,000 tokens (31): one table lacks it, or, for models that Perplexity sells, litellm's code does not apply what its table says
#   Perplexity's fee for each request (12), an embedding's output (4), a prefix taken off twice (3), a price of 0 (3)
# Means for us: a price needs its source beside it, and what has no price a reason; a sum of two tables' answers would be neither's.
set -euo pipefail
cd "$(dirname "$0")/.."
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" install -q --no-compile --disable-pip-version-check genai-prices==0.2.3 litellm==1.110.2
go build -o "$dir/prices" ./.ci/prices
LITELLM_LOCAL_MODEL_COST_MAP=True PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=.ci/prices "$dir/v/bin/python" - "$dir/prices" <<'PY'
import datetime
import json
import os
import subprocess
import sys
import warnings
from collections import Counter
from decimal import Decimal
import genai
import lite
import litellm
from genai_prices import Usage, calc_price
from litellm.types.utils import PromptTokensDetailsWrapper
from litellm.types.utils import Usage as LiteUsage
from providers import PROVIDERS

litellm.suppress_debug_info = True
warnings.simplefilter("ignore")
when = datetime.datetime(2026, 11, 27, 12, tzinfo=datetime.timezone.utc)
table = os.path.join(os.path.dirname(litellm.__file__), "model_prices_and_context_window_backup.json")
with open(table, encoding="utf-8") as f:
    raw = json.load(f)
calls = {
    "plain": {"Input": 1000, "Output": 100},
    "cached": {"Input": 10_000, "CacheRead": 6000, "CacheWrite": 2000, "Output": 500},
    "long": {"Input": 300_000, "Output": 1000},
}

def ask_genai(ids, name, u):
    """What genai-prices says, and whether it is the price of the provider that was named."""
    for i in ids:
        usage = Usage(input_tokens=u["Input"], cache_read_tokens=u.get("CacheRead", 0), cache_write_tokens=u.get("CacheWrite", 0), output_tokens=u["Output"])
        try:
            c = calc_price(usage, name, provider_id=i, genai_request_timestamp=when)
        except LookupError:
            continue
        return c.total_price, any(c.model is m for m in c.provider.models)
    return None, True

def ask_litellm(key, u):
    usage = LiteUsage(
        prompt_tokens=u["Input"], completion_tokens=u["Output"], total_tokens=u["Input"] + u["Output"],
        prompt_tokens_details=PromptTokensDetailsWrapper(cached_tokens=u.get("CacheRead", 0), cache_creation_tokens=u.get("CacheWrite", 0)),
        cache_read_input_tokens=u.get("CacheRead", 0), cache_creation_input_tokens=u.get("CacheWrite", 0))
    try:
        parts = litellm.cost_per_token(model=key, usage_object=usage, custom_llm_provider=raw[key]["litellm_provider"].split("-")[0])
    except Exception:
        return None
    return sum(Decimal(repr(p)) for p in parts)

def near(a, b):
    return abs(a - b) <= max(abs(a), abs(b)) / 100

rows = []
for book, (ids, lite_ids, prefixes, _) in PROVIDERS.items():
    models, _ = genai.read(ids, when.date())
    keys = lite.keys(raw, lite_ids, prefixes)
    for name in sorted({*(n for _, ns, _, _, _ in models for n in ns), *keys}):
        for kind, u in calls.items():
            rows.append((book, name, kind, u, ids, keys.get(name)))
asked = "\n".join(json.dumps({"Provider": b, "Answered": n, "Start": "2026-11-27T12:00:00Z", "Usage": u}) for b, n, _, u, _, _ in rows)
answers = [json.loads(line) for line in subprocess.run([sys.argv[1]], input=asked, capture_output=True, text=True, check=True).stdout.splitlines()]
assert len(answers) == len(rows)

fee = "Perplexity's fee for a request, which depends on how much was searched, is no price of tokens"
known = {("genai-prices", "perplexity", f"sonar{m}"): fee for m in ("", "-pro", "-reasoning", "-reasoning-pro")}
known["litellm", "perplexity", "perplexity/sonar"] = "litellm takes its own prefix off a name that has it twice, and so another model"
for embed in ("mistral-embed", "mistral-embed-2312"):
    known["litellm", "mistral", embed] = "one table has a price for the output of an embedding"

def reason(book, name, ours, theirs, answer, kind, plain, own, who):
    """Why we differ: the first that applies."""
    if ours is None:
        return "output without a price is unknown to us, and 0 to them"
    if answer["why"]:
        return "the tables differ; ours because " + answer["why"]
    if not own:
        return "genai-prices takes another provider's price"
    if theirs == 0:
        return "0 is no price"
    if kind == "cached" and plain:
        return "cached tokens that one table has no price for: we take the other's, and that of input where there is none"
    if kind == "long" and plain:
        return "a price above so many tokens that one table does not know or its code does not apply"
    return known.get((who, book, name), "unexplained")

counts, reasons, plain, unexplained = Counter(), Counter(), {}, []
for (book, name, kind, u, ids, key), a in zip(rows, answers):
    ours = Decimal(a["total"]) if a["total"] else None
    by_genai, own = ask_genai(ids, name, u)
    for who, theirs, right in (("genai-prices", by_genai, own), ("litellm", ask_litellm(key, u) if key else None, True)):
        if theirs is None:
            continue
        counts[who] += 1
        agrees = ours is not None and near(ours, theirs)
        if kind == "plain":
            plain[book, name, who] = agrees
        if agrees:
            continue
        why = reason(book, name, ours, theirs, a, kind, plain.get((book, name, who)), right, who)
        reasons[who, why] += 1
        if why == "unexplained":
            unexplained.append((book, name, kind, who, str(ours), str(theirs)))
for who, n in sorted(counts.items()):
    print(f"{who}: {n} answers, {sum(c for (w, _), c in reasons.items() if w == who)} differ from ours by more than 1 %")
    for (w, why), c in sorted(reasons.items(), key=lambda r: -r[1]):
        if w == who:
            print(f"  {c:4d}  {why}")
for row in unexplained:
    print("unexplained", *row)
assert not unexplained
assert counts == {"genai-prices": 7890, "litellm": 6375}, counts
assert sum(reasons.values()) == 828, reasons
PY
