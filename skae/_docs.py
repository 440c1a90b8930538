"""Texts that every estimator's docstring shares, filled in where a class is made."""

import inspect
from textwrap import indent

PARAMETERS = {
    "n_components": (
        "int",
        "Number of components of the code, at least 1.",
    ),
    "tied_weights": (
        "bool",
        "Whether each decoder layer's weight is the transpose of the encoder layer's\n"
        "it mirrors. Biases stay free.",
    ),
    "alpha": (
        "float",
        "Strength of the penalty on weights (not biases), in [0, inf). It is added to\n"
        "the mean loss of entries scaled to an average variance of 1.",
    ),
    "l1_ratio": (
        "float",
        "Share of L1 in the penalty, in [0, 1]; 0 is L2 alone.",
    ),
    "weight_decay": (
        "float",
        "Weight decay of AdamW, in [0, inf): each step takes it times the learning rate\n"
        "off all trained parameters, unless the network is linear. Only used by\n"
        "``solver='adam'``.",
    ),
    "solver": (
        "{'adam', 'sgd', 'lbfgs'}",
        "Optimiser. 'adam' is AdamW. 'sgd' has a Nesterov momentum of 0.9. 'lbfgs' works on all rows\n"
        "at once and in double precision, makes 20 iterations an epoch, and needs none\n"
        "of `batch_size`, `learning_rate` and `learning_rate_init`.",
    ),
    "learning_rate": (
        "{'constant', 'cosine', 'one_cycle'}",
        "Course of the learning rate over the `max_iter` epochs: constant; a cosine\n"
        "from its full size to zero; or a linear rise over the first fifth, then a\n"
        "cosine to zero.",
    ),
    "learning_rate_init": (
        "float",
        "Largest learning rate, in (0, inf).",
    ),
    "batch_size": (
        "int or 'auto'",
        "Rows in a batch; cut to the number of rows. 'auto' is 64 up to 8192 rows and\n"
        "128 above.",
    ),
    "max_iter": (
        "int or 'auto'",
        "Largest number of epochs.",
    ),
    "tol": (
        "float",
        "Improvement of the loss, in [0, inf), below which an epoch counts as none.",
    ),
    "early_stopping": (
        "bool",
        "Whether to keep `validation_fraction` of the rows out of training, and to put\n"
        "back the weights of the epoch that did best on them. Rows given as `X_val`\n"
        "serve instead of a split, whatever the value here.",
    ),
    "validation_fraction": (
        "float",
        "Share of the rows kept out, in (0, 1). Only used with `early_stopping`.",
    ),
    "n_iter_no_change": (
        "int or None",
        "Training ends when the watched loss (of the validation rows where there are\n"
        "any, else of the training rows) has not improved by `tol` for so many epochs.\n"
        "None never ends it.",
    ),
    "warm_start": (
        "bool",
        "Whether `fit` goes on from the weights, the optimiser's state, the centre and\n"
        "the scale of the previous `fit`.",
    ),
    "callbacks": (
        "list of skorch callbacks or None",
        "Further callbacks of the skorch net. They are cloned before use.",
    ),
    "verbose": (
        "bool or int",
        "Whether to print a line an epoch.",
    ),
    "device": (
        "str",
        "Where to compute: 'cpu', 'cuda', 'cuda:1', 'mps', or 'auto' for the first\n"
        "accelerator there is.",
    ),
    "random_state": (
        "int, RandomState instance or None",
        "Source of the starting weights, of the order of rows and of the split. Pass an\n"
        "int for the same bits in every call. The global random states of NumPy and\n"
        "PyTorch are never touched.",
    ),
    "hidden_layer_sizes": (
        "int or sequence of int",
        "Widths of the encoder's hidden layers, from the input to the code; the decoder\n"
        "mirrors them. ``()`` makes the autoencoder linear, if the activations of code\n"
        "and output are the identity.",
    ),
    "activation": (
        "str",
        "Activation of the hidden layers: 'identity', 'relu', 'leaky_relu', 'elu',\n"
        "'selu', 'gelu', 'silu', 'tanh' or 'logistic'.",
    ),
    "code_activation": (
        "str",
        "Activation of the code, with the same names.",
    ),
    "output_activation": (
        "str",
        "Activation of the reconstruction, with the same names. 'auto' is 'logistic'\n"
        "for ``loss='binary_cross_entropy'``, which accepts no other, and 'identity'\n"
        "for the other losses.",
    ),
    "loss": (
        "{'squared_error', 'absolute_error', 'huber', 'binary_cross_entropy'}",
        "What to minimise over entries. Entries are measured in units of `scale_`;\n"
        "'huber' turns from squared to absolute at 1. 'binary_cross_entropy' needs\n"
        "`X` in [0, 1].",
    ),
    "init": (
        "{'pca', 'random'}",
        "'pca' puts a linear path beside the hidden layers, which starts as PCA, and\n"
        "lets training depart from it; 'random' is the plain network with Glorot's\n"
        "uniform weights.",
    ),
}

ATTRIBUTES = {
    "net_": (
        "AutoencoderNet",
        "The skorch net. Its ``module_`` is the PyTorch network, which takes rows\n"
        "centred by `mean_` and divided by `scale_`.",
    ),
    "mean_": (
        "ndarray of shape (n_features,)",
        "What is subtracted from each column: its mean, or 0 where the output is\n"
        "bounded by its activation.",
    ),
    "scale_": (
        "float",
        "What all columns are divided by: the root of their mean variance, or 1 where\n"
        "the output is bounded by its activation.",
    ),
    "n_components_": ("int", "Number of components of the code."),
    "n_iter_": ("int", "Number of epochs run."),
    "loss_curve_": ("list of float", "Training objective, an entry an epoch."),
    "validation_scores_": (
        "list of float or None",
        "Minus the objective on the validation rows, an entry an epoch; None without\n"
        "validation rows.",
    ),
    "components_": (
        "ndarray of shape (n_components, n_features)",
        "Principal axes read off the weights, in the order of the variance they\n"
        "explain. Only where the network is linear.",
    ),
    "explained_variance_": (
        "ndarray of shape (n_components,)",
        "Variance of the reconstruction along `components_`. Only where the network is\n"
        "linear.",
    ),
    "n_features_in_": ("int", "Number of columns seen in `fit`."),
    "feature_names_in_": (
        "ndarray of shape (n_features_in_,)",
        "Names of the columns seen in `fit`. Only where all of them are strings.",
    ),
}


def _entry(name, kind, text):
    return f"{name} : {kind}\n" + indent(text, "    ")


def documented(cls):
    """Fill ``{parameters}`` and ``{attributes}`` in the docstring of `cls`."""
    parameters = inspect.signature(cls).parameters
    texts = {**PARAMETERS, **getattr(cls, "_parameter_docs", {})}
    lines = [
        _entry(name, f"{texts[name][0]}, default={parameter.default!r}", texts[name][1])
        for name, parameter in parameters.items()
    ]
    attributes = [_entry(name, *entry) for name, entry in ATTRIBUTES.items()]
    doc = inspect.cleandoc(cls.__doc__)
    cls.__doc__ = doc.replace("{parameters}", "\n".join(lines)).replace(
        "{attributes}", "\n".join(attributes)
    )
    return cls
