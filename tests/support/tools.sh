#!/usr/bin/env bash
# Commands that tests and benchmarks start.
#   tools.sh check   command=package …    names what is missing, and the command that installs it
#   tools.sh install command=package …    installs what is missing from Debian's packages
set -euo pipefail

task=$1
shift
missing=() packages=()
for pair in "$@"; do
    command -v "${pair%%=*}" >/dev/null || { missing+=("${pair%%=*}"); packages+=("${pair##*=}"); }
done
[ ${#missing[@]} -gt 0 ] || exit 0

if [ "$task" = check ]; then
    echo "${missing[*]} missing: make test-tools installs them (elsewhere than on Debian: the packages ${packages[*]})" >&2
    exit 1
fi

echo "Installing ${packages[*]}"
# They are installed for their programs: none of their services is started.
quiet=(env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 SYSTEMD_OFFLINE=1)
# GitHub's machines give root without a password.
[ "$(id -u)" = 0 ] || quiet=(sudo -n "${quiet[@]}")
install() { "${quiet[@]}" apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null 2>&1; }
install || { "${quiet[@]}" apt-get update -qq >/dev/null 2>&1 && install; } || {
    echo "${missing[*]} missing and cannot be installed here: install the packages ${packages[*]}" >&2
    exit 1
}
