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


class BudgetReachedError(EnvironmentFailure):
    """What a run may spend is spent (exit code 3); what was answered is kept."""


class Prices(Struct, frozen=True):
    """Prices of a million tokens; None: not known."""

    prompt: float | None = None
    completion: float | None = None
    currency: str = "USD"

    def cost(self, spent: Mapping[str, int]) -> float | None:
        """What the tokens of `spent` cost, to six decimals; None where a price is not known."""
        if self.prompt is None or self.completion is None:
            return None
        total = spent.get(PROMPT, 0) * self.prompt + spent.get(COMPLETION, 0) * self.completion
        return round(total / MILLION, 6)


class Purse:
    """What this process has spent in this run, earlier parts of the run included.

    What a kept reply has cost counts as if it were paid now: the same run stops at the same turn.
    """

    def __init__(self, prices: Prices, money: float | None, tokens: int | None) -> None:
        self._prices, self._money, self._tokens = prices, money, tokens
        self._spent: Counter[str] = Counter()

    def add(self, spent: Mapping[str, int]) -> None:
        """Count what was spent."""
        self._spent.update(spent)

    def check(self) -> None:
        """Raise BudgetReachedError if nothing more may be asked."""
        tokens = self._spent[PROMPT] + self._spent[COMPLETION]
        if self._tokens is not None and tokens >= self._tokens:
            raise _reached(f"{tokens:,} of {self._tokens:,} tokens", "budget_tokens")
        cost = self._prices.cost(self._spent)
        if self._money is not None and cost is not None and cost >= self._money:
            currency = self._prices.currency
            raise _reached(f"{cost:g} of {self._money:g} {currency}", "budget")

    def bill(self, spent: Mapping[str, int]) -> dict[str, int | float | str]:
        """The card's cost: requests, tokens, and money where prices are known."""
        told: dict[str, int | float | str] = {
            name: spent[name] for name in (REQUESTS, PROMPT, COMPLETION) if name in spent
        }
        cost = self._prices.cost(spent)
        return told if cost is None else told | {self._prices.currency: cost}


def added(*counts: Mapping[str, int]) -> dict[str, int]:
    """The sums of several counts."""
    total: Counter[str] = Counter()
    for each in counts:
        total.update(each)
    return dict(total)


def _reached(what: str, setting: str) -> BudgetReachedError:
    return BudgetReachedError(
        f"the budget is used up ({what}); what was answered is kept: the same command with a "
        f"larger --set {setting} goes on from there"
    )
