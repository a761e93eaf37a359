"""Usage is counted, priced and held to a budget."""

import pytest

from harness.chat.usage import BudgetExceededError, Prices, UsageTracker, add_usage


@pytest.mark.parametrize(
    ("prices", "expected"),
    [
        (Prices(2.5, 10.0), 0.000350),
        (Prices(0.0, 0.0), 0.0),
        (Prices(2.5, None), None),
        (Prices(), None),
    ],
)
def test_money_is_tokens_times_prices_of_a_million(prices, expected):
    usage = {"requests": 1, "prompt_tokens": 100, "completion_tokens": 10, "milliseconds": 5}
    assert prices.cost(usage) == expected
    counts = {"requests": 1, "prompt_tokens": 100, "completion_tokens": 10}
    assert UsageTracker(prices).cost(usage) == (
        counts if expected is None else counts | {"USD": expected}
    )


def test_a_budget_is_used_up_when_as_much_is_counted():
    tracker = UsageTracker(Prices(1.0, 1.0), budget=0.001)
    tracker.add({"prompt_tokens": 999})
    tracker.check()
    tracker.add({"completion_tokens": 1})
    with pytest.raises(BudgetExceededError, match=r"0.001 of 0.001 USD"):
        tracker.check()


def test_a_budget_of_tokens_counts_both_kinds():
    tracker = UsageTracker(Prices(), budget_tokens=10)
    tracker.add({"prompt_tokens": 6, "milliseconds": 99})
    tracker.check()
    tracker.add({"completion_tokens": 4})
    with pytest.raises(BudgetExceededError, match="10 of 10 tokens"):
        tracker.check()


def test_counts_are_added_by_name():
    assert add_usage({"requests": 1}, {}, {"requests": 2, "USD": 3}) == {"requests": 3, "USD": 3}
