"""What is special to StackedAutoencoder: its layers, and what they unroll into."""

import pickle

import numpy as np
import pytest
import torch
from scipy import sparse
from scipy.special import expit
from sklearn import config_context
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import BernoulliRBM

from skae import (
    Autoencoder,
    ContractiveAutoencoder,
    DenoisingAutoencoder,
    LinearAutoencoder,
    SparseAutoencoder,
    StackedAutoencoder,
    VariationalAutoencoder,
)
from skae.penalties import squared_jacobian_norm

FAST = {"max_iter": 2}
RBM = BernoulliRBM(n_iter=2)
# As the layers make it, in double precision.
UNROLLED = {"hidden_layer_sizes": (30, 20), "max_iter": 0, "solver": "lbfgs"}
LAYERS = {
    "default": {},
    "plain": {"layer": Autoencoder(init="random", **FAST)},
    "at PCA": {"layer": Autoencoder(**FAST), "activation": "tanh"},
    "linear": {"layer": Autoencoder(**FAST), "activation": "identity"},
    "denoising": {
        "layer": DenoisingAutoencoder(loss="binary_cross_entropy", **FAST),
        "code_activation": "logistic",
    },
    "kl": {"layer": SparseAutoencoder(**FAST)},
    "l1": {"layer": SparseAutoencoder(sparsity="l1", sparse_output=True, **FAST)},
    "topk": {"layer": SparseAutoencoder(sparsity="topk", n_nonzero_coefs=4, **FAST)},
    "contractive": {
        "layer": ContractiveAutoencoder(code_activation="logistic", **FAST),
        "tied_weights": True,
    },
    "tied layer": {"layer": Autoencoder(tied_weights=True, **FAST)},
    "tied": {"layer": Autoencoder(**FAST), "tied_weights": True},
    "sparse code": {"layer": Autoencoder(**FAST), "sparsity": "kl"},
    "topk code": {
        "layer": Autoencoder(**FAST),
        "sparsity": "topk",
        "n_nonzero_coefs": 3,
    },
    "binary code": {"layer": Autoencoder(**FAST), "code_activation": "binary"},
    "RBM": {"layer": RBM},
    "RBM, tied": {"layer": RBM, "tied_weights": True},
    "single": {"layer": Autoencoder(**FAST), "hidden_layer_sizes": ()},
}


@pytest.fixture(scope="module")
def X():
    return load_digits().data[:300] / 16


def stacked(k=6, **params):
    return StackedAutoencoder(k, random_state=0, **params)


def composed(layers, X):
    """Return the code and the reconstruction of the layers, one after the other."""
    code = X
    for layer in layers:
        code = layer.transform(code)
    decoded = code
    for layer in layers[::-1]:
        if isinstance(layer, BernoulliRBM):
            decoded = expit(decoded @ layer.components_ + layer.intercept_visible_)
        else:
            decoded = layer.inverse_transform(decoded)
    return code, decoded


@pytest.mark.filterwarnings("ignore:n_components=30 is not below:UserWarning")
@pytest.mark.parametrize("params", LAYERS.values(), ids=LAYERS.keys())
def test_unrolled_network_is_the_composition_of_its_layers(X, params):
    model = stacked(**{**UNROLLED, **params}).fit(X)
    code, decoded = composed(model.layers_, X)
    code = code.toarray() if sparse.issparse(code) else code
    np.testing.assert_allclose(model.transform(X), code, atol=1e-12)
    np.testing.assert_allclose(model.reconstruct(X), decoded, atol=1e-12)
    assert np.ptp(decoded, axis=0).max() > 1e-6
    single = model.set_params(solver="adam").fit(X)
    np.testing.assert_allclose(single.reconstruct(X), decoded, atol=1e-6)
    assert (single.n_iter_, single.loss_curve_) == (0, [])


def test_first_layer_is_the_autoencoder_of_the_input(X):
    layer = DenoisingAutoencoder(code_activation="relu", random_state=3, **FAST)
    model = stacked(hidden_layer_sizes=20, layer=layer, max_iter=1).fit(X)
    alone = clone(layer).set_params(n_components=20, hidden_layer_sizes=()).fit(X)
    np.testing.assert_array_equal(model.layers_[0].transform(X), alone.transform(X))
    assert model.layers_[0].loss_curve_ == alone.loss_curve_
    assert [len(fitted.loss_curve_) for fitted in model.layers_] == [2, 2]
    assert not hasattr(layer, "net_")


def test_pretraining_helps_where_a_random_start_fails():
    X = load_digits().data
    params = {"hidden_layer_sizes": (128, 64, 32), "activation": "logistic"}
    models = [stacked(8, init=i, **params).fit(X[:1200]) for i in ("layers", "random")]
    with_layers, at_random = (model.score(X[1200:]) for model in models)
    assert with_layers > 0.5
    assert at_random < 0.35
    assert not hasattr(models[1], "layers_")
    assert len(models[0].loss_curve_) >= len(models[1].loss_curve_)


def test_fine_tuning_helps(X):
    model = stacked(hidden_layer_sizes=20, max_iter=0, warm_start=True).fit(X)
    before, layers = model.score(X), model.layers_
    model.set_params(max_iter=20).fit(X)
    assert model.score(X) > before + 0.02
    assert model.layers_ is layers
    assert len(model.loss_curve_) == model.n_iter_ == 20
    other = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(other.fit(X).transform(X), model.fit(X).transform(X))


@pytest.mark.parametrize("code", ["auto", "identity", "binary"])
def test_machines_initialise_logistic_layers(X, code):
    layer = BernoulliRBM(n_iter=60)
    params = {"layer": layer, "code_activation": code, "max_iter": 20}
    model = stacked(hidden_layer_sizes=30, **params).fit(X)
    at_random = stacked(hidden_layer_sizes=30, init="random", **params).fit(X)
    assert model.score(X) > at_random.score(X) + 0.2
    machines = model.layers_
    assert [m.components_.shape for m in machines] == [(30, 64), (6, 30)]
    assert all(isinstance(m.random_state, int) for m in machines)
    assert model.reconstruct(X).min() >= 0


@pytest.mark.parametrize("code", ["auto", "binary"])
def test_codes_of_a_machine_are_decoded_as_by_it(X, code):
    params = {"hidden_layer_sizes": (), "code_activation": code, "max_iter": 0}
    model = stacked(layer=BernoulliRBM(n_iter=5), **params).fit(X)
    machine, Z = model.layers_[0], model.transform(X)
    expected = expit(Z @ machine.components_ + machine.intercept_visible_)
    np.testing.assert_allclose(model.inverse_transform(Z), expected, atol=1e-5)


@pytest.mark.parametrize(
    "params, expected",
    [
        ({}, "gelu identity identity"),
        ({"loss": "binary_cross_entropy"}, "gelu identity logistic"),
        ({"layer": RBM}, "logistic logistic logistic"),
        ({"layer": RBM, "sparsity": "kl"}, "logistic logistic logistic"),
        ({"layer": SparseAutoencoder()}, "logistic logistic identity"),
        ({"layer": SparseAutoencoder(sparsity="l1")}, "relu relu identity"),
        ({"layer": Autoencoder(code_activation="tanh")}, "tanh identity identity"),
        ({"layer": Autoencoder(code_activation="identity")}, "identity " * 3),
        (
            {"layer": Autoencoder(loss="binary_cross_entropy")},
            "logistic identity logistic",
        ),
        (
            {"activation": "elu", "code_activation": "tanh", "init": "random"},
            "elu tanh identity",
        ),
    ],
)
def test_activations_follow_the_layer(X, params, expected):
    params = {"hidden_layer_sizes": 8, "max_iter": 0, "init": "random", **params}
    config = stacked(**params).fit(X[:20]).net_.module_.config
    names = "activation", "code_activation", "output_activation"
    assert [config[name] for name in names] == expected.split()


def test_a_line_stands_for_the_logistic_function_of_a_machine(X):
    fits = {
        code: stacked(layer=RBM, code_activation=code, **UNROLLED).fit(X)
        for code in ("logistic", "identity")
    }
    logits = fits["identity"].transform(X)
    codes = fits["logistic"].transform(X)
    np.testing.assert_allclose(expit(logits), codes, atol=1e-12)
    line = np.column_stack(
        [
            np.polyval(np.polyfit(z, h, 1), z)
            for z, h in zip(logits.T, codes.T, strict=True)
        ]
    )
    np.testing.assert_allclose(
        fits["identity"].inverse_transform(logits),
        fits["logistic"].inverse_transform(line),
        atol=1e-6,
    )


def test_hidden_layers_stay_sparse(X):
    layer = SparseAutoencoder(sparsity="topk", n_nonzero_coefs=4, **FAST)
    model = stacked(hidden_layer_sizes=(30, 20), layer=layer, **FAST).fit(X)
    seen = []
    network = model.net_.module_
    for i in (1, 3):
        network.encoder[i].register_forward_hook(lambda m, x, y: seen.append(y))
    assert ((model.transform(X) != 0).sum(axis=1) == 4).all()
    assert len(seen) == 2
    assert all(((y != 0).sum(dim=1) <= 4).all() for y in seen)
    assert not network.is_linear


def test_tied_weights_stay_tied(X):
    model = stacked(hidden_layer_sizes=20, tied_weights=True, max_iter=3).fit(X)
    network = pickle.loads(pickle.dumps(model)).net_.module_
    for encode, decode in network.pairs():
        back = decode(torch.eye(encode.out_features)) - decode.bias
        expected = decode.gain[:, None] * encode.weight
        torch.testing.assert_close(back, expected, atol=1e-5, rtol=0)
    assert model.score(X) > 0.3


def test_parameters_of_layers_can_be_searched(X):
    model = stacked(hidden_layer_sizes=16, layer=DenoisingAutoencoder(**FAST), **FAST)
    grid = {"layer__corruption_level": [0.0, 0.9], "layer__init": ["random"]}
    search = GridSearchCV(model, grid, cv=2).fit(X)
    scores = search.cv_results_["mean_test_score"]
    assert len(set(scores)) == 2
    best = search.best_estimator_
    level = search.best_params_["layer__corruption_level"]
    assert {fitted.corruption_level for fitted in best.layers_} == {level}
    assert "layer__corruption_level" in model.get_params()


@pytest.mark.parametrize("layer", [SparseAutoencoder(**FAST), RBM], ids=["kl", "RBM"])
def test_inputs_and_settings_do_not_matter(X, layer):
    params = {"hidden_layer_sizes": 20, "layer": layer, **FAST}
    expected = stacked(**params).fit(X).transform(X)
    rows = sparse.csr_array(X)
    code = stacked(**params).fit(rows).transform(rows)
    np.testing.assert_allclose(code, expected, atol=1e-6)
    with config_context(transform_output="pandas"):
        frame = stacked(**params).fit(X).transform(X)
    np.testing.assert_array_equal(frame.to_numpy(), expected)


def test_random_state_of_machines_is_not_the_global_one(X):
    before = np.random.get_state()[1].copy()
    StackedAutoencoder(hidden_layer_sizes=8, layer=RBM, **FAST).fit(X)
    assert (np.random.get_state()[1] == before).all()


def test_fine_tuning_takes_the_axes_of_autoencoder(X):
    params = {"hidden_layer_sizes": (), "layer": Autoencoder(**FAST)}
    model = stacked(code_activation="logistic", contraction=0.1, **FAST, **params)
    network = model.fit(X).net_.module_
    assert network.single_layer is network.encoder[0]
    x = torch.from_numpy(X[:5]).float() - torch.from_numpy(model.mean_).float()
    assert squared_jacobian_norm(network, x).shape == (5,)
    code = stacked(3, ordered=True, **FAST, **params).fit(X).transform(X)[:, :2]
    assert code.shape == (300, 2)


ERRORS = [
    ({"layer": Autoencoder(hidden_layer_sizes=8)}, r"layer needs hidden_layer_sizes"),
    ({"layer": Autoencoder(0.5, ordered=True)}, r"layer needs n_components.*0\.5"),
    ({"layer": Autoencoder(ordered=True)}, r"layer needs ordered to be False, got"),
    (
        {"layer": Autoencoder(code_activation="binary")},
        r"layer needs code_activation.*got 'binary'",
    ),
    (
        {"layer": Autoencoder(code_activation="relu"), "activation": "tanh"},
        r"layer needs code_activation.*\['auto', 'tanh'\], got 'relu'",
    ),
    (
        {"layer": Autoencoder(output_activation="relu"), "output_activation": "tanh"},
        r"layer needs output_activation.*\['auto', 'tanh'\], got 'relu'",
    ),
    ({"layer": StackedAutoencoder()}, r"dense network.*StackedAutoencoder"),
    ({"layer": LinearAutoencoder()}, r"'layer' parameter.*LinearAutoencoder"),
    ({"layer": VariationalAutoencoder()}, r"layer.*VariationalAutoencoder"),
    ({"layer": RBM, "activation": "relu"}, r"needs activation.*got 'relu'"),
    ({"layer": RBM, "code_activation": "tanh"}, r"needs code_activation.*got 'tanh'"),
    ({"layer": RBM, "output_activation": "relu"}, r"needs output_activation.*'relu'"),
    (
        {"layer": SparseAutoencoder(sparsity="topk")},
        r"n_components=6 needs n_nonzero_coefs to be at most as many, got 10",
    ),
    ({"init": "pca"}, r"'init' parameter"),
]


@pytest.mark.parametrize("params, message", ERRORS)
def test_unusable_layers_are_named(X, params, message):
    with pytest.raises(ValueError, match=message):
        stacked(hidden_layer_sizes=20, **params).fit(X)


def test_rows_of_machines_are_in_the_unit_interval(X):
    with pytest.raises(ValueError, match=r"X in \[0, 1\], but column"):
        stacked(layer=RBM).fit(2 * X)


def test_a_failing_layer_is_named(X):
    layer = Autoencoder(learning_rate_init=1e30, init="random", **FAST)
    with pytest.raises(ValueError, match="became") as caught:
        stacked(layer=layer, hidden_layer_sizes=17).fit(X)
    assert "pretraining the layer of 17" in caught.value.__notes__[0]


def test_share_without_fine_tuning(X):
    model = stacked(0.9, hidden_layer_sizes=20, ordered=True, max_iter=0)
    with pytest.warns(UserWarning, match=r"n_components=0\.9 is out of reach"):
        model.fit(X)
    explained = model.explained_variance_ratio_
    assert explained.shape == (model.n_components_,)


def test_layers_are_pretrained_once(X, monkeypatch):
    fitted, fit = [], Autoencoder.fit

    def watched(self, *args):
        fitted.append(type(self))
        return fit(self, *args)

    monkeypatch.setattr(Autoencoder, "fit", watched)
    # Which gains nothing, so that the start stays.
    stacked(hidden_layer_sizes=20, learning_rate_init=1e-12, max_iter=2).fit(X)
    assert fitted == [StackedAutoencoder, Autoencoder, Autoencoder]
