"""The small files that make a sentence-transformers checkpoint of a transformers one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.files import make_folder, readable, write

_KIND = "sentence_transformers.models"


def write_sentence_files(out: Path, *, width: int, longest: int, prompts: dict[str, str]) -> None:
    """Write modules.json and its like: mean pooling, unit length, `prompts` before texts.

    longest: tokens of a text. Raises EnvironmentFailure if the disk fails.
    """
    names = ("Transformer", "Pooling", "Normalize")
    modules = [
        {
            "idx": at,
            "name": str(at),
            "path": f"{at}_{name}" if at else "",
            "type": f"{_KIND}.{name}",
        }
        for at, name in enumerate(names)
    ]
    files: dict[str, Any] = {
        "modules.json": modules,
        "sentence_bert_config.json": {"max_seq_length": longest, "do_lower_case": False},
        "config_sentence_transformers.json": {"prompts": prompts, "default_prompt_name": None},
        "1_Pooling/config.json": {
            "word_embedding_dimension": width,
            "pooling_mode_cls_token": False,
            "pooling_mode_mean_tokens": True,
        },
    }
    for name, value in files.items():
        make_folder((out / name).parent)
        write(out / name, readable(value))
