"""Processors of multimodal checkpoints, for texts and pictures: those of videos are not needed.

`transformers` makes a processor of all its parts or not at all, and the part for videos needs a
library that is not among this project's. Where that part alone is lacking, the processor is made
of the others: no video is ever handed to it.
"""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import transformers
from transformers.models.auto.processing_auto import PROCESSOR_MAPPING

# The library's factories carry no types of their own.
AutoConfig: Any = transformers.AutoConfig
AutoImageProcessor: Any = transformers.AutoImageProcessor
AutoProcessor: Any = transformers.AutoProcessor
AutoTokenizer: Any = transformers.AutoTokenizer
VIDEOS = "video_processor"
# What processors read of their part for videos even where there is no video.
ABSENT = SimpleNamespace(num_frames=1, fps=1, merge_size=1, temporal_patch_size=1)


def load_processor(folder: Path) -> Any:
    """The processor of a checkpoint folder.

    Raises what `transformers` raises where a part for texts or pictures is absent or damaged.
    """
    try:
        return AutoProcessor.from_pretrained(folder, local_files_only=True)
    except ImportError:
        return _without_videos(folder)


def _without_videos(folder: Path) -> Any:
    """The processor made of its tokenizer and image processor."""
    kind: Any = PROCESSOR_MAPPING[type(AutoConfig.from_pretrained(folder, local_files_only=True))]
    if VIDEOS not in kind.get_attributes():
        raise ImportError(f"{kind.__name__} needs a library that is not installed")

    def proper_class(self: Any, name: str, argument: Any) -> Any:
        if name == VIDEOS:
            return type(argument)
        return kind.check_argument_for_proper_class(self, name, argument)

    # It keeps its name: `transformers` looks things up by it.
    made: Any = type(kind.__name__, (kind,), {
        "check_argument_for_proper_class": proper_class, "__module__": kind.__module__,
    })  # fmt: skip
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    images = AutoImageProcessor.from_pretrained(folder, local_files_only=True)
    told, _ = kind.get_processor_dict(folder, local_files_only=True)
    template = told.get("chat_template") or tokenizer.chat_template
    parts = {"image_processor": images, "tokenizer": tokenizer, VIDEOS: ABSENT}
    return made(**parts, chat_template=template)
