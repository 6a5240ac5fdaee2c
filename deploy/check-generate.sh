#!/usr/bin/env bash
# Fails when the committed output of `go generate` is not what the generator
# writes today. Arguments: the modules to look at.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
go=${GO:-go}

# The folders that hold a //go:generate line, in all modules.
folders=$(grep -rlE --include='*.go' '^//go:generate ' . | while read -r file; do dirname "$file"; done | sort -u)
[[ -n $folders ]] || exit 0

before=$(mktemp -d)
trap 'rm -rf "$before"' EXIT
for folder in $folders; do
  mkdir -p "$before/$folder"
  cp -R "$folder/." "$before/$folder"
done
for module in "$@"; do (cd "$module" && "$go" generate ./...); done

stale=0
for folder in $folders; do
  diff -ru "$before/$folder" "$folder" || stale=1
done
if ((stale)); then
  echo "Emitted code was stale; it is written anew now: look at the change above and commit it." >&2
  exit 1
fi
