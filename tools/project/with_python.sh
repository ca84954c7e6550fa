#!/bin/sh
# Runs a Python program that needs no virtual environment:
#
#     with_python.sh PROGRAM ARGUMENT…
#
# The environment variable PYTHON names the interpreter. If it is not set, the first interpreter on
# the PATH that is new enough is used. The program receives its name in PYTHON.
#
# This is a shell script because there may be no usable Python at all.
set -eu

# Python 3.11: the generator and the client need `StrEnum` and `Self`.
is_new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

find_python() {
    for candidate in python3 python3.11 python3.12 python3.13 python3.14; do
        if is_new_enough "$candidate"; then
            echo "$candidate"
            return
        fi
    done
}

fail() {
    echo "Python 3.11 or newer is needed$1; name one: make PYTHON=…" >&2
    exit 2
}

# An empty PYTHON counts as "none": only an unset variable starts the search.
PYTHON=${PYTHON-$(find_python)}
[ -n "$PYTHON" ] || fail ": none was found"
is_new_enough "$PYTHON" || fail ": $PYTHON is not"

export PYTHON
exec "$PYTHON" "$@"
