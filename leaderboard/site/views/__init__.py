"""Views of tables: filters by what cards declare, value against cost, the best figure so far."""
