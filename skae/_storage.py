"""A trained net as arrays and plain values, which pickle to what they weigh."""

from contextlib import nullcontext

import numpy as np
import torch


def on_cpu():
    """Return a context that makes tensors on the CPU, whatever PyTorch's default is."""
    # Where it is the CPU already, a context would only slow each call down.
    return nullcontext() if torch.empty(0).is_cpu else torch.device("cpu")


def dump(net, with_training):
    """Return what it takes to build `net` again: arrays and plain values."""
    stored = {
        "network": type(net.module_),
        "config": net.module_.config,
        "weights": _as_arrays(net.module_.state_dict()),
        "generator": net.generator.get_state().numpy(),
        "loss_unit": net.loss_unit,
        "solver": net.solver,
        "objective": {
            name: getattr(net.criterion, name)
            for name in ("loss", "over_features", "power")
        },
        "history": [
            {name: value for name, value in epoch.items() if name != "batches"}
            for epoch in net.history
        ],
    }
    if with_training:
        stored["optimizer"] = _as_arrays(net.optimizer_.state_dict())
    return stored


def load_network(stored):
    """Return the network and the generator that `dump` stored."""
    with on_cpu():
        network = stored["network"](**stored["config"])
    weights = _as_tensors(stored["weights"])
    network.to(next(iter(weights.values())).dtype).load_state_dict(weights)
    generator = torch.Generator()
    generator.set_state(torch.from_numpy(np.array(stored["generator"])))
    return network.eval(), generator


def load_training(net, stored):
    """Initialise `net` as it was, with the history and, if stored, the optimiser."""
    net.initialize()
    net.loss_unit = stored["loss_unit"]
    for epoch in stored["history"]:
        net.history.new_epoch()
        net.history[-1].update(epoch)
    if "optimizer" in stored:
        net.optimizer_.load_state_dict(_as_tensors(stored["optimizer"]))
    return net


def _as_arrays(tree):
    if isinstance(tree, dict):
        return {key: _as_arrays(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [_as_arrays(value) for value in tree]
    return tree.cpu().numpy().copy() if isinstance(tree, torch.Tensor) else tree


def _as_tensors(tree):
    if isinstance(tree, dict):
        return {key: _as_tensors(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [_as_tensors(value) for value in tree]
    # A copy, for what joblib maps from a file must not be written to.
    return torch.from_numpy(np.array(tree)) if isinstance(tree, np.ndarray) else tree
