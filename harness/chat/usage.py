"""Usage of a chat model: counts, prices, and the budget of a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from msgspec import Struct

from harness.errors import EnvironmentFailure

MILLION = 1_000_000
REQUESTS, PROMPT, COMPLETION = "requests", "prompt_tokens", "completion_tokens"
UNCOUNTED = "replies without a count of tokens"
BY_SCHEMA, IN_WORDS = "asked by a schema", "asked in plain words"
CUT = "replies cut off at the limit"
ABSTAINED = "abstained: "
UNANSWERED = "unanswered: "  # not the model's abstention: its reply did not come, or not whole
UNEXPLAINED = "moment without words: "


class BudgetExceededError(EnvironmentFailure):
    """The budget of a run is used up (exit code 3); replies so far are kept."""


class Prices(Struct, frozen=True):
    """Prices of a million tokens; None: unknown."""

    prompt: float | None = None
    completion: float | None = None
    currency: str = "USD"

    def cost(self, usage: Mapping[str, int]) -> float | None:
        """The price of the tokens in `usage`, to six decimals; None if a price is unknown."""
        if self.prompt is None or self.completion is None:
            return None
        total = usage.get(PROMPT, 0) * self.prompt + usage.get(COMPLETION, 0) * self.completion
        return round(total / MILLION, 6)


class UsageTracker:
    """The usage of a run in this process, earlier parts of the run included.

    A reply from the cache counts as if it were paid for now: so the same run ends at the same turn.
    budget: in the currency of the prices; budget_tokens: in tokens (None: no limit).
    """

    def __init__(
        self, prices: Prices, budget: float | None = None, budget_tokens: int | None = None
    ) -> None:
        self._prices, self._budget, self._budget_tokens = prices, budget, budget_tokens
        self._total: Counter[str] = Counter()

    def add(self, usage: Mapping[str, int]) -> None:
        """Count the usage of a request, or of an earlier part of the run."""
        self._total.update(usage)

    def check(self) -> None:
        """Raises BudgetExceededError if the budget is used up."""
        tokens = self._total[PROMPT] + self._total[COMPLETION]
        if self._budget_tokens is not None and tokens >= self._budget_tokens:
            raise _exceeded(f"{tokens:,} of {self._budget_tokens:,} tokens", "budget_tokens")
        cost = self._prices.cost(self._total)
        if self._budget is not None and cost is not None and cost >= self._budget:
            currency = self._prices.currency
            raise _exceeded(f"{cost:g} of {self._budget:g} {currency}", "budget")

    def cost(self, usage: Mapping[str, int]) -> dict[str, int | float | str]:
        """The card's cost: requests, tokens, and money where prices are known."""
        counts: dict[str, int | float | str] = {
            name: usage[name] for name in (REQUESTS, PROMPT, COMPLETION) if name in usage
        }
        cost = self._prices.cost(usage)
        return counts if cost is None else counts | {self._prices.currency: cost}


def add_usage(*counts: Mapping[str, int]) -> dict[str, int]:
    """The sums of several counts, by name."""
    total: Counter[str] = Counter()
    for each in counts:
        total.update(each)
    return dict(total)


def _exceeded(what: str, setting: str) -> BudgetExceededError:
    return BudgetExceededError(
        f"the budget is used up ({what}); replies so far are kept: the same command with a "
        f"larger --set {setting} goes on from there"
    )
