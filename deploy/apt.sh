# Sourced by scripts that install what a target of the Makefile needs.

# as_root COMMAND... runs it with sudo unless it is root already.
as_root() {
  if ((EUID == 0)); then
    "$@"
  elif [[ -t 0 ]]; then
    sudo "$@"
  else
    sudo -n "$@"
  fi
}

# apt_install LOG PACKAGE installs a Debian package, or says why it cannot.
apt_install() {
  ((EUID == 0)) || command -v sudo >/dev/null || { warn "apt-get needs root, and there is no sudo"; return 1; }
  as_root env DEBIAN_FRONTEND=noninteractive bash -c \
    'apt-get update && apt-get install -y --no-install-recommends "$0"' "$2" >"$1" 2>&1 ||
    { warn "apt-get failed: $(tail -n 1 "$1")"; return 1; }
}
