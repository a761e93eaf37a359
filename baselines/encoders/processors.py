"""Processors of multimodal checkpoints, for texts and pictures.

`transformers` builds a processor from all its parts or not at all. The part for videos needs a
library that this project does not use. If only that part is missing, the processor is built from
the others: it never gets a video.
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
# Processors read these values of their part for videos even if there is no video.
ABSENT = SimpleNamespace(num_frames=1, fps=1, merge_size=1, temporal_patch_size=1)


def load_processor(folder: Path) -> Any:
    """The processor of a checkpoint folder.

    Raises the errors of `transformers` if a part for texts or pictures is absent or damaged.
    """
    try:
        return AutoProcessor.from_pretrained(folder, local_files_only=True)
    except ImportError:
        return _without_videos(folder)


def _without_videos(folder: Path) -> Any:
    """The processor, built from its tokenizer and image processor."""
    kind: Any = PROCESSOR_MAPPING[type(AutoConfig.from_pretrained(folder, local_files_only=True))]
    if VIDEOS not in kind.get_attributes():
        raise ImportError(f"{kind.__name__} needs a library that is not installed")

    def proper_class(self: Any, name: str, argument: Any) -> Any:
        if name == VIDEOS:
            return type(argument)
        return kind.check_argument_for_proper_class(self, name, argument)

    # The class keeps its name: `transformers` looks things up by it.
    pictures_only: Any = type(kind.__name__, (kind,), {
        "check_argument_for_proper_class": proper_class, "__module__": kind.__module__,
    })  # fmt: skip
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    images = AutoImageProcessor.from_pretrained(folder, local_files_only=True)
    values, _ = kind.get_processor_dict(folder, local_files_only=True)
    template = values.get("chat_template") or tokenizer.chat_template
    parts = {"image_processor": images, "tokenizer": tokenizer, VIDEOS: ABSENT}
    return pictures_only(**parts, chat_template=template)
