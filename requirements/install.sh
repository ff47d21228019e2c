#!/bin/sh
# Installs the pinned packages of requirements/PINS.txt into a virtual environment:
#   sh requirements/install.sh VENV PINS [--with-probesheets | --more]
# --with-probesheets adds this checkout, editable; --more adds to an environment that exists, and removes nothing.
#
# uv installs them several times as fast as pip: the uv on the PATH, else the pinned one, in .venv-uv. pip does the work
# where uv cannot, for instance if only pip is configured for your package registry. Both check the hash of every file.
set -eu
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
venv=$1
pins=requirements/$2.txt
mode=${3:-}

check_python() {
  versions="3.11, 3.12 or 3.13"
  [ "$2" != mysql ] || versions="3.11 or 3.12"  # dbt 1.7 ends there
  found=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || found=missing
  case " $versions " in *" $found"[,\ ]*) return ;; esac
  echo "$1 needs Python $versions, but '$python' is $found." >&2
  echo "Name another one, as in: make PYTHON=python3.12 $1" >&2
  exit 1
}

pip_install() {
  "$1/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$2"
}

find_uv() {
  uv=$(command -v uv) && return
  uv=.venv-uv/bin/uv
  [ .venv-uv/.installed -nt requirements/uv.txt ] && return
  "$python" -m venv .venv-uv && pip_install .venv-uv requirements/uv.txt && touch .venv-uv/.installed
}

with_uv() {
  find_uv || return
  # compiled once, as pip does: where PYTHONDONTWRITEBYTECODE is set, every dbt command would compile all it imports
  export VIRTUAL_ENV="$PWD/$venv" UV_COMPILE_BYTECODE=1
  if [ "$mode" = --more ]; then
    "$uv" pip install --quiet --require-hashes -r "$pins"
    return
  fi
  "$uv" venv --quiet --allow-existing --no-python-downloads --python "$(command -v "$python")" "$venv" || return
  "$uv" pip sync --quiet --require-hashes "$pins" || return
  [ "$mode" != --with-probesheets ] || "$uv" pip install --quiet --no-deps --no-build-isolation --editable .
}

with_pip() {
  "$python" -m venv "$venv"
  pip_install "$venv" "$pins"
  [ "$mode" != --with-probesheets ] ||
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
}

check_python "$venv" "$2"
if ! with_uv; then
  echo "uv could not install $pins. pip installs it now, which takes a minute or two." >&2
  with_pip
fi
