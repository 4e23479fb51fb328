"""Makes the price book: make.py BOOK. Facts of prices only, from the installed genai-prices and litellm; `make prices` runs it."""
import importlib.metadata
import importlib.util
import pathlib
import sys
from collections import Counter, defaultdict
from datetime import datetime, timezone

import genai
import lite
from providers import PROVIDERS
from tiers import inherit

LEGEND = """\
# The price book: what providers ask for a million tokens, in US dollars. Made by `make prices`; edit .ci/prices instead.
#
# A model is a line PROVIDER NAME…: names that are exactly so (=NAME where it begins with a sign), ^beginnings and ~regular expressions. Its entries follow, one a line.
# tier is the service tier; above, for the whole call when its input has more tokens; from and until, days in UTC; hours in UTC; days of the week, 1 is Monday.
# in, read, write, write1h, audio and image are input, cache reads, cache writes (5 minutes, 1 hour), audio and images in it; out, reason, audio-out and image-out are output.
# table is a source: its letter, name, version and the day on which it was read; provider, a provider and its page of prices.
# src is the table: both where they agree. other is what the other table says, and why says for what reason it was not taken:
#   page   the table that was taken names the provider's own page for this very entry
#   name   the other table has no such name, only a pattern for it
#   tables only the table that was taken keeps the provider's pages, for all its entries
"""


def own_page(row, domains) -> bool:
    page = row.page or ""
    host = page.split("/")[2] if page.startswith("https://") else ""
    return any(host == d or host.endswith("." + d) for d in domains)


def same(a, b) -> bool:
    """Whether two tables agree, to 1 %, on what a token of input and of output costs. What one of them leaves out is no disagreement."""
    for kind in ("in", "out"):
        x, y = a.get(kind), b.get(kind)
        if x and y and abs(x - y) * 100 > max(x, y):
            return False
    return True


def fill(row, other):
    """A row on which both tables agree: the parts that only the other has a price for come from there."""
    more = {k: v for k, v in other.rates.items() if k not in row.rates and (k in ("in", "out") or v != other.rates.get("in"))}
    return row.but(rates={**more, **row.rates}, tables="gl", page=other.page)


def choose(a, b, domains, by_name):
    """One row from what the two tables say otherwise, and the reason."""
    if own_page(b, domains):
        return b.but(start=a.start, until=a.until, other=("g", a.rates), why="page")
    if not by_name:
        return b.but(start=a.start, until=a.until, other=("g", a.rates), why="name")
    return a.but(other=("l", b.rates), why="tables")


def weekends(theirs, ours):
    """Where one table has other prices in some hours of every day and the other only of some days: the hours in which they differ."""
    found = []
    for w in theirs:
        if w.days and not w.hours or w.hours == (0, 1440):
            found += [w.but(hours=g.hours, other=("g", g.rates), why="page") for g in ours if g.hours and not same(g.rates, w.rates)]
    return found


def at_bounds(theirs, ours):
    """One table says "200,000 or more" where the other says "more than 200,000": the one that can say both is right."""
    bounds = {r.above for r in ours}
    return [r.but(above=r.above - 1) if r.above and r.above - 1 in bounds else r for r in theirs]


def merge(g, l, domains, by_name, today):
    """One list of rows from the rows of both tables for one name. The table without dates says what holds today."""
    if not g or not l:
        return g or l
    started = [r.start for r in g if r.start and r.start <= today]
    first, until = (max(started) if started else None), min((r.start for r in g if r.start and r.start > today), default=None)
    then = [r for r in g if r.start != first]
    now = {r.conditions(): r for r in g if r.start == first}
    theirs = {r.conditions(): r.but(start=first, until=until) for r in at_bounds(l, g)}
    base_g, base_l = now.get(("", 0, None, "")), theirs[("", 0, None, "")]
    if any(r.hours for r in l):
        return then + [*theirs.values(), *weekends(theirs.values(), now.values())]
    agree = base_g is not None and same(base_g.rates, base_l.rates)
    lead = base_l if agree or base_g is None else choose(base_g, base_l, domains, by_name)
    out = then
    for c in sorted({*now, *theirs}, key=str):
        a, b = now.get(c), theirs.get(c)
        if a and b:
            out.append(fill(a, b) if same(a.rates, b.rates) else choose(a, b, domains, by_name))
        elif agree or base_g is None and b:
            out.append(a or b)
        elif lead.tables == (a or b).tables:
            out.append((a or b).but(other=lead.other, why=lead.why) if not c[0] else a or b)
    return out


def plain(name: str) -> str:
    return "=" + name if name[0] in "=^~" else name


def provider_lines(book, table, today):
    ids, lite_ids, prefixes, domains = PROVIDERS[book]
    models, pages = genai.read(ids, today)
    named = lite.read(table, lite_ids, prefixes)
    of_name = {}
    for _, names, _, rows, _ in models:
        for n in names:
            of_name.setdefault(n, rows)
    exact = set(of_name)
    for n in named:
        if n not in of_name:
            for _, _, _, rows, m in models:
                if m.is_match(n):
                    of_name[n] = rows
                    break
    merged = {n: merge(of_name.get(n), named.get(n), domains, n in exact, today) for n in {*of_name, *named}}
    merged = {n: sorted(rows, key=lambda r: r.key()) for n, rows in inherit(merged).items()}
    urls = Counter(r.page for rows in merged.values() for r in rows if r.page)
    page = max([*pages[:1], *sorted(urls), "https://" + domains[0]], key=lambda u: urls[u])
    groups, pats = defaultdict(list), defaultdict(list)
    for n, rows in merged.items():
        groups[tuple(r.text(page) for r in rows)].append(n)
    for model, _, found, _, _ in models:
        pats[tuple(r.text(page) for r in merged[model])] += found
    lines = [f"provider {book} {page}"]
    for rows, names in sorted(groups.items(), key=lambda g: min(g[1])):
        lines.append(" ".join([book, *(plain(n) for n in sorted(names)), *sorted(set(pats[rows]))]))
        lines += [" " + r for r in rows]
    return lines


def main():
    table = pathlib.Path(importlib.util.find_spec("litellm").origin).parent / "model_prices_and_context_window_backup.json"
    today = datetime.now(timezone.utc).date()
    lines = [LEGEND.rstrip("\n")]
    for letter, package in (("g", "genai-prices"), ("l", "litellm")):
        lines.append(f"table {letter} {package} {importlib.metadata.version(package)} {today}")
    for book in sorted(PROVIDERS):
        lines += ["", *provider_lines(book, table, today)]
    pathlib.Path(sys.argv[1]).write_text("\n".join(lines) + "\n", encoding="utf-8")


main()
