"""`python -m tests.mutants`."""

from tests.mutants.planting import main

raise SystemExit(main())
