"""What programs hand in: places, and answers."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

PathText = str | os.PathLike[str]
# What a system may answer a turn with (harness.api.answers reads it).
Answerable = str | Mapping[str, Any] | Iterable[Any]
