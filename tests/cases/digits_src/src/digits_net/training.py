"""One training, said line by line."""

import numpy as np

from .model import build
from .scans import split


def train(config, width, lr, seed):
    x_train, x_val, y_train, y_val = split(config["validation_share"])
    model = build(width, lr, seed)
    for epoch in range(1, config["epochs"] + 1):
        model.partial_fit(x_train, y_train, classes=np.arange(10))
        print(f"epoch {epoch}: loss={model.loss_:.4f} val_accuracy={model.score(x_val, y_val):.4f}")
