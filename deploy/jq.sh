#!/usr/bin/env bash
# Finds or installs jq, with which a test reads what a store with `encoding:
# json` has written. It takes the one on PATH, or else the package manager's.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
mkdir -p bin

say() { echo "jq: $*"; }
warn() { echo "jq: $*" >&2; }
source deploy/apt.sh

readonly log=bin/jq-install.log
if ! command -v jq >/dev/null; then
  if command -v apt-get >/dev/null; then
    warn "none on PATH: installing jq with apt-get (log: $log)"
    apt_install "$log" jq
  elif command -v brew >/dev/null; then
    warn "none on PATH: installing jq with brew (log: $log)"
    brew install jq >"$log" 2>&1 </dev/null
  else
    warn "none on PATH, and no apt-get or brew to install it: a test needs one"
    exit 1
  fi
  hash -r
fi
say "$(command -v jq) ($(jq --version))"
