"""The network that a user of skorch would write by hand."""

import numpy as np
import torch
from skorch import NeuralNetRegressor
from skorch.callbacks import EarlyStopping
from skorch.dataset import ValidSplit
from torch import nn


class Plain(nn.Module):
    """Encoder (256, 128), ReLU, a linear code, and the mirrored decoder."""

    def __init__(self, n_features, n_components):
        super().__init__()
        self.encoder = nn.Sequential(
            *(nn.Linear(n_features, 256), nn.ReLU()),
            *(nn.Linear(256, 128), nn.ReLU()),
            nn.Linear(128, n_components),
        )
        self.decoder = nn.Sequential(
            *(nn.Linear(n_components, 128), nn.ReLU()),
            *(nn.Linear(128, 256), nn.ReLU()),
            nn.Linear(256, n_features),
        )

    def forward(self, x):
        """Return the reconstruction."""
        return self.decoder(self.encoder(x))


def fit_reference(X, n_components, seed, max_epochs=200):
    """Fit it with Adam at 1e-3 in batches of 128, stopping early on a tenth."""
    X = np.asarray(X, dtype=np.float32)
    torch.manual_seed(seed)
    net = NeuralNetRegressor(
        Plain(X.shape[1], n_components),
        optimizer=torch.optim.Adam,
        lr=1e-3,
        batch_size=128,
        max_epochs=max_epochs,
        train_split=ValidSplit(0.1, random_state=seed),
        callbacks=[EarlyStopping(patience=10, load_best=True)],
        verbose=0,
    )
    return net.fit(X, X)
