#!/bin/sh
# Brings the Python clients that tests use into a virtual environment and prints its folder.
#   app/test/clients/install.sh            installs what is missing
#   app/test/clients/install.sh --check    only looks, and says which command installs it
set -eu

requirements=$(cd "$(dirname "$0")" && pwd)/requirements.txt
version=$(cksum <"$requirements" | cut -d' ' -f1)
case ${XDG_CACHE_HOME-} in /*) ;; *) XDG_CACHE_HOME=$HOME/.cache ;; esac
folder=$XDG_CACHE_HOME/property-search/python-clients/$version

say() { printf '%s\n' "$*" >&2; }

if [ -f "$folder/.installed" ]; then
    printf '%s\n' "$folder"
    exit
fi

if [ "${1:-}" = --check ]; then
    say "the Python clients are missing in $folder: make python-clients"
    exit 1
fi

command -v python3 >/dev/null || {
    say "python3 is missing: install Python 3.11 or newer with its venv (Debian: apt-get install python3-venv)"
    exit 1
}

say "Installing the Python clients (450 MB) into $folder"
python3 -m venv --clear "$folder"
# Wheels alone, since a source would run its own code, and no more packages than are listed.
"$folder/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: -r "$requirements" >&2
touch "$folder/.installed"
printf '%s\n' "$folder"
