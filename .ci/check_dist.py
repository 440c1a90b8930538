"""Check what the source archive and the wheel hold, and that the wheel works alone."""

import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
TRY = """
import numpy as np, skae
assert not skae.__file__.startswith({root!r}), skae.__file__
X = np.random.RandomState(0).normal(size=(50, 4))
print("the wheel reconstructs:", skae.LinearAutoencoder(2).fit(X).reconstruct(X).shape)
"""


def files(*folders):
    paths = (path for folder in folders for path in ROOT.glob(f"{folder}/**/*.py"))
    return {path.relative_to(ROOT).as_posix() for path in paths}


def check_names(wheel, archive):
    with zipfile.ZipFile(wheel) as file:
        names = set(file.namelist())
    library = {name for name in names if ".dist-info/" not in name}
    assert library == files("skae"), library ^ files("skae")
    assert any(name.endswith("licenses/LICENSE") for name in names), names
    with tarfile.open(archive) as file:
        names = {name.partition("/")[2] for name in file.getnames()}
    pages = {"LICENSE", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "Makefile"}
    wanted = files("skae", "tests", "examples") | pages | {"tests/conftest.py"}
    assert wanted <= names, wanted - names
    kinds = {Path(name).suffix for name in names if name.startswith("benchmarks/")}
    assert kinds == {".py", ".md"}, kinds


def try_wheel(wheel):
    """Install the wheel where everything else is borrowed from this environment."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = Path(folder, "bin", "python")
        scheme = {"base": folder, "platbase": folder}
        own = Path(sysconfig.get_path("purelib", "venv", scheme))
        # A path in a .pth file is not searched for .pth files in turn, so this
        # environment's editable skae is not seen from there.
        (own / "borrowed.pth").write_text(sysconfig.get_path("purelib"))
        install = [python, "-m", "pip", "install", "-q", "--no-deps", wheel]
        subprocess.run(install, check=True)
        code = TRY.format(root=str(ROOT))
        subprocess.run([python, "-I", "-c", code], check=True, cwd=folder)


def main():
    (wheel,) = ROOT.glob("dist/*.whl")
    (archive,) = ROOT.glob("dist/*.tar.gz")
    check_names(wheel, archive)
    try_wheel(wheel)


if __name__ == "__main__":
    sys.exit(main())
