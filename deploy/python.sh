#!/usr/bin/env bash
# Finds or installs a Python 3 that has the module msgpack, which reads and
# writes our test vectors, and writes it to bin/python.env. It takes the first
# of these that will do: python3 on PATH, Debian's, Debian's after
# apt-get install python3-msgpack. Where there is no apt-get it says so, and the
# test is skipped.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
mkdir -p bin
rm -f bin/python.env

say() { echo "python: $*"; }
warn() { echo "python: $*" >&2; }
source deploy/apt.sh

# take PYTHON takes a Python if it has the module.
take() {
  local version
  version=$("$1" -c 'import msgpack; print(*msgpack.version, sep=".")' 2>/dev/null) || return 1
  printf 'export NACRE_PYTHON=%q\n' "$1" >bin/python.env
  say "$1 (msgpack $version)"
}

take python3 && exit 0
take /usr/bin/python3 && exit 0
if ! command -v apt-get >/dev/null; then
  warn "no module msgpack, and no apt-get to install it: its test is skipped (pip install msgpack)"
  exit 0
fi
warn "no module msgpack: installing python3-msgpack with apt-get (log: bin/python-install.log)"
apt_install bin/python-install.log python3-msgpack
take /usr/bin/python3
