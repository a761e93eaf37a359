"""Modules small enough to train in a second."""

import numpy as np
import pytorch_lightning as pl
import torch
from torch import nn
from torch.utils.data import DataLoader

from baselines.training.batches import StepBatches, gather

RNG = np.random.default_rng(7)
INPUTS = torch.tensor(RNG.normal(size=(40, 6)), dtype=torch.float32)
TARGETS = INPUTS @ torch.tensor(RNG.normal(size=(6, 3)), dtype=torch.float32)


class GradientRecorder(pl.LightningModule):
    """Records the gradients of each step, as the optimizer gets them."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(3)
        self.grads = []

    def on_before_optimizer_step(self, optimizer):
        self.grads.append({n: p.grad.detach().clone() for n, p in self.named_parameters()})


class Contrastive(GradientRecorder):
    """Two encoders; each row is compared with its own partner and with all other rows'."""

    def __init__(self):
        super().__init__()
        self.left, self.right = nn.Linear(6, 5), nn.Linear(3, 5)

    def loss(self, batch):
        left, right = (
            gather(nn.functional.normalize(encoder(rows), dim=1))
            for encoder, rows in zip((self.left, self.right), batch, strict=True)
        )
        logits = left @ right.T / 0.1
        gold = torch.arange(len(logits))
        return nn.functional.cross_entropy(logits, gold) + nn.functional.cross_entropy(
            logits.T, gold
        )

    def training_step(self, batch, _):
        return self.loss(batch)

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


class Regression(GradientRecorder):
    """Two layers, dropout, a schedule; logs the validation loss and the share of right signs."""

    def __init__(self, dropout=0.2, rate=0.05):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Dropout(dropout), nn.Linear(8, 3))
        self.rate = rate
        self.seen = []

    def training_step(self, batch, _):
        self.seen.append([round(float(x), 5) for x in batch[0][:, 0]])
        return nn.functional.mse_loss(self.net(batch[0]), batch[1])

    def validation_step(self, batch, _):
        output = self.net(batch[0])
        self.log("loss", nn.functional.mse_loss(output, batch[1]))
        self.log("signs", ((output > 0) == (batch[1] > 0)).float().mean())

    def configure_optimizers(self):
        optimizer = torch.optim.AdamW(self.parameters(), lr=self.rate)
        schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.1, self.trainer.max_steps)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def pairs(rows):
    return INPUTS[list(rows)], TARGETS[list(rows)]


def draw(step, generator):
    return generator.choice(len(INPUTS), 4, replace=False)


def batches(seed=0, collate=pairs):
    return StepBatches(draw, collate, seed=seed)


def validation():
    return DataLoader(list(zip(INPUTS, TARGETS, strict=True)), batch_size=20)
