"""How long skae takes beside a bare PyTorch loop, as ratios measured in one run.

For each size the same network, with the same weights at the start, is trained on the
same batches by `Autoencoder` and by a bare loop with fused AdamW; then the rest of the
lines have the same widths, number of epochs and batch size. Each line is the median of
interleaved repetitions, on one thread. Transforms are timed with nine networks in turn,
for where one and its rows lie in memory makes a difference of a fifth.

    python benchmarks/speed.py [--repetitions 5]
"""

import argparse
import random
import subprocess
import sys
import time
import warnings
from contextlib import suppress
from statistics import median

import numpy as np
import torch
from reference import Plain, fit_reference
from sklearn.neural_network import MLPRegressor
from threadpoolctl import threadpool_limits
from torch.nn import functional as F

from skae import Autoencoder

SIZES = {
    "1797 x 64": (1797, 64),
    "20000 x 50": (20000, 50),
    "20000 x 784": (20000, 784),
}
EPOCHS = {"1797 x 64": 40, "20000 x 50": 10, "20000 x 784": 5}
N_COMPONENTS = 16


def make_rows(n_rows, n_columns):
    """Return float32 rows near a curved surface."""
    rng = np.random.default_rng(0)
    factors = np.tanh(rng.normal(size=(n_rows, 8)) @ rng.normal(size=(8, n_columns)))
    return (factors + 0.1 * rng.normal(size=factors.shape)).astype(np.float32)


def estimator(epochs, **params):
    """Return the estimator that does what the bare loop does."""
    return Autoencoder(
        N_COMPONENTS,
        init="random",
        batch_size=128,
        max_iter=epochs,
        early_stopping=False,
        weight_decay=0.01,
        random_state=0,
        **params,
    )


def bare_loop(X, network, epochs, generator):
    """Train `network` as one would write it without a library."""
    optimizer = torch.optim.AdamW(network.parameters(), lr=0.005, fused=True)
    n_steps = epochs * -(-len(X) // 128)
    step = 0
    network.train()
    for _ in range(epochs):
        total = 0.0
        for index in torch.randperm(len(X), generator=generator).split(128):
            x = X[index]
            for group in optimizer.param_groups:
                group["lr"] = 0.005 * (1 - step / n_steps)
            optimizer.zero_grad()
            loss = F.mse_loss(network(x), x)
            loss.backward()
            optimizer.step()
            total += loss.detach()
            step += 1
        float(total)
    return network.eval()


def seconds(function):
    """Return the seconds that `function` takes."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def compared(functions, repetitions):
    """Return the median seconds of each function, interleaved in changing order."""
    for function in functions.values():
        function()
    order = random.Random(0)
    times = {name: [] for name in functions}
    for _ in range(repetitions):
        for name in order.sample(list(functions), len(functions)):
            times[name].append(seconds(functions[name]))
    return {name: median(values) for name, values in times.items()}


def fits(X, epochs):
    """Return what to time for the fits of one size, the yardstick first."""
    rows = torch.from_numpy((X - X.mean(axis=0)) / X.std())
    n_columns = X.shape[1]
    generator = torch.Generator().manual_seed(0)
    found = {
        "bare loop": lambda: bare_loop(
            rows, Plain(n_columns, N_COMPONENTS), epochs, generator
        ),
        "skae, the same": lambda: estimator(epochs).fit(X),
        "skae, from PCA": lambda: estimator(epochs).set_params(init="pca").fit(X),
        "skorch as it comes": lambda: fit_reference(X, N_COMPONENTS, 0, epochs),
        "MLPRegressor": lambda: MLPRegressor(
            hidden_layer_sizes=(256, 128, N_COMPONENTS, 128, 256),
            batch_size=128,
            max_iter=epochs,
        ).fit(X, X),
    }
    with suppress(ImportError):
        from pyod.models.auto_encoder import AutoEncoder

        found["PyOD's AutoEncoder"] = lambda: AutoEncoder(
            hidden_neuron_list=[256, 128, N_COMPONENTS],
            batch_size=128,
            epoch_num=epochs,
            batch_norm=False,
            dropout_rate=0,
            verbose=0,
        ).fit(X)
    return found


def transforms(X, epochs):
    """Return what to time for encoding one size, the yardstick first."""
    model = estimator(1).fit(X[:1000])
    module = model.net_.module_
    rows = torch.from_numpy((X - model.mean_.astype(np.float32)) / model.scale_)
    rows = rows.float()

    def bare():
        with torch.inference_mode():
            module.encode(rows).numpy()

    return {
        "bare module": bare,
        "skae": lambda: model.transform(X),
        "skorch": lambda: model.net_.predict(rows),
    }


def table(title, make, repetitions, n_makes=1):
    """Print ratios to the first line of each size, medians over what is made."""
    ratios, firsts = {}, []
    for size, shape in SIZES.items():
        runs = []
        for _ in range(n_makes):
            functions = make(make_rows(*shape), EPOCHS[size])
            runs.append(compared(functions, repetitions))
        first, *_ = runs[0]
        firsts.append(f"{median(run[first] for run in runs):.3f} s")
        for name in runs[0]:
            ratio = median(run[name] / run[first] for run in runs)
            ratios.setdefault(name, []).append(f"{ratio:.2f}")
    print(f"\n| {title} | {' | '.join(SIZES)} |\n|---|{'---|' * len(SIZES)}")
    for name, cells in ratios.items():
        print(f"| {name} | {' | '.join(cells)} |")
    print(f"| {first}, seconds | {' | '.join(firsts)} |", flush=True)


def run_python(code):
    """Return what a new process prints."""
    return subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout


# Filled in, and run in a process of its own: another has peaks of its past.
PROBE = """
import threading, time
import numpy as np

def resident():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * 4096 / 2**20

def watch():
    while not done:
        peaks.append(resident())
        time.sleep(0.002)

{setup}
done, before, peaks = False, resident(), []
thread = threading.Thread(target=watch)
thread.start()
{work}
done = True
thread.join()
print(max(peaks) - before)
"""


def added_memory(setup, work):
    """Return the peak of the resident memory in `work`, in MiB beyond that before."""
    return float(run_python(PROBE.format(setup=setup, work=work)))


def memory():
    """Print the peak of the resident memory in a fit, beyond that before it."""
    print("\n| rows x 784, float32 | array, MiB | peak of fit beyond it, MiB |")
    print("|---|---|---|")
    for n_rows in (20000, 60000, 120000):
        setup = f"""
from skae import Autoencoder
X = np.random.default_rng(0).random(({n_rows}, 784), dtype="f4")
model = Autoencoder(4, max_iter=1, random_state=0)
model.fit(X[:2000])
"""
        added = added_memory(setup, "model.fit(X)")
        print(f"| {n_rows} | {n_rows * 784 * 4 / 2**20:.0f} | {added:.0f} |")


def imports(repetitions):
    """Print the seconds of importing skae and of importing what it stands on."""
    codes = {
        "import torch, skorch, sklearn": "import torch, skorch, sklearn",
        "import skae": "import skae",
    }
    functions = {name: lambda c=code: run_python(c) for name, code in codes.items()}
    results = compared(functions, repetitions)
    print(f"\nImports: {', '.join(f'{n} {s:.2f} s' for n, s in results.items())}.")


def contended(repetitions):
    """Print how much slower a fit is while another process keeps one core busy."""
    X = make_rows(1797, 64)
    alone = median(seconds(lambda: estimator(20).fit(X)) for _ in range(repetitions))
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        beside = median(
            seconds(lambda: estimator(20).fit(X)) for _ in range(repetitions)
        )
    finally:
        busy.kill()
        busy.wait()
    print(f"Fit beside a process that keeps a core busy: {beside / alone:.2f} x alone.")


def main():
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=5)
    repetitions = parser.parse_args().repetitions
    warnings.simplefilter("ignore")
    contended(repetitions)
    torch.set_num_threads(1)
    with threadpool_limits(1):
        table("fit, times the bare loop", fits, repetitions)
        table("transform, times the bare module", transforms, 2 * repetitions, 9)
    memory()
    imports(repetitions)


if __name__ == "__main__":
    main()
