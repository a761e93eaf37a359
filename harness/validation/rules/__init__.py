"""The rules of validation, one table: a rule in any module here is found and applied."""
