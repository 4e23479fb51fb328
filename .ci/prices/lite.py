"""Reads litellm's table: rows of prices with their conditions, each with the page that it names."""
import json
import re
from decimal import Decimal

from rows import Row

KINDS = {
    "input_cost_per_token": "in", "cache_read_input_token_cost": "read", "cache_creation_input_token_cost": "write",
    "cache_creation_input_token_cost_above_1hr": "write1h", "input_cost_per_audio_token": "audio", "input_cost_per_image_token": "image",
    "output_cost_per_token": "out", "output_cost_per_reasoning_token": "reason", "output_cost_per_audio_token": "audio-out",
    "output_cost_per_image_token": "image-out",
}
TIERS = {"": "", "_batches": "batch", "_flex": "flex", "_priority": "priority"}
KEY = re.compile(r"^(?P<kind>" + "|".join(sorted(KINDS, key=len, reverse=True)) + r")(_above_(?P<above>\d+)k_tokens)?(?P<tier>_batches|_flex|_priority)?$")


def million(value) -> Decimal:
    """A price of a token as one of a million, to what floats say with certainty."""
    exact = Decimal(repr(float(value))) * 1_000_000
    return round(exact, 6) if exact > Decimal("0.001") else round(exact, 9)


def cells(entry: dict) -> dict:
    """(tier, above) → kind → price. A 0 for a part of something that costs is no price."""
    found = {}
    for key, value in entry.items():
        m = KEY.match(key)
        if m is None or not isinstance(value, (int, float)) or value < 0:
            continue
        kind = KINDS[m["kind"]]
        if value == 0 and kind not in ("in", "out"):
            continue
        found.setdefault((TIERS[m["tier"] or ""], int(m["above"] or 0) * 1000), {})[kind] = million(value)
    for tier in entry.get("tiered_pricing") or []:
        if "range" in tier:
            own = {KINDS[k]: million(v) for k, v in tier.items() if k in KINDS and v}
            found.setdefault(("", int(tier["range"][0])), {}).update(own)
    return found


def drop_repeated(rates: dict) -> None:
    """Takes out the parts that cost what their whole does: in other tiers they would keep the standard price."""
    for whole, parts in (("in", ("read", "write", "audio", "image")), ("out", ("reason", "audio-out", "image-out"))):
        for p in parts:
            if whole in rates and rates.get(p) == rates[whole]:
                del rates[p]


def read_entry(entry: dict) -> list:
    found = cells(entry)
    standard = found.get(("", 0), {})
    if not any(standard.values()):
        return []
    drop_repeated(standard)
    page = next((w.rstrip(",;") for w in (entry.get("source") or "").split() if w.startswith("https://")), None)
    rows = []
    for (tier, above), own in sorted(found.items()):
        if tier and not ({"in", "out"} & own.keys() or (tier, 0) in found):
            continue
        usual = {**standard, **found.get(("", above), {})}
        merged = {**usual, **found.get((tier, 0), {}), **own}
        if tier and "write1h" in standard and "write1h" not in found.get((tier, 0), {}) and "write" in standard:
            merged["write1h"] = usual["write1h"] * merged["write"] / usual["write"]  # an hour in the cache is a multiple of what writing costs
        if tier and "read" in merged and "in" in merged:
            merged["read"] = min(merged["read"], merged["in"])
        rows.append(Row(rates=merged, above=above, tier=tier, tables="l", page=page))
    return with_hours(rows, entry.get("off_peak_pricing"), page)


def clock(text: str) -> int:
    hour, minute = text.split(":")
    return int(hour) * 60 + int(minute)


def with_hours(rows, cheap, page) -> list:
    """Windows with other prices: (days, hours), which stand before the rows of all hours."""
    if not cheap:
        return rows
    rates = {KINDS[k]: million(v) for k, v in cheap.items() if k in KINDS}
    windows = []
    for w in cheap["windows"]:
        spans = w["hours_utc"] if isinstance(w["hours_utc"], list) else [w["hours_utc"]]
        days = "".join(map(str, w.get("weekdays") or []))
        for span in spans:
            start, end = map(clock, span.split("-"))
            windows.append(Row(rates={**rows[0].rates, **rates}, hours=(start, end or 1440), days=days, tables="l", page=page))
    return windows + rows


def keys(table, ids, prefixes) -> dict:
    """Names of these providers' models → keys of the table. What no call names is left out: regions and commitments of Bedrock."""
    out = {}
    for key, entry in table.items():
        provider = entry.get("litellm_provider") or ""
        if not any(provider == i or i.endswith("*") and provider.startswith(i[:-1]) for i in ids):
            continue
        name = key.lower()
        for p in prefixes:
            name = name.removeprefix(p)
        if not (name.startswith("bedrock/") or "*" in name or " " in name or "/1-month" in name) and read_entry(entry):
            out.setdefault(name, key)
    return out


def read(path, ids, prefixes) -> dict:
    """Names of these providers' models → rows."""
    with open(path, encoding="utf-8") as f:
        table = json.load(f)
    return {name: read_entry(table[key]) for name, key in keys(table, ids, prefixes).items()}
