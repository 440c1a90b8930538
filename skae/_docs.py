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
        "Whether each decoder layer's weight is the transpose of the encoder\n"
        "layer's it mirrors. Biases stay free.",
    ),
    "alpha": (
        "float",
        "Strength of the penalty on weights (not biases), in [0, inf). It is\n"
        "added to the mean loss of entries scaled to an average variance of\n"
        "1, and spares what is not trained of the linear path: all of it, but\n"
        "for the decoder of images. Rows kept out are judged without it, and so\n"
        "may lead back to the start; set ``early_stopping=False`` to keep what\n"
        "it does.",
    ),
    "l1_ratio": (
        "float",
        "Share of L1 in the penalty, in [0, 1]; 0 is L2 alone.",
    ),
    "weight_decay": (
        "float or 'auto'",
        "Weight decay of AdamW, in [0, inf): each step takes it times the\n"
        "learning rate off all trained parameters, unless the network is\n"
        "linear. 'auto' is 2 divided by `learning_rate_init` and by the\n"
        "number of steps, so that it sums up to the same for any number from\n"
        "100 on; a warm start takes at least the steps of ``max_iter='auto'``\n"
        "for it. Only used by ``solver='adam'``.",
    ),
    "solver": (
        "{'adam', 'sgd', 'lbfgs'}",
        "Optimiser. 'adam' is AdamW. 'sgd' has a Nesterov momentum of 0.9.\n"
        "'lbfgs' works on all rows at once and in double precision, makes 20\n"
        "iterations an epoch, and needs none of `batch_size`, `learning_rate`\n"
        "and `learning_rate_init`. It bears no noise, and so neither\n"
        "corruption nor ordered or binary codes.",
    ),
    "learning_rate": (
        "{'constant', 'cosine', 'one_cycle'}",
        "Course of the learning rate over the `max_iter` epochs: constant; a\n"
        "cosine from its full size to zero; or a linear rise over the first\n"
        "tenth, then a linear fall to zero. A callback that schedules the rate\n"
        "needs 'constant'.",
    ),
    "learning_rate_init": (
        "float",
        "Largest learning rate, in (0, inf).",
    ),
    "batch_size": (
        "int or 'auto'",
        "Rows in a batch; cut to the number of rows. 'auto' is the power of\n"
        "two between 32 and 256 nearest to 1.5 times the root of the number\n"
        "of rows.",
    ),
    "max_iter": (
        "int or 'auto'",
        "Largest number of epochs. 'auto' is 36, or as many as make about 200\n"
        "steps (for ``corruption='gaps'`` two a row, but 500 to 2000); 50 for\n"
        "``solver='lbfgs'``.",
    ),
    "tol": (
        "float",
        "Improvement of the loss, in [0, inf), below which an epoch counts as\nnone.",
    ),
    "early_stopping": (
        "bool",
        "Whether to keep `validation_fraction` of the rows out of training,\n"
        "and to put back the weights of the epoch that did best on them. Rows\n"
        "given as `X_val` serve instead, whatever the value here. If training\n"
        "starts at PCA, fewer than 1000 rows serve in three folds, whatever\n"
        "the fraction: the folds choose the epoch up to which all rows are\n"
        "then trained on; and PCA is left only for epochs by which the rows\n"
        "kept out gain by more than a standard error, and more of them gain\n"
        "than lose by more than two standard deviations of chance; for\n"
        "``corruption='gaps'`` if they gain at all.",
    ),
    "validation_fraction": (
        "float",
        "Share of the rows kept out, in (0, 1). Only used with\n`early_stopping`.",
    ),
    "n_iter_no_change": (
        "int, 'auto' or None",
        "Training ends when the watched loss (of the rows kept out where\n"
        "there are any, else of the training rows) has not improved by `tol`\n"
        "for so many epochs. None never ends it; nor does 'auto' without rows\n"
        "kept out or in folds. Otherwise 'auto' is a third of the epochs, or a\n"
        "fifth if PCA is better than all of those.",
    ),
    "warm_start": (
        "bool",
        "Whether `fit` goes on from the weights, the optimiser's state, the\n"
        "centre and the scale of the previous `fit`. Set it before pickling:\n"
        "else the optimiser's state is not stored.",
    ),
    "callbacks": (
        "list of skorch callbacks or None",
        "Further callbacks of the skorch net. They are cloned before use. They\n"
        "see the rows trained on alone: the loss of those kept out is\n"
        "``valid_loss`` in the history, and no data set is passed for it.",
    ),
    "verbose": (
        "bool or int",
        "Whether to print a line an epoch.",
    ),
    "device": (
        "str",
        "Where to compute: 'cpu', 'cuda', 'cuda:1', 'mps', or 'auto' for the\n"
        "first accelerator there is.",
    ),
    "random_state": (
        "int, RandomState instance or None",
        "Source of the starting weights, of the order of rows and of the\n"
        "split. Pass an int for the same bits in every call. The global\n"
        "random states of NumPy and PyTorch are never touched.",
    ),
    "hidden_layer_sizes": (
        "int or sequence of int",
        "Widths of the encoder's hidden layers, from the input to the code;\n"
        "the decoder mirrors them. ``()`` makes the autoencoder linear, if\n"
        "the activations of code and output are the identity.",
    ),
    "activation": (
        "str",
        "Activation of the hidden layers: 'identity', 'relu', 'leaky_relu',\n"
        "'elu', 'selu', 'gelu', 'silu', 'tanh' or 'logistic'. In dense layers 'gelu'\n"
        "is often better than 'relu' for pictures, and worse for a few columns with\n"
        "heavy tails.",
    ),
    "code_activation": (
        "str",
        "Activation of the code, with the same names, or 'binary': 1 where\n"
        "positive, else 0, as `BinaryAutoencoder` explains. 'auto' is\n"
        "'logistic' for ``sparsity='kl'``, 'relu' for ``sparsity='l1'`` and\n"
        "else 'identity'.",
    ),
    "output_activation": (
        "str",
        "Activation of the reconstruction, with the same names. 'auto' is\n"
        "'logistic' for ``loss='binary_cross_entropy'``, which accepts no\n"
        "other, and 'identity' for the other losses. What lies outside an\n"
        "activation's range, in the units of `X`, cannot be decoded: 'relu'\n"
        "gives nothing below 0, 'tanh' nothing outside [-1, 1].",
    ),
    "loss": (
        "{'squared_error', 'absolute_error', 'huber', 'binary_cross_entropy'}",
        "What to minimise over entries. Entries are measured in units of\n"
        "`scale_`, or in those of `X` where `output_activation` is not the\n"
        "identity; 'huber' turns from squared to absolute at 1 of them.\n"
        "'binary_cross_entropy' needs `X` in [0, 1].",
    ),
    "corruption": (
        "{'masking', 'gaussian', 'salt_and_pepper', 'swap', 'gaps'} or None",
        "What is done to the input in training, while the loss compares with\n"
        "the clean input: entries set to their column's mean, normal noise,\n"
        "entries set to their column's least or largest value, or to that of\n"
        "another row of the batch. 'gaps' hides entries, also those that\n"
        "another row lacks, and shows what factor analysis expects there; it\n"
        "is not for images.",
    ),
    "corruption_level": (
        "float",
        "Probability that an entry is corrupted, in [0, 1]; for 'gaussian'\n"
        "the noise's standard deviation in units of the column's, in [0, inf).\n"
        "Only used with `corruption`.",
    ),
    "sparsity": (
        "{'kl', 'l1', 'topk'} or None",
        "What keeps the code sparse: a divergence between each unit's mean\n"
        "activation and `sparsity_target`, which needs a logistic code; the\n"
        "sum of absolute activations; or that all but the `n_nonzero_coefs`\n"
        "largest entries of each row's code are set to zero. Units that no\n"
        "row of an epoch has used are then trained on what the others leave.",
    ),
    "sparsity_weight": (
        "float or 'auto'",
        "Weight of the penalty of 'kl' and 'l1', in [0, inf). It is added to\n"
        "the mean loss of entries. 'auto' is 0.005 for 'l1', and for 'kl' 0.5,\n"
        "or 32 / `n_components` where that is an int below 64.",
    ),
    "sparsity_target": (
        "float",
        "Mean activation that 'kl' aims at, in (0, 1); unused by the others.",
    ),
    "n_nonzero_coefs": (
        "int",
        "Number of entries that 'topk' keeps, from 1 to `n_components`; unused\n"
        "by the others.",
    ),
    "contraction": (
        "float",
        "Weight of the mean squared norm of the code's Jacobian with respect\n"
        "to the scaled input, in [0, inf). It is exact for an encoder of one\n"
        "layer and for codes of at most 4 components, and else estimated from\n"
        "one random projection of the Jacobian a row.",
    ),
    "ordered": (
        "bool",
        "Whether leading parts of the code are codes too: in training, a\n"
        "random number of components of each row is decoded. Then\n"
        "`inverse_transform` takes any number of leading columns.",
    ),
    "init": (
        "{'pca', 'random'}",
        "'pca' puts a linear path beside the hidden layers that is PCA and, but\n"
        "for the decoder of images, stays so; the hidden layers start at zero\n"
        "and are trained to correct it. Where that gains nothing the user guide\n"
        "says when it is tried once more. 'random' is the plain network with\n"
        "PyTorch's random weights.",
    ),
}

ATTRIBUTES = {
    "net_": (
        "AutoencoderNet",
        "The skorch net. Its ``module_`` is the PyTorch network, which takes\n"
        "rows centred by `mean_` and divided by `scale_`.",
    ),
    "mean_": (
        "ndarray of shape (n_features,)",
        "What is subtracted from each column before it is encoded: its mean.",
    ),
    "scale_": (
        "float",
        "What all columns are divided by: the root of their mean variance.",
    ),
    "n_components_": (
        "int",
        "Number of components of the code.",
    ),
    "n_iter_": (
        "int",
        "Number of epochs run: after folds those of the last training.",
    ),
    "loss_curve_": (
        "list of float",
        "Training objective, an entry an epoch; after folds that of the last\n"
        "training, on all rows unless PCA was not left.",
    ),
    "validation_scores_": (
        "list of float or None",
        "1 minus the objective on the rows kept out over the loss of the\n"
        "mean as the reconstruction, an entry an epoch of the last call of\n"
        "`fit`; for the squared error alone the explained variance. Corruption\n"
        "is the same in each epoch, and penalties on the code count, those on\n"
        "weights do not. None where no rows are kept out, as in the two below.",
    ),
    "best_validation_score_": (
        "float or None",
        "The same for the epoch chosen, or for the start where that was\nchosen.",
    ),
    "pca_score_": (
        "float or None",
        "The same for PCA with as many components, fitted without the rows\n"
        "kept out, and without penalties; its scores are cut as an ordered\n"
        "code is.",
    ),
    "components_": (
        "ndarray of shape (n_components, n_features)",
        "Principal axes read off the weights, in the order of the variance\n"
        "they explain, and no more than there are columns. Only where the\n"
        "network is linear.",
    ),
    "explained_variance_": (
        "ndarray of shape (n_components,)",
        "Variance of the reconstruction along `components_`. Only where the\n"
        "network is linear.",
    ),
    "n_features_in_": (
        "int",
        "Number of columns seen in `fit`.",
    ),
    "feature_names_in_": (
        "ndarray of shape (n_features_in_,)",
        "Names of the columns seen in `fit`. Only where all of them are\nstrings.",
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
    entries = {**ATTRIBUTES, **getattr(cls, "_attribute_docs", {})}
    attributes = [_entry(name, *entry) for name, entry in entries.items()]
    doc = inspect.cleandoc(cls.__doc__)
    cls.__doc__ = doc.replace("{parameters}", "\n".join(lines)).replace(
        "{attributes}", "\n".join(attributes)
    )
    return cls
