#!/usr/bin/env bash
# Sees to it that commands are there which tests and benchmarks use: what the machine has is used, what it
# lacks is installed from Debian's packages. Usage: tools.sh command=package …
set -euo pipefail

missing=() packages=()
for pair in "$@"; do
    command -v "${pair%%=*}" >/dev/null || { missing+=("${pair%%=*}"); packages+=("${pair##*=}"); }
done
[ ${#missing[@]} -gt 0 ] || exit 0

echo "Installing ${packages[*]}"
# They are installed for their programs: nothing of them may start by itself.
quiet=(env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 SYSTEMD_OFFLINE=1)
# As on GitHub's machines: root is to be had without a password.
[ "$(id -u)" = 0 ] || quiet=(sudo -n "${quiet[@]}")
install() { "${quiet[@]}" apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null 2>&1; }
install || { "${quiet[@]}" apt-get update -qq >/dev/null 2>&1 && install; } || {
    echo "${missing[*]} missing and not to be installed: install them (Debian: apt-get install ${packages[*]})" >&2
    exit 1
}
