"""Reads genai-prices: rows of prices with their conditions, and the patterns of names."""
import re
from datetime import date, timezone
from decimal import Decimal

from genai_prices.data import providers
from genai_prices.types import ModelPrice, StartDateConstraint, TimeOfDateConstraint, TieredPrices

from rows import Row

KINDS = {
    "input_mtok": "in", "cache_read_mtok": "read", "cache_write_mtok": "write", "cache_write_5m_mtok": "write", "cache_write_1h_mtok": "write1h",
    "input_audio_mtok": "audio", "input_image_mtok": "image", "output_mtok": "out", "output_reasoning_mtok": "reason",
    "output_audio_mtok": "audio-out", "output_image_mtok": "image-out",
}
TIERS = {("processing", "batch"): "batch", ("service_tier", "flex"): "flex", ("service_tier", "priority"): "priority",
         ("service_tier", "fast"): "fast", ("speed", "fast"): "fast"}


def rates(price: ModelPrice, above: int) -> dict:
    out = {}
    for key, value in price.__dict__.items():
        kind = KINDS.get(key)
        if kind is None or value is None:
            continue
        if isinstance(value, TieredPrices):
            chosen = value.base
            for tier in value.tiers:
                if tier.start <= above and above:
                    chosen = tier.price
            value = chosen
        out[kind] = Decimal(value)
    return out


def thresholds(price: ModelPrice) -> list:
    return sorted({t.start for v in price.__dict__.values() if isinstance(v, TieredPrices) for t in v.tiers})


def minutes(t) -> int:
    assert t.tzinfo in (None, timezone.utc), t
    return t.hour * 60 + t.minute


def read_model(model, today: date) -> list:
    """The rows of a model, standard tier first. 0 is a price only where the name says so. What other tiers cost is known of today's price only."""
    conditional = model.prices if isinstance(model.prices, list) else None
    steps = [(None, model.prices, None)] if conditional is None else []
    start = None
    for c in conditional or []:
        hours = None
        if isinstance(c.constraint, StartDateConstraint):
            assert start is None or c.constraint.start_date >= start, model.id
            start = c.constraint.start_date
        elif isinstance(c.constraint, TimeOfDateConstraint):
            hours = (minutes(c.constraint.start_time), minutes(c.constraint.end_time))
        steps.append((start, c.prices, hours))
    starts = sorted({s for s, _, _ in steps if s})
    rows = []
    for start, price, hours in steps:
        until = next((s for s in starts if s > (start or date.min)), None)
        for above in [0, *thresholds(price)]:
            rows.append(Row(rates=rates(price, above), above=above, start=start, until=until, hours=hours, tables="g"))
    last = max((s for s, _, _ in steps if s and s <= today), default=None)
    until = next((s for s in starts if s > today), None)
    seen = set()
    for variant in model.price_variants or ():
        tier = TIERS.get(next(iter(variant.when.items()))) if len(variant.when) == 1 else None
        if tier is None or not rates(variant.prices, 0):
            continue
        # A variant's start is when the table began to list it, unless it is still to come.
        begins = variant.constraint.start_date if isinstance(variant.constraint, StartDateConstraint) else None
        begins, ends = (begins, None) if begins and begins > today else (last, until)
        current = [p for s, p, h in steps if s == (begins if begins in starts else last) and h is None]
        if not current or (tier, begins) in seen:
            continue
        seen.add((tier, begins))
        for above in sorted({0, *thresholds(variant.prices)}):
            merged = {**rates(current[0], above), **rates(variant.prices, above)}
            rows.append(Row(rates=merged, above=above, start=begins, until=ends, tier=tier, tables="g"))
    if ":free" in model.id:
        return [r.but(rates={"in": Decimal(0), "out": Decimal(0), **r.rates}) for r in rows]
    return [r for r in rows if r.rates.get("in") or r.rates.get("out")]


def patterns(match) -> tuple:
    """Names, and patterns: ^TEXT is a beginning, ~TEXT a regular expression."""
    kind = type(match).__name__
    if kind == "ClauseOr":
        names, found = [], []
        for m in match.or_:
            n, p = patterns(m)
            names, found = names + n, found + p
        return names, found
    if kind == "ClauseEquals":
        return [match.equals.lower()], []
    if kind == "ClauseStartsWith":
        return [], ["^" + match.starts_with.lower()]
    if kind == "ClauseEndsWith":
        return [], ["~" + re.escape(match.ends_with.lower()).replace(r"\-", "-") + "$"]
    if kind == "ClauseContains":
        return [], ["~" + re.escape(match.contains.lower()).replace(r"\-", "-")]
    if kind == "ClauseRegex" and "(?" not in match.regex:
        return [], ["~" + match.regex]
    if kind == "ClauseAnd":  # a beginning and what must not follow: the book's beginnings never reach over such words
        starts = [m for m in match.and_ if type(m).__name__ == "ClauseStartsWith"]
        rest = [m for m in match.and_ if type(m).__name__ != "ClauseStartsWith"]
        if len(starts) == 1 and all(type(m).__name__ == "ClauseRegex" and "(?!" in m.regex for m in rest):
            return [], ["^" + starts[0].starts_with.lower()]
    if kind == "ClauseAnd" and all(type(m).__name__ in ("ClauseOr", "ClauseContains", "ClauseStartsWith", "ClauseEndsWith") for m in match.and_):
        return [], []
    if kind == "ClauseRegex":
        return [], []
    raise ValueError(f"a new kind of match: {match}")


def read(ids, today):
    """Models of these providers in the table's order: (id, names, patterns, rows, object), and the pages they are from."""
    models, pages = [], []
    for p in providers:
        if p.id not in ids:
            continue
        pages += p.pricing_urls or []
        for m in p.models:
            found = read_model(m, today)
            names, pats = patterns(m.match)
            if found:
                models.append((m.id.lower(), sorted({m.id.lower(), *names}), pats, found, m))
    return models, pages
