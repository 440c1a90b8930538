"""The engine: from rows to a fitted network."""

from contextlib import contextmanager
from copy import deepcopy
from dataclasses import KW_ONLY, dataclass
from numbers import Integral, Real

import numpy as np
import torch
from sklearn.base import BaseEstimator, _fit_context
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions

from skae._checks import passes_checks, validated
from skae._gaps import GapFiller
from skae._net import AutoencoderNet, cloned_callbacks
from skae._objective import Objective
from skae._record import FitRecord
from skae._rows import Rows, location_and_scale
from skae._selection import Watch
from skae._storage import on_cpu
from skae._threads import limited_threads
from skae._training import Training
from skae._verbs import AutoencoderVerbs
from skae.corruptions import CORRUPTIONS
from skae.losses import squared_error
from skae.networks import reset_parameters
from skae.penalties import WeightPenalty


@contextmanager
def fitting(estimator):
    """Compute gradients, and give `estimator` its attributes back if the block fails.

    It fails by an interrupt too; gradients may have been switched off around it, and
    another device than the estimator's may be PyTorch's default.
    """
    before = estimator.__dict__.copy()
    try:
        with torch.inference_mode(False), torch.enable_grad(), on_cpu():
            yield
    except BaseException:
        estimator.__dict__.clear()
        estimator.__dict__.update(before)
        raise


def precision(solver):
    """Return the floating type of what `solver` trains."""
    return torch.float64 if solver in ("lbfgs", "svd") else torch.float32


@dataclass(eq=False, repr=False)
class BaseAutoencoder(Training, FitRecord, AutoencoderVerbs, BaseEstimator):
    """Base of all autoencoders: the engine without a network.

    A subclass says what to build in these hooks, all called before training starts:

    - ``_make_network(n_features, n_components)`` returns a `skae.networks.Network`;
    - ``_make_loss()`` returns ``loss(output, target) -> Tensor`` of entries and the
      power of the data's unit that it is measured in;
    - ``_make_penalties(rows)`` returns callables
      ``penalty(network, x, output, generator) -> Tensor``, see `skae.penalties`;
    - ``_make_corruption(rows)`` returns ``corruption(x, generator=...)``, applied to
      the input in training, or None;
    - ``_initialize(network, rows, generator)`` sets the weights training starts from.
    """

    n_components: int = 2
    _: KW_ONLY
    tied_weights: bool = False
    alpha: float = 0.0
    l1_ratio: float = 0.0
    weight_decay: float | str = "auto"
    solver: str = "adam"
    learning_rate: str = "one_cycle"
    learning_rate_init: float = 0.005
    batch_size: int | str = "auto"
    max_iter: int | str = "auto"
    tol: float = 0.0
    early_stopping: bool = True
    validation_fraction: float = 0.1
    n_iter_no_change: int | str | None = "auto"
    warm_start: bool = False
    callbacks: list | None = None
    verbose: bool | int = False
    device: str = "cpu"
    random_state: int | np.random.RandomState | None = None

    _parameter_constraints = {
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "tied_weights": ["boolean"],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "l1_ratio": [Interval(Real, 0, 1, closed="both")],
        "weight_decay": [
            Interval(Real, 0, None, closed="left"),
            StrOptions({"auto"}),
        ],
        "solver": [StrOptions({"adam", "sgd", "lbfgs"})],
        "learning_rate": [StrOptions({"constant", "cosine", "one_cycle"})],
        "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
        "batch_size": [
            Interval(Integral, 1, None, closed="left"),
            StrOptions({"auto"}),
        ],
        "max_iter": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "tol": [Interval(Real, 0, None, closed="left")],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [
            Interval(Integral, 1, None, closed="left"),
            StrOptions({"auto"}),
            None,
        ],
        "warm_start": ["boolean"],
        "callbacks": [list, tuple, None],
        "verbose": ["verbose"],
        "device": [str],
        "random_state": ["random_state"],
    }

    # Of batch_size='auto': factor of the root of n, least and largest power of two.
    _auto_batch = 1.5, 5, 8
    # Of weight_decay='auto': the least steps, and the epochs, in which weights fade to
    # 1/e; None is half of all.
    _fading = None
    # Whether the output activation keeps the output in the data's own units.
    _bounded = False
    # Whether rows may have gaps, NaN.
    _admits_gaps = True
    # Whether gaps are made in training, even if there are none.
    _imitates_gaps = False
    # What makes one number of the losses of a row's entries.
    _over_features = "mean"

    def _make_network(self, n_features, n_components):
        raise NotImplementedError

    def _make_loss(self):
        return squared_error, 2

    def _auto_steps(self, n_rows):
        """Return the least number of steps for ``max_iter='auto'``."""
        return 200

    def _make_penalties(self, rows):
        return (WeightPenalty(self.alpha, self.l1_ratio),) if self.alpha else ()

    def _make_corruption(self, rows):
        imitable = rows.with_gaps is not None and self.solver in ("adam", "sgd")
        return CORRUPTIONS["gaps"](rows, 0.0) if imitable else None

    def _initialize(self, network, rows, generator):
        reset_parameters(network, generator)

    # A stack fits estimators of the user's, whose parameters are to be checked too.
    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None, X_val=None):
        """Fit the autoencoder.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows to reconstruct. Sparse rows become dense one batch at a time.
        y : None
            Ignored.
        X_val : {array-like, sparse matrix} of shape (n_val, n_features), default=None
            Rows to choose the best epoch on, instead of a part of `X`.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If a parameter or the input is not acceptable, or if the loss stops being
            finite. The estimator is then as it was before.
        """
        with fitting(self):
            going_on = self.warm_start and hasattr(self, "net_")
            X = self._validate(X, "X", reset=not going_on)
            if not going_on:
                self.mean_, self.scale_ = location_and_scale(X)
            rows = self._rows(X)
            if going_on:
                self._go_on_with_gaps(rows)
            else:
                self._begin_gaps(rows)
            X_val = None if X_val is None else self._validate_watched(X_val)
            net = self._resume() if going_on else self._new_net(rows)
            net.corruption = self._make_corruption(rows)
            net.criterion.penalties = self._make_penalties(rows)
            self._set_budget(net, len(rows))
            with limited_threads(net.module, net.batch_size):
                begin = None if going_on else self._beginner(net, rows)
                self._fit_network(net, rows, X_val, begin)
                self._keep(net, rows, going_on)
        return self

    def _validate(self, X, name=None, reset=False):
        """Return `X` as a matrix; if it has a name, its values are to be decoded."""
        gaps_may_be = self._admits_gaps and (reset or self._meets_gaps)
        try:
            if reset or not passes_checks(self, X):
                X = validated(
                    self,
                    X,
                    reset=reset,
                    accept_sparse="csr",
                    dtype=[np.float64, np.float32],
                    ensure_all_finite="allow-nan" if gaps_may_be else True,
                )
        except ValueError as error:
            if reset or not self._admits_gaps or "contains NaN" not in str(error):
                raise
            raise ValueError(
                f"{name or 'X'} contains NaN, but {type(self).__name__} was fitted to "
                "rows without. Fit it to rows with gaps, or set corruption='gaps'."
            ) from error
        if name is not None:
            self._check_values(X, name)
        return X

    def _validate_watched(self, X_val):
        try:
            return self._validate(X_val, "X_val")
        except ValueError as error:
            if "X_val" in str(error):
                raise
            raise ValueError(f"X_val: {error}") from error

    def _begin_gaps(self, rows):
        """Forget what filled gaps, and raise where there is nothing to learn from."""
        self._filler, has_gaps = None, rows.with_gaps is not None
        self._meets_gaps = has_gaps or self._imitates_gaps
        if has_gaps and bool((empty := rows.with_gaps.isnan().all(dim=0)).any()):
            names = getattr(self, "feature_names_in_", range(len(empty)))
            column = names[int(empty.int().argmax())]
            raise ValueError(
                f"Column {column!r} of X has no value at all. Drop it first."
            )

    def _go_on_with_gaps(self, rows):
        if self._imitates_gaps and not self._meets_gaps:
            self._meets_gaps = True
            self._learn_gaps(rows)
        rows.fill(self._filler)

    def _expect_gaps(self, X):
        """Learn from the rows `X` of `fit` to fill gaps, though they have none."""
        if not self._meets_gaps:
            self._meets_gaps = True
            self._learn_gaps(self._rows(X))
            self.net_.set_filler(self._filler)

    def _learn_gaps(self, rows):
        """Set what fills gaps, if there are or will be any, by what `rows` have."""
        if self._meets_gaps:
            self._filler = GapFiller.fit(rows, torch.Generator().manual_seed(0))

    def _check_values(self, X, name):
        """Raise where the loss does not admit the values of `X`."""

    def _new_net(self, rows):
        generator = torch.Generator()
        if self.random_state is None:
            # Not scikit-learn's global RandomState, which a draw would change.
            generator.seed()
        else:
            random_state = check_random_state(self.random_state)
            generator.manual_seed(int(random_state.randint(np.iinfo(np.int32).max)))
        n_components = self._code_size(rows, generator)
        network = self._make_network(rows.shape[1], n_components)
        return self._make_net(network, generator)

    def _code_size(self, rows, generator):
        """Return the width of the code to train."""
        return int(self.n_components)

    def _resume(self):
        """Return a new net with the weights and the optimiser's state of `net_`."""
        old = self.net_
        generator = torch.Generator().set_state(old.generator.get_state())
        was = old.module_.config
        asked = self.n_components
        share = not isinstance(asked, Integral)
        n_components = was["n_components"] if share else int(asked)
        network = self._make_network(self.n_features_in_, n_components)
        net, now = self._make_net(network, generator), network.config
        if changed := [name for name in now if now[name] != was[name]]:
            raise ValueError(
                f"warm_start=True cannot go on after a change of {', '.join(changed)}: "
                f"the fitted network has {was}, the parameters ask for {now}."
            )
        net.module.load_state_dict(old.module_.state_dict())
        net.initialize()
        net.loss_unit = old.loss_unit
        if net.solver == old.solver:
            net.optimizer_.load_state_dict(deepcopy(old.optimizer_.state_dict()))
            for group in net.optimizer_.param_groups:
                group["lr"] = net.lr  # which may have been changed
        return net

    def _make_net(self, network, generator, device=None, stored=None):
        """Return a net, by what is `stored` of one or else by the parameters."""
        if stored is None:
            solver, callbacks = self.solver, self._callbacks()
            loss, power = self._make_loss()
            objective = Objective(loss, over_features=self._over_features, power=power)
        else:
            solver, callbacks = stored["solver"], []
            objective = Objective(**stored["objective"])
        line_search = solver == "lbfgs"
        net = AutoencoderNet(
            network.to(precision(solver)),
            objective,
            generator=generator,
            schedule="constant" if line_search else self.learning_rate,
            solver=solver,
            lr=1.0 if line_search else self.learning_rate_init,
            device=device or self._device(),
            verbose=int(self.verbose),
            watch=Watch(self.tol),
            callbacks=callbacks,
        )
        net.set_filler(self._filler)
        return net

    @property
    def _dtype(self):
        return precision(self.solver)

    def _device(self):
        if self.device == "auto":
            found = torch.accelerator.current_accelerator(check_available=True)
            return str(found or "cpu")
        try:
            torch.zeros(1, device=self.device).item()
        except (RuntimeError, AssertionError) as error:
            raise ValueError(
                f"device must be 'auto' or a device PyTorch can use here, such as "
                f"'cpu', got {self.device!r}: {error}"
            ) from error
        return self.device

    def _callbacks(self):
        schedule = "constant" if self.solver == "lbfgs" else self.learning_rate
        return cloned_callbacks(self.callbacks or (), schedule)

    def _rows(self, X):
        device = self._device()
        return Rows(X, self.mean_, self.scale_, self._dtype, device, self._bounded)
