"""What holds for every estimator that puts autoencoders to use."""

import pickle
from copy import deepcopy

import joblib
import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError
from sklearn.utils import estimator_checks
from test_common import OWN_CHECKS

from skae import (
    Autoencoder,
    AutoencoderClassifier,
    AutoencoderImputer,
    AutoencoderRegressor,
    ReconstructionOutlierDetector,
)

TINY = Autoencoder(2, hidden_layer_sizes=8, max_iter=2, batch_size=16)
USES = {
    "classifier": AutoencoderClassifier(TINY),
    "detector": ReconstructionOutlierDetector(n_estimators=6),
    "detector over one": ReconstructionOutlierDetector(TINY),
    "imputer": AutoencoderImputer(TINY),
    "regressor": AutoencoderRegressor(TINY),
}
ANSWERS = {
    "AutoencoderClassifier": "predict_proba",
    "AutoencoderImputer": "transform",
    "AutoencoderRegressor": "predict",
    "ReconstructionOutlierDetector": "score_samples",
}

pytestmark = [
    pytest.mark.filterwarnings("ignore:Rows kept out of training give no:UserWarning"),
    pytest.mark.filterwarnings("ignore:n_components=.* is not below the:UserWarning"),
]
every_use = pytest.mark.parametrize("estimator", USES.values(), ids=USES)


@pytest.fixture(scope="module")
def iris():
    return load_iris(return_X_y=True)


def fitted(estimator, iris):
    return clone(estimator).set_params(random_state=0).fit(*iris)


def answer(estimator, X):
    """Return the bits of what a fitted `estimator` says of `X`."""
    return getattr(estimator, ANSWERS[type(estimator).__name__])(X).tobytes()


def owned():
    """Return estimators with the checks that are for their kind."""
    for estimator in (USES[name] for name in USES if name != "detector over one"):
        transforms = hasattr(estimator, "transform")
        for check in OWN_CHECKS:
            if transforms or not ("transform" in check or "names_out" in check):
                yield pytest.param(
                    estimator, check, id=f"{type(estimator).__name__}-{check}"
                )


@pytest.mark.filterwarnings("ignore:X .* feature names:UserWarning")
@pytest.mark.parametrize(("estimator", "check"), list(owned()))
def test_scikit_learn_on_itself(estimator, check):
    getattr(estimator_checks, check)(type(estimator).__name__, clone(estimator))


@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_same_seed_same_answer_wherever_it_is_fitted(backend, iris):
    fits = [joblib.delayed(fitted)(estimator, iris) for estimator in USES.values()]
    models = joblib.Parallel(n_jobs=2, backend=backend)(fits)
    for model, estimator in zip(models, USES.values(), strict=True):
        assert answer(model, iris[0]) == answer(fitted(estimator, iris), iris[0])


@every_use
def test_stored_and_asked_by_many(estimator, iris, tmp_path):
    model, (X, _) = fitted(estimator, iris), iris
    expected = answer(model, X)
    joblib.dump(model, tmp_path / "model.joblib")
    for other in (
        pickle.loads(pickle.dumps(model)),
        deepcopy(model),
        joblib.load(tmp_path / "model.joblib", mmap_mode="r"),
    ):
        assert answer(other, X) == expected
    asked = joblib.Parallel(n_jobs=8, backend="threading")(
        [joblib.delayed(answer)(model, X)] * 16
    )
    assert set(asked) == {expected}


@every_use
def test_global_random_states_are_untouched(estimator, iris):
    before = np.random.get_state()[1].copy(), torch.get_rng_state()
    answer(clone(estimator).fit(*iris), iris[0])
    assert (np.random.get_state()[1] == before[0]).all()
    assert torch.equal(torch.get_rng_state(), before[1])


@every_use
def test_an_interrupted_fit_leaves_no_trace(estimator, iris, monkeypatch):
    model = fitted(estimator, iris)
    before = dict(vars(model))

    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("skae._net.AutoencoderNet.train_step_single", interrupted)
    monkeypatch.setattr("skae._outlier_models.Codebook.fit", interrupted)
    fresh = clone(estimator)
    for each in (model, fresh):
        with pytest.raises(KeyboardInterrupt):
            each.fit(*iris)
    assert vars(model) == before
    with pytest.raises(NotFittedError):
        answer(fresh, iris[0])


@every_use
def test_infinite_values_are_refused_with_a_remedy(estimator, iris):
    X, y = iris
    with pytest.raises(ValueError, match=r"infinity.*Clip"):
        clone(estimator).fit(np.where(X > 7, np.inf, X), y)
    with pytest.raises(ValueError, match=r"infinity.*Clip"):
        answer(fitted(estimator, iris), np.where(X > 7, np.inf, X))
