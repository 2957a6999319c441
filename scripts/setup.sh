#!/bin/sh
# Makes .venv what the requirements say: `setup.sh run` for running Troth, `setup.sh test` for its tests as well.
# Each step leaves the checksum of what it was made from in .venv, so a second run is instant and a changed
# requirement is installed. Stamps are checksums, not make targets: checkouts touch times, and make splits paths at spaces.
set -eu
cd "$(dirname "$0")/.."
unset PYTHONHOME PYTHONPATH
PIP_USER=0
export PIP_USER

sum() { cksum <"$1"; }

fresh() { # fresh STAMP FILE: STAMP was left by this very FILE
    [ -f ".venv/$1.stamp" ] && [ "$(cat ".venv/$1.stamp")" = "$(sum "$2")" ]
}

install() {
    .venv/bin/python -m pip install --disable-pip-version-check --no-input -qq "$@"
}

usable() {
    # A venv that was moved keeps the old path in its scripts, so it says where it was made.
    [ "$(cat .venv/here 2>/dev/null || pwd)" = "$(pwd)" ] && .venv/bin/python -m pip --version >/dev/null 2>&1
}

environment() {
    if [ -f .venv/here ] && [ "$(cat .venv/here)" = "$(pwd)" ] && .venv/bin/python -c '' 2>/dev/null; then return; fi
    if ! usable; then
        python=$(sh scripts/find-python.sh)
        echo "setup: making .venv with $("$python" -V)"
        rm -rf .venv
        "$python" -m venv .venv
    fi
    rm -f .venv/*.stamp
    pwd >.venv/here
}

packages() { # packages NAME [OPTION...]: what requirements/NAME.txt pins
    name=$1
    shift
    if fresh "$name" "requirements/$name.txt"; then return; fi
    echo "setup: installing requirements/$name.txt"
    install --require-hashes "$@" -r "requirements/$name.txt"
    sum "requirements/$name.txt" >".venv/$name.stamp"
}

troth() {
    if fresh troth pyproject.toml; then return; fi
    install --no-build-isolation --no-deps -e .
    sum pyproject.toml >.venv/troth.stamp
}

node() { # Node's own client of the Resend API, for the tests that promise it works
    if fresh node tests/node/package.json && [ -d tests/node/node_modules ]; then return; fi
    if command -v npm >/dev/null 2>&1 \
        && (cd tests/node && npm install --no-audit --no-fund --no-package-lock --loglevel=error </dev/null); then
        sum tests/node/package.json >.venv/node.stamp
    elif [ -n "${CI:-}" ]; then
        echo "setup: CI needs node and npm (apt install nodejs npm) for the tests of Node's client." >&2
        exit 1
    else
        echo "setup: without npm (apt install nodejs npm) the tests of Node's client are listed as not run."
    fi
}

environment
# Wheels only: a package that had to be compiled here would fail late and in its own words. (Those named come as source
# alone, and are nothing but Python.)
packages run --only-binary :all: --no-binary dkimpy,authres
troth
if [ "${1:-run}" = test ]; then
    packages test
    node
fi
