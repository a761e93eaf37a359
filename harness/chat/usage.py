"""What an assistant's answers cost: counts, prices, and the budget that a run may not pass."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from msgspec import Struct

from harness.errors import EnvironmentFailure

MILLION = 1_000_000
REQUESTS, PROMPT, COMPLETION = "requests", "prompt_tokens", "completion_tokens"
UNCOUNTED = "replies without a count of tokens"
ABSTAINED = "abstained: "


class BudgetExceededError(EnvironmentFailure):
    """What a run may spend is usage (exit code 3); what was answered is kept."""


class Prices(Struct, frozen=True):
    """Prices of a million tokens; None: not known."""

    prompt: float | None = None
    completion: float | None = None
    currency: str = "USD"

    def cost(self, usage: Mapping[str, int]) -> float | None:
        """What the tokens of `usage` cost, to six decimals; None where a price is not known."""
        if self.prompt is None or self.completion is None:
            return None
        total = usage.get(PROMPT, 0) * self.prompt + usage.get(COMPLETION, 0) * self.completion
        return round(total / MILLION, 6)


class UsageTracker:
    """What this process has usage in this run, earlier parts of the run included.

    What a kept reply has cost counts as if it were paid now: the same run stops at the same turn.
    """

    def __init__(self, prices: Prices, money: float | None, tokens: int | None) -> None:
        self._prices, self._money, self._tokens = prices, money, tokens
        self._spent: Counter[str] = Counter()

    def add(self, usage: Mapping[str, int]) -> None:
        """Count what was usage."""
        self._spent.update(usage)

    def check(self) -> None:
        """Raise BudgetReachedError if nothing more may be asked."""
        tokens = self._spent[PROMPT] + self._spent[COMPLETION]
        if self._tokens is not None and tokens >= self._tokens:
            raise _reached(f"{tokens:,} of {self._tokens:,} tokens", "budget_tokens")
        cost = self._prices.cost(self._spent)
        if self._money is not None and cost is not None and cost >= self._money:
            currency = self._prices.currency
            raise _reached(f"{cost:g} of {self._money:g} {currency}", "budget")

    def cost(self, usage: Mapping[str, int]) -> dict[str, int | float | str]:
        """The card's cost: requests, tokens, and money where prices are known."""
        told: dict[str, int | float | str] = {
            name: usage[name] for name in (REQUESTS, PROMPT, COMPLETION) if name in usage
        }
        cost = self._prices.cost(usage)
        return told if cost is None else told | {self._prices.currency: cost}


def added(*counts: Mapping[str, int]) -> dict[str, int]:
    """The sums of several counts."""
    total: Counter[str] = Counter()
    for each in counts:
        total.update(each)
    return dict(total)


def _reached(what: str, setting: str) -> BudgetExceededError:
    return BudgetExceededError(
        f"the budget is used up ({what}); what was answered is kept: the same command with a "
        f"larger --set {setting} goes on from there"
    )
