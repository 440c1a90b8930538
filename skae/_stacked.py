"""The stacked autoencoder: pretrained layer by layer, unrolled, and fine-tuned."""

from dataclasses import dataclass
from numbers import Integral

import numpy as np
import torch
from sklearn.base import clone
from sklearn.neural_network import BernoulliRBM
from sklearn.utils._param_validation import Interval, StrOptions

from skae._autoencoder import Autoencoder
from skae._checks import as_widths
from skae._docs import documented
from skae._size_curve import SizeCurve
from skae._unrolled import Maps, UnrolledNetwork, check_layer, check_machine
from skae.networks import ACTIVATIONS

# What the stack's code takes over to the layer that makes it.
SPARSITY = ("sparsity", "sparsity_weight", "sparsity_target", "n_nonzero_coefs")


@documented
@dataclass(eq=False, repr=False, kw_only=True)
class StackedAutoencoder(Autoencoder):
    r"""Deep autoencoder, pretrained layer by layer.

    Each layer, from the input on, is an autoencoder of the code of the one below,

    .. math:: \min_{f_l, g_l} \frac{1}{n w_{l-1}} \sum_{i=1}^{n}\sum_{j=1}^{w_{l-1}}
              \ell_l\bigl(h^{l-1}_{ij}, g_l(f_l(h^{l-1}_i))_j\bigr),
              \qquad h^l_i = f_l(h^{l-1}_i), \quad h^0_i = x_i

    with the loss, the corruption and the penalties of `layer`. Then the stack is
    unrolled into one network, which reconstructs exactly as the layers do one after
    the other, and which is fine-tuned by

    .. math:: \min_{f_1, g_1, \dots, f_L, g_L} \frac{1}{nd}
              \sum_{i=1}^{n}\sum_{j=1}^{d}
              \ell\bigl(x_{ij}, g_1(\cdots g_L(f_L(\cdots f_1(x_i))))_j\bigr)

    as `Autoencoder` is, with its parameters [1]_, [2]_. With denoising layers it is
    the stacked denoising autoencoder [3]_.

    It starts at its layers and not at PCA, so that nothing is promised beside PCA. The
    layers see all rows of `X`, also those that fine-tuning keeps out.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    {attributes}

    See Also
    --------
    Autoencoder : The same network, which starts at PCA.
    sklearn.neural_network.BernoulliRBM : A layer that is not an autoencoder.

    References
    ----------
    .. [1] G. E. Hinton and R. R. Salakhutdinov, "Reducing the dimensionality of data
       with neural networks", Science 313, 2006.
    .. [2] Y. Bengio, P. Lamblin, D. Popovici and H. Larochelle, "Greedy layer-wise
       training of deep networks", NIPS 2006.
    .. [3] P. Vincent et al., "Stacked denoising autoencoders: learning useful
       representations in a deep network with a local denoising criterion", Journal of
       Machine Learning Research 11, 2010.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skae import DenoisingAutoencoder, StackedAutoencoder
    >>> X, _ = load_digits(return_X_y=True)
    >>> layer = DenoisingAutoencoder(corruption_level=0.1)
    >>> stacked = StackedAutoencoder(8, hidden_layer_sizes=(64, 32), layer=layer,
    ...                              random_state=0).fit(X[:1200])
    >>> [fitted.n_components for fitted in stacked.layers_]
    [64, 32, 8]
    >>> stacked.score(X[1200:]) > 0.7
    True
    """

    layer: object = None
    activation: str = "auto"
    init: str = "layers"

    _parameter_constraints = {
        **Autoencoder._parameter_constraints,
        "layer": [Autoencoder, BernoulliRBM, None],
        "activation": [StrOptions({"auto", *ACTIVATIONS})],
        "init": [StrOptions({"layers", "random"})],
        "max_iter": [Interval(Integral, 0, None, closed="left"), StrOptions({"auto"})],
    }
    _parameter_docs = {
        **Autoencoder._parameter_docs,
        "layer": (
            "estimator or None",
            "What each layer is a clone of: an `Autoencoder`, or one of its presets,\n"
            "with one layer of its own, or scikit-learn's `BernoulliRBM`, which needs\n"
            "`X` in [0, 1]. Its parameters hold in pretraining, but for those that\n"
            "the stack sets: `n_components` and `hidden_layer_sizes`; the activations\n"
            "of code and output, each that of the unrolled network at that level;\n"
            "`tied_weights` where the stack has them; at the top the stack's\n"
            "`sparsity`, if any; and `random_state` where it is None. None is a\n"
            "``DenoisingAutoencoder(init='random')``, for a hidden layer wider than\n"
            "what is below could else just copy it.",
        ),
        "activation": (
            "str",
            "Activation of the hidden layers, as of `Autoencoder`. 'auto' is the code\n"
            "activation that `layer` names or needs (for a `BernoulliRBM` and for\n"
            "``loss='binary_cross_entropy'`` 'logistic'), and else 'gelu': unlike\n"
            "'relu' it has a slope where a layer is to reconstruct zeros.",
        ),
        "code_activation": (
            "str",
            "Activation of the code, with the same names, or 'binary': 1 where\n"
            "positive, else 0. 'auto' is what the stack's `sparsity`, or else the\n"
            "layer's, needs, 'logistic' for a `BernoulliRBM`, and else 'identity',\n"
            "whatever the hidden layers have. A `BernoulliRBM` takes 'logistic',\n"
            "'binary' and 'identity', where a line stands for the logistic function\n"
            "at the start of fine-tuning.",
        ),
        "output_activation": (
            "str",
            "Activation of the reconstruction, with the same names. 'auto' is\n"
            "'logistic' for ``loss='binary_cross_entropy'``, which accepts no\n"
            "other, and else that of `layer`, 'logistic' for a `BernoulliRBM`.",
        ),
        "tied_weights": (
            "bool",
            "Whether each decoder layer's weight is the transpose of the encoder\n"
            "layer's it mirrors, times fixed numbers that undo the scaling of the\n"
            "layers' inputs. Biases stay free.",
        ),
        "init": (
            "{'layers', 'random'}",
            "'layers' is pretraining. 'random' leaves it out: the same network with\n"
            "PyTorch's random weights.",
        ),
        "warm_start": (
            "bool",
            "Whether `fit` goes on with fine-tuning from the weights, the optimiser's\n"
            "state, the centre and the scale of the previous `fit`, without\n"
            "pretraining.",
        ),
        "max_iter": (
            "int or 'auto'",
            "Largest number of epochs of fine-tuning. 'auto' is 36, or as many as\n"
            "make 200 steps; 50 for ``solver='lbfgs'``. 0 leaves the network as the\n"
            "layers make it.",
        ),
    }
    _attribute_docs = {
        **Autoencoder._attribute_docs,
        "layers_": (
            "list of estimators",
            "The fitted layers, the first one on `X`, with a `loss_curve_` each, but\n"
            "for a `BernoulliRBM`. Only with ``init='layers'``.",
        ),
    }

    @property
    def _layer(self):
        if self.layer is None:
            return Autoencoder(
                hidden_layer_sizes=(),
                corruption="masking",
                init="random",
                device=self.device,
            )
        return self.layer

    @property
    def _is_machine(self):
        return isinstance(self.layer, BernoulliRBM)

    @property
    def _activation(self):
        if self.activation != "auto":
            return self.activation
        if self._is_machine:
            return "logistic"
        layer = self._layer
        if layer.code_activation != "auto" or layer._code_activation != "identity":
            return layer._code_activation
        return "logistic" if layer.loss == "binary_cross_entropy" else "gelu"

    @property
    def _code_activation(self):
        if self.code_activation != "auto" or self.sparsity:
            return super()._code_activation
        if self._is_machine:
            return "logistic"
        return self._layer._code_activation if self._layer.sparsity else "identity"

    @property
    def _output(self):
        if self.output_activation != "auto" or self.loss == "binary_cross_entropy":
            return super()._output
        return "logistic" if self._is_machine else self._layer._output

    def _levels(self, n_components):
        """Return the layers to fit, one for each level of the network."""
        widths = (*as_widths(self.hidden_layer_sizes), n_components)
        if self._is_machine:
            check_machine(
                self.layer, self._activation, self._code_activation, self._output
            )
            return [clone(self.layer).set_params(n_components=w) for w in widths]
        check_layer(self._layer, self._activation, self._output)
        levels = []
        for width in widths:
            level = clone(self._layer).set_params(
                n_components=width,
                hidden_layer_sizes=(),
                code_activation=self._activation,
                output_activation=self._activation if levels else self._output,
                tied_weights=self.tied_weights or self._layer.tied_weights,
            )
            levels.append(level)
        level.set_params(code_activation=self._code_activation)
        if self.sparsity:
            level.set_params(**{name: getattr(self, name) for name in SPARSITY})
        for level in levels:
            level._check_together(level.n_components)
        return levels

    def _make_network(self, n_features, n_components):
        self._check_together(n_components)
        *hidden, top = self._levels(n_components)
        if self.max_iter != 0:
            self._warn_if_identity(n_features, n_components)
        return UnrolledNetwork(
            n_features,
            n_components,
            tuple(level.n_components for level in hidden),
            self._activation,
            self._code_activation,
            self._output,
            self.tied_weights,
            n_nonzero_coefs=_n_nonzero(top) or _n_nonzero(self),
            ordered=self.ordered,
            hidden_nonzero_coefs=_n_nonzero(hidden[0]) if hidden else None,
        )

    def _initialize(self, network, rows, generator):
        self.__dict__.pop("layers_", None)
        if self.init == "random":
            super()._initialize(network, rows, generator)
            return
        self.layers_ = self._levels(network.config["n_components"])
        X, mean, scale = rows.raw, rows.mean, rows.scale
        for layer, pair in zip(self.layers_, network.pairs(), strict=True):
            _pretrain(layer, X, generator)
            maps = Maps.of(layer, mean, scale)
            if layer is not self.layers_[-1]:
                X = layer.transform(X).astype(np.float32)
                mean, scale = np.zeros(X.shape[1]), 1.0
            elif self._is_machine and self._code_activation == "identity":
                maps.decode_logits(torch.from_numpy(layer.transform(X)))
            elif self._is_machine and self._code_activation == "binary":
                maps.decode_signs()
            maps.put_into(*pair)

    def _set_budget(self, net, n_rows):
        if self.max_iter != 0:
            super()._set_budget(net, n_rows)
        else:
            net.batch_size, net.max_epochs = n_rows, 0

    def _fit_network(self, net, rows, X_val, begin):
        # Once and of all rows, for layers take longer than what is to come.
        if begin is not None:
            begin(rows)
        if self.max_iter != 0:
            super()._fit_network(net, rows, X_val, begin=None)
            return
        net.initialize()
        net.module_.eval()
        curve = SizeCurve() if self.ordered else None
        if curve:
            curve.add(net, rows)
        self._keep_size(net, curve)
        self._keep_scores(net, [], None)


def _n_nonzero(estimator):
    """Return how many entries the code of `estimator` keeps, or None for all."""
    topk = getattr(estimator, "sparsity", None) == "topk"
    return estimator.n_nonzero_coefs if topk else None


def _pretrain(layer, X, generator):
    """Fit `layer` to the codes below it, in arrays whatever the user prefers."""
    if layer.random_state is None:
        seed = torch.randint(2**31 - 1, (), generator=generator)
        layer.set_params(random_state=int(seed))
    layer.set_output(transform="default")
    try:
        layer.fit(X)
    except ValueError as error:
        error.add_note(f"It came up in pretraining the layer of {layer.n_components}.")
        raise
