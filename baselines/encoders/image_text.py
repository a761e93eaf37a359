"""Image-text models of the CLIP kind: any such `transformers` checkpoint, by path or by name.

CLIP, Chinese CLIP, SigLIP and SigLIP 2 differ here in their tokenizer and in what
preprocessor_config.json says of size, crop, mean and deviation. Frames come scaled and cut by
`ClipModel.sampler` (libswscale, bicubic), so what is left of the image processor is its arithmetic.
SigLIP 2 with a flexible resolution is given square frames. Only safetensors are read, and no code
that a checkpoint brings is run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
import transformers
from numpy.typing import NDArray
from torch import Tensor, nn

from baselines.encoders.resolve import loading, located
from baselines.video.sampling import Frames, Sampler
from harness.errors import EnvironmentFailure, WrongUsageError
from harness.files import shown

# The library's factories carry no types of their own.
AutoImageProcessor: Any = transformers.AutoImageProcessor
AutoModel: Any = transformers.AutoModel
AutoTokenizer: Any = transformers.AutoTokenizer

PADDED = ("siglip", "siglip2")  # trained on texts filled up to their full length
BATCH = 64  # frames
VOCABULARIES = ("tokenizer.json", "vocab.json", "vocab.txt", "spiece.model", "tokenizer.model")


class Preprocessing(NamedTuple):
    """What is left to do with a scaled frame: `scale` to `size`, (x * factor - mean) / deviation.

    size: pixels a side that the model sees; scaled: pixels a side that frames come in, of which the
    middle is taken; crop: as in Sampler. patch: pixels a side of a patch if the model takes rows of
    patches, else None.
    """

    size: int
    scaled: int
    crop: bool
    factor: float
    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    patch: int | None = None


class ClipModel:
    """A loaded checkpoint: frames and texts to unit vectors of one space.

    network: the `transformers` model, on the accelerator if there is one. key: names weights and
    preprocessing. An embedding depends on its own frame's video or its own text
    alone: texts go through one by one, a video's frames in batches of 64.
    """

    def __init__(self, network: Any, tokenizer: Any, prepared: Preprocessing, key: str):
        self.network, self.key, self._prepared = network, key, prepared
        self.tokenizer = tokenizer
        self.network.to("cuda" if torch.cuda.is_available() else "cpu").eval()

    @property
    def device(self) -> torch.device:
        """Where its weights are: training may have moved them."""
        found: torch.device = self.network.logit_scale.device
        return found

    @property
    def encoder(self) -> ClipModel:
        """Itself, as an encoder of frames (baselines/video/features.py)."""
        return self

    @property
    def width(self) -> int:
        """The length of an embedding."""
        return int(self.texts([""]).shape[1])

    @property
    def parameters(self) -> int:
        """How many weights it has."""
        return sum(weight.numel() for weight in self.network.parameters())

    def sampler(self, rate: float, most: int | None) -> Sampler:
        """Frames at `rate` a second, at most `most`, in the size that this checkpoint reads."""
        return Sampler(rate, self._prepared.scaled, most, self._prepared.crop)

    @torch.inference_mode()
    def encode(self, frames: Frames) -> NDArray[np.float32]:
        """Unit embeddings of one video's frames: shape (n, d)."""
        parts = [
            self.images(torch.from_numpy(frames.pixels[at : at + BATCH].copy()))
            for at in range(0, max(1, len(frames.pixels)), BATCH)
        ]
        return np.concatenate([part.cpu().numpy() for part in parts])

    @torch.inference_mode()
    def texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit embeddings of texts: shape (n, d). A text that is too long loses its beginning."""
        return np.concatenate([self.text(text).cpu().numpy() for text in texts])

    def images(self, pixels: Tensor) -> Tensor:
        """Unit embeddings with their gradients; `pixels` is uint8, (n, scaled, scaled, 3)."""
        told = _image_inputs(pixels.to(self.device), self._prepared)
        return _unit(self.network.get_image_features(**told))

    def text(self, text: str) -> Tensor:
        """The unit embedding of one text with its gradient: shape (1, d)."""
        told = self.tokenizer(text, return_tensors="pt").to(self.device)
        return _unit(self.network.get_text_features(**told))


class _Tokenizer:
    """A checkpoint's tokenizer, with the length and the padding that its text model expects."""

    def __init__(self, tokenizer: Any, config: Any) -> None:
        self.inner = tokenizer
        tokenizer.truncation_side = "left"  # of a dialogue, the latest words count most
        longest = min(tokenizer.model_max_length, config.text_config.max_position_embeddings)
        padding = "max_length" if config.model_type in PADDED else False
        self._options = {"truncation": True, "max_length": longest, "padding": padding}

    def __call__(self, text: str, **options: Any) -> Any:
        return self.inner(text, **self._options, **options)


def load_clip(
    checkpoint: str, revision: str | None, note: Callable[[str], None] | None = None
) -> ClipModel:
    """Load a checkpoint folder, or a name and revision that `hf download` has fetched.

    Raises EnvironmentFailure if it is absent or damaged, WrongUsageError if it is of another kind
    or if a folder is given a revision.
    """
    folder, key = located(checkpoint, revision)
    with loading(checkpoint, folder):
        network, report = AutoModel.from_pretrained(
            folder, use_safetensors=True, dtype=torch.float32, output_loading_info=True
        )
        _check_kind(checkpoint, network, report)
        _check_tokenizer(checkpoint, folder)
        processor = AutoImageProcessor.from_pretrained(folder)
        tokenizer = _Tokenizer(AutoTokenizer.from_pretrained(folder), network.config)
    model = ClipModel(network, tokenizer, _preprocessing(checkpoint, processor, network), key)
    if note is not None:
        kind = network.config.model_type
        note(f"{checkpoint}: {kind}, {model.parameters:,} weights, on {model.device.type}")
    return model


def save_clip(model: ClipModel, source: str, revision: str | None, folder: Path) -> None:
    """Write the weights as they are now, with the rest of the checkpoint `source`, to `folder`."""
    with loading(source, folder):
        model.network.save_pretrained(folder)
        model.tokenizer.inner.save_pretrained(folder)
        processor = AutoImageProcessor.from_pretrained(located(source, revision).folder)
        processor.save_pretrained(folder)


def _image_inputs(pixels: Tensor, prepared: Preprocessing) -> dict[str, Tensor]:
    """uint8 (n, scaled, scaled, 3) to what the model's image part is called with."""
    margin = (prepared.scaled - prepared.size) // 2
    cut = pixels[:, margin : margin + prepared.size, margin : margin + prepared.size]
    mean, deviation = (cut.new_tensor(of, dtype=torch.float32) for of in prepared[4:6])
    values = (cut * prepared.factor - mean) / deviation  # (n, size, size, 3)
    if prepared.patch is None:
        return {"pixel_values": values.permute(0, 3, 1, 2)}
    side, patch = prepared.size // prepared.patch, prepared.patch
    rows = values.reshape(-1, side, patch, side, patch, 3)
    shape = torch.tensor([[side, side]], device=pixels.device).expand(len(pixels), 2)
    return {
        "pixel_values": rows.transpose(2, 3).reshape(-1, side * side, patch * patch * 3),
        "pixel_attention_mask": shape.new_ones(len(pixels), side * side),
        "spatial_shapes": shape,
    }


def _unit(output: Any) -> Tensor:
    """A model's projected embeddings, each of length 1."""
    return nn.functional.normalize(output.pooler_output, dim=-1)


def _preprocessing(checkpoint: str, processor: Any, network: Any) -> Preprocessing:
    """What preprocessor_config.json asks for, its class's defaults filled in."""
    factor = float(processor.rescale_factor) if processor.do_rescale else 1.0
    mean, deviation = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
    if processor.do_normalize:
        mean, deviation = tuple(processor.image_mean), tuple(processor.image_std)
    patches = getattr(processor, "max_num_patches", None)
    if patches is not None:
        side, patch = int(patches**0.5) * processor.patch_size, processor.patch_size
        return Preprocessing(side, side, False, factor, mean, deviation, patch)
    size = processor.size
    scaled = size.get("shortest_edge") or size.get("height")
    seen = processor.crop_size["height"] if processor.do_center_crop else scaled
    expected = network.config.vision_config.image_size
    if seen != expected or scaled < seen:
        raise WrongUsageError(
            f"{checkpoint}: preprocessor_config.json makes pictures of {seen} pixels a side, but "
            f"the model sees {expected}; take the file that belongs to the weights"
        )
    return Preprocessing(seen, scaled, "shortest_edge" in size, factor, mean, deviation)


def _check_tokenizer(checkpoint: str, folder: Path) -> None:
    """Without its files `transformers` makes an empty one, which knows no word."""
    if not any((folder / name).is_file() for name in VOCABULARIES):
        raise EnvironmentFailure(
            f"{checkpoint}: has no tokenizer; expected one of {', '.join(VOCABULARIES)}; "
            "fetch it again"
        )


def _check_kind(checkpoint: str, network: Any, report: Any) -> None:
    kind = network.config.model_type
    if not (hasattr(network, "get_image_features") and hasattr(network.config, "text_config")):
        raise WrongUsageError(
            f"{checkpoint}: is a model of type {shown(kind)}, not an image-text model of the CLIP "
            "kind (clip, chinese_clip, siglip, siglip2)"
        )
    if lacking := sorted(report["missing_keys"]):
        raise EnvironmentFailure(
            f"{checkpoint}: lacks {len(lacking)} weights, such as {lacking[0]}; fetch it again"
        )
