"""Gives dated names the tiers of the names that they are dated from."""
import re

# As internal/price/names.go has it.
DATED = re.compile(r"[-@](20\d\d-?(0[1-9]|1[0-2])-?(0[1-9]|[12]\d|3[01])|(0[1-9]|1[0-2])([0-2]\d|3[01])|2\d(0[1-9]|1[0-2])|0\d\d|default)$|-latest$")


def standard(rows) -> dict:
    """Prices of the standard tier by their conditions, without what says where they are from."""
    return {(r.conditions(), r.start, r.until): r.rates for r in rows if not r.tier}


def inherit(merged: dict) -> dict:
    """Names → rows, with the rows of tiers that a dated name lacks and the name without its date has. Only where all standard prices are the same:
    else it is another price, and what its tiers cost is not known."""
    out = {}
    for name, rows in merged.items():
        own, shorter, more = {r.tier for r in rows}, name, []
        while (cut := DATED.sub("", shorter)) != shorter:
            shorter = cut
            theirs = merged.get(shorter)
            if theirs and standard(theirs) == standard(rows):
                more += [r for r in theirs if r.tier and r.tier not in own]
                break
        out[name] = rows + more
    return out
