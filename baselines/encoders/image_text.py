"""Image-text models of the CLIP kind: any such `transformers` checkpoint, by path or by name.

CLIP, Chinese CLIP, SigLIP and SigLIP 2 differ here in their tokenizer and in the size, crop, mean
and deviation in preprocessor_config.json. `ClipModel.sampler` already scales and crops the frames
(libswscale, bicubic), so only the arithmetic of the image processor is left to do. SigLIP 2 with a
flexible resolution gets square frames. Only safetensors are read, and no code of a checkpoint is
run.
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

from baselines.encoders.resolve import loading, locate_checkpoint
from baselines.video.sampling import Frames, Sampler
from harness.errors import EnvironmentFailure, WrongUsageError
from harness.files import shown

# The library's factories carry no types of their own.
AutoImageProcessor: Any = transformers.AutoImageProcessor
AutoModel: Any = transformers.AutoModel
AutoTokenizer: Any = transformers.AutoTokenizer

PADDED = ("siglip", "siglip2")  # trained on texts padded to their full length
BATCH = 64  # frames
VOCABULARIES = ("tokenizer.json", "vocab.json", "vocab.txt", "spiece.model", "tokenizer.model")


class Preprocessing(NamedTuple):
    """How a scaled frame becomes a model's input: cut to `size`, (x * factor - mean) / deviation.

    size: side of the model's input in pixels; scaled: side of the frames, of which the middle is
    used; crop: as in Sampler. patch: side of a patch if the model takes rows of patches, else None.
    """

    size: int
    scaled: int
    crop: bool
    factor: float
    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    patch: int | None = None


class ClipModel:
    """A loaded checkpoint: maps frames and texts to unit vectors of one space.

    network: the `transformers` model, on the accelerator if there is one. key: names weights and
    preprocessing. An embedding depends only on its own text or its own frame's video: texts are
    embedded one by one, a video's frames in batches of 64.
    """

    def __init__(self, network: Any, tokenizer: Any, preprocessing: Preprocessing, key: str):
        """tokenizer: called with one text and `return_tensors`."""
        self.network, self.key, self._preprocessing = network, key, preprocessing
        self.tokenizer = tokenizer
        self.network.to("cuda" if torch.cuda.is_available() else "cpu").eval()

    @property
    def device(self) -> torch.device:
        """The device of its weights: training may have moved them."""
        device: torch.device = self.network.logit_scale.device
        return device

    @property
    def encoder(self) -> ClipModel:
        """Itself, as an encoder of frames (baselines/video/features.py)."""
        return self

    @property
    def width(self) -> int:
        """The width of an embedding."""
        return int(self.texts([""]).shape[1])

    @property
    def parameters(self) -> int:
        """The number of its weights."""
        return sum(weight.numel() for weight in self.network.parameters())

    def sampler(self, rate: float, most: int | None) -> Sampler:
        """Frames at `rate` a second, at most `most`, in the size that this checkpoint reads."""
        return Sampler(rate, self._preprocessing.scaled, most, self._preprocessing.crop)

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
        inputs = image_inputs(pixels.to(self.device), self._preprocessing)
        return _unit(self.network.get_image_features(**inputs))

    def text(self, text: str) -> Tensor:
        """The unit embedding of one text with its gradient: shape (1, d)."""
        inputs = self.tokenizer(text, return_tensors="pt").to(self.device)
        return _unit(self.network.get_text_features(**inputs))

    def text_batch(self, texts: Sequence[str]) -> Tensor:
        """Unit embeddings of texts with their gradients: shape (n, d); n > 0.

        For training: shorter texts are padded and masked, which may move the last bits.
        """
        inputs = self.tokenizer.padded(texts).to(self.device)
        return _unit(self.network.get_text_features(**inputs))


class _Tokenizer:
    """A checkpoint's tokenizer, with the length and the padding that its text model expects."""

    def __init__(self, tokenizer: Any, config: Any) -> None:
        self.inner = tokenizer
        tokenizer.truncation_side = "left"  # the latest words of a dialogue matter most
        longest = min(tokenizer.model_max_length, config.text_config.max_position_embeddings)
        padding = "max_length" if config.model_type in PADDED else False
        self._options = {"truncation": True, "max_length": longest, "padding": padding}

    def __call__(self, text: str, **options: Any) -> Any:
        return self.inner(text, **self._options, **options)

    def padded(self, texts: Sequence[str]) -> Any:
        """Several texts in one batch, as long as the longest, with a mask."""
        padding = self._options["padding"] or True
        return self.inner(list(texts), **{**self._options, "padding": padding}, return_tensors="pt")


def load_clip(
    checkpoint: str, revision: str | None, note: Callable[[str], None] | None = None
) -> ClipModel:
    """Load a checkpoint: a folder, or a name and revision that `hf download` has fetched.

    Raises EnvironmentFailure if it is absent or damaged, WrongUsageError if it is of another kind
    or if a revision is given for a folder.
    """
    folder, key = locate_checkpoint(checkpoint, revision)
    with loading(checkpoint, folder):
        network = AutoModel.from_pretrained(
            folder, use_safetensors=True, dtype=torch.float32, local_files_only=True
        )
        _check_kind(checkpoint, network)
        _check_tokenizer(checkpoint, folder)
        processor = AutoImageProcessor.from_pretrained(folder)
        tokenizer = _Tokenizer(AutoTokenizer.from_pretrained(folder), network.config)
    model = ClipModel(network, tokenizer, _preprocessing(checkpoint, processor, network), key)
    if note is not None:
        kind = network.config.model_type
        note(f"{checkpoint}: {kind}, {model.parameters:,} weights, on {model.device.type}")
    return model


def save_clip(model: ClipModel, source: str, revision: str | None, folder: Path) -> None:
    """Write the present weights and the other files of the checkpoint `source` to `folder`."""
    with loading(source, folder):
        model.network.save_pretrained(folder)
        model.tokenizer.inner.save_pretrained(folder)
        processor = AutoImageProcessor.from_pretrained(locate_checkpoint(source, revision).folder)
        processor.save_pretrained(folder)


def image_inputs(pixels: Tensor, how: Preprocessing) -> dict[str, Tensor]:
    """Frames, uint8 (n, scaled, scaled, 3), as arguments of a model of pictures."""
    margin = (how.scaled - how.size) // 2
    cut = pixels[:, margin : margin + how.size, margin : margin + how.size]
    mean, deviation = (cut.new_tensor(of, dtype=torch.float32) for of in how[4:6])
    values = (cut * how.factor - mean) / deviation  # (n, size, size, 3)
    if how.patch is None:
        return {"pixel_values": values.permute(0, 3, 1, 2)}
    side, patch = how.size // how.patch, how.patch
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
    """The steps in preprocessor_config.json, with the defaults of its class.

    Raises WrongUsageError if they do not give pictures of the model's size.
    """
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
    cut = processor.crop_size["height"] if processor.do_center_crop else scaled
    expected = network.config.vision_config.image_size
    if cut != expected or scaled < cut:
        raise WrongUsageError(
            f"{checkpoint}: preprocessor_config.json makes pictures of {cut} pixels a side, but "
            f"the model reads {expected}; take the file that belongs to the weights"
        )
    return Preprocessing(cut, scaled, "shortest_edge" in size, factor, mean, deviation)


def _check_tokenizer(checkpoint: str, folder: Path) -> None:
    """Check the tokenizer's files: without them `transformers` makes one without vocabulary."""
    if not any((folder / name).is_file() for name in VOCABULARIES):
        raise EnvironmentFailure(
            f"{checkpoint}: has no tokenizer; expected one of {', '.join(VOCABULARIES)}; "
            "fetch it again"
        )


def _check_kind(checkpoint: str, network: Any) -> None:
    kind = network.config.model_type
    if not (hasattr(network, "get_image_features") and hasattr(network.config, "text_config")):
        raise WrongUsageError(
            f"{checkpoint}: is a model of type {shown(kind)}, not an image-text model of the CLIP "
            "kind (clip, chinese_clip, siglip, siglip2)"
        )
