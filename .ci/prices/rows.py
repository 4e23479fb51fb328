"""A row of prices and what it is written as."""
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

ORDER = ["in", "read", "write", "write1h", "audio", "image", "out", "reason", "audio-out", "image-out"]


@dataclass(frozen=True)
class Row:
    rates: dict
    above: int = 0
    tier: str = ""
    start: date | None = None
    until: date | None = None
    hours: tuple | None = None
    days: str = ""
    tables: str = ""
    page: str | None = None
    other: tuple | None = None  # (table, rates)
    why: str = ""

    def but(self, **more):
        return replace(self, **more)

    def conditions(self):
        return (self.tier, self.above, self.hours, self.days)

    def key(self):
        """Standard and small first, then by time."""
        return (self.tier, self.start or date.min, self.hours is None, self.days, self.hours or (), self.above)

    def text(self, page: str | None) -> str:
        parts = []
        if self.tier:
            parts.append(f"tier={self.tier}")
        if self.above:
            parts.append(f"above={self.above}")
        if self.start:
            parts.append(f"from={self.start}")
        if self.until:
            parts.append(f"until={self.until}")
        if self.hours and self.hours != (0, 1440):
            parts.append("hours=" + "-".join(f"{m // 60 % 24:02d}:{m % 60:02d}" for m in self.hours))
        if self.days:
            parts.append(f"days={self.days}")
        parts += prices(self.rates)
        parts.append(f"src={self.tables}")
        if self.page and self.page != page:
            parts.append(f"page={self.page}")
        if self.other:
            table, rates = self.other
            parts.append(f"why={self.why} other={table}:" + ",".join(prices(rates)))
        return " ".join(parts)


def number(d: Decimal) -> str:
    text = format(round(d, 12), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def prices(rates: dict) -> list:
    return [f"{k}={number(rates[k])}" for k in ORDER if k in rates]
