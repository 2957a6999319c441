#!/bin/sh
# Prints the first Python that is new enough, found by running each candidate: version managers leave
# shims named python3.13 that exist and fail. PYTHON=/path/to/python is tried first and alone.
set -u

good() {
    # venv and ensurepip are asked for by name: Debian ships them apart, in python3-venv.
    # A free-threaded build has no wheels of what we stand on.
    "$1" -c 'import ensurepip, sys, sysconfig, venv
sys.exit(sys.version_info < (3, 12) or bool(sysconfig.get_config_var("Py_GIL_DISABLED")))' >/dev/null 2>&1
}

if [ -n "${PYTHON:-}" ]; then
    if good "$PYTHON"; then printf '%s\n' "$PYTHON"; exit 0; fi
    echo "PYTHON=$PYTHON is not a Python 3.12 or newer with its venv module. Name another, or leave PYTHON out." >&2
    exit 1
fi

home=${HOME:-/nonexistent}
pyenv=${PYENV_ROOT:-$home/.pyenv}
for candidate in python3.14 python3.13 python3.12 python3 \
    "$pyenv"/versions/3.14*/bin/python3 "$pyenv"/versions/3.13*/bin/python3 "$pyenv"/versions/3.12*/bin/python3 \
    "$home"/.local/share/uv/python/cpython-3.1[2-4]*/bin/python3 \
    /opt/homebrew/bin/python3.1[2-9] /usr/local/bin/python3.1[2-9] \
    /Library/Frameworks/Python.framework/Versions/3.1[2-9]/bin/python3; do
    if good "$candidate"; then printf '%s\n' "$candidate"; exit 0; fi
done

cat >&2 <<'END'
Troth needs Python 3.12 or newer, with its venv module, and found none that runs. Install one, then run make again:
  Debian 13, Ubuntu 24.04 or newer:  apt install python3 python3-venv
  Debian 12 and others:              pyenv install 3.13   (or: uv python install 3.13)
  macOS:                             brew install python@3.13
If it lies elsewhere, name it:  make setup PYTHON=/path/to/python3.13
END
exit 1
