"""Published InterLLaVA as a network over videos: pixels, frame encoder, video tokens."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from baselines.interllava.model import EncodedFrames
from baselines.interllava.published.published_data import VideoFrames
from baselines.interllava.published.published_files import PublishedModel
from baselines.interllava.training import TurnBatch

MEAN = (0.48145466, 0.4578275, 0.40821073)  # CLIP's normalisation: red, green, blue
DEVIATION = (0.26862954, 0.26130258, 0.27577711)


class PublishedNetwork(nn.Module):
    """The published model with its frame encoder in front; it encodes one video at a time."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, model: PublishedModel) -> None:
        super().__init__()
        self.vision, self.net = model.vision, model.net
        self.register_buffer("mean", torch.tensor(MEAN)[:, None, None], persistent=False)
        self.register_buffer("deviation", torch.tensor(DEVIATION)[:, None, None], persistent=False)

    def encode_frames(self, batch: TurnBatch) -> Tensor | None:
        """The video tokens of a batch: (video tokens, width); None of no video."""
        return self.net.encode_videos([self._encode_video(video) for video in batch.visual])

    @torch.no_grad()
    def _encode_video(self, video: VideoFrames) -> EncodedFrames:
        pixels = (video.pixels.permute(0, 3, 1, 2) / 255 - self.mean) / self.deviation
        frozen = next(self.vision.parameters()).dtype
        features = self.vision(pixels.to(frozen)).last_hidden_state
        trained = next(self.net.tokens.parameters()).dtype
        return EncodedFrames(
            features[None].to(trained), video.text_ids[None], video.text_mask[None]
        )
