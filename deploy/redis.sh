#!/usr/bin/env bash
# Finds or installs a Redis >= 7.0 for tests and bench, says in one line which
# one, and writes it to bin/redis.env. It takes the first of these that will do:
#
#   1. the server at NACRE_REDIS_URL
#   2. the binary at NACRE_REDIS_SERVER, or redis-server on PATH
#   3. the package manager's (apt-get, brew), where there is none on PATH; a
#      service that the package starts is stopped: ours are private ones
#   4. the one of docker-compose.yml
#
# It never changes or stops a Redis that was there before.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly min_major=7
mkdir -p bin
rm -f bin/redis.env

say() { echo "redis: $*"; }
warn() { echo "redis: $*" >&2; }
source deploy/apt.sh

# new_enough VERSION succeeds for 7.0 and later.
new_enough() {
  local major=${1%%.*}
  [[ $major =~ ^[0-9]+$ ]] && ((major >= min_major))
}

# take_binary PATH takes a redis-server if it is new enough.
take_binary() {
  local version
  version=$("$1" --version 2>/dev/null | sed -nE 's/.*[^a-z]v=([0-9.]+).*/\1/p') || version=
  if ! new_enough "$version"; then
    warn "$1 is not Redis >= $min_major.0 (version ${version:-unknown})"
    return 1
  fi
  printf 'export NACRE_REDIS_SERVER=%q\n' "$1" >bin/redis.env
  say "$1 (Redis $version)$2"
}

# url_version URL prints the version of the server at
# redis://[user:password@]host[:port][/db], or else why there is none.
url_version() (
  address=${1#redis://}
  address=${address%%/*}
  login=
  [[ $address == *@* ]] && login=${address%@*} address=${address##*@}
  host=${address%:*} port=${address##*:}
  [[ $address == *:* ]] || port=6379
  { exec 3<>"/dev/tcp/$host/$port"; } 2>/dev/null || { echo "nobody listens"; exit 1; }
  if [[ $login == *:?* ]]; then
    user=${login%%:*} password=${login#*:}
    words=(AUTH ${user:+"$user"} "$password")
    printf '*%d\r\n' "${#words[@]}" >&3
    LC_ALL=C
    for word in "${words[@]}"; do printf '$%d\r\n%s\r\n' "${#word}" "$word" >&3; done
    IFS= read -r -t 5 line <&3 || line=
    [[ $line == -* ]] && { echo "${line%$'\r'}"; exit 1; }
  fi
  printf '*2\r\n$4\r\nINFO\r\n$6\r\nserver\r\n' >&3
  while IFS= read -r -t 5 line <&3; do
    line=${line%$'\r'}
    case $line in
      -*) echo "$line"; exit 1 ;;
      redis_version:*) echo "${line#redis_version:}"; exit 0 ;;
    esac
  done
  echo "who listens there is no Redis"
  exit 1
)

# take_url URL WHY takes a running server if it answers and is new enough.
take_url() {
  local url=$1 shown version
  shown=$(sed -E 's|//[^@/]*@|//***@|' <<<"$url")
  case $url in
    redis://*)
      if ! version=$(url_version "$url"); then
        warn "$shown, from $2: $version"
        return 1
      fi
      if ! new_enough "$version"; then
        warn "$shown, from $2: is Redis $version, not >= $min_major.0"
        return 1
      fi
      ;;
    rediss://* | unix://*) version="version is checked when it is opened" ;;
    *)
      warn "$2 is no redis://, rediss:// or unix:// URL"
      return 1
      ;;
  esac
  printf 'export NACRE_REDIS_URL=%q\n' "$url" >bin/redis.env
  say "$shown (Redis $version), from $2"
}

# with_package_manager installs redis-server and takes it.
with_package_manager() {
  local log=bin/redis-install.log
  if command -v apt-get >/dev/null; then
    warn "none on PATH: installing redis-server with apt-get (log: $log)"
    local was_installed=no
    dpkg -s redis-server >/dev/null 2>&1 && was_installed=yes
    apt_install "$log" redis-server || return 1
    if [[ $was_installed == yes ]]; then
      : # its service, if any, is not ours to stop
    elif command -v systemctl >/dev/null && systemctl is-active --quiet redis-server 2>/dev/null; then
      as_root systemctl disable --now redis-server >>"$log" 2>&1 || true
    elif command -v service >/dev/null; then
      as_root service redis-server stop >>"$log" 2>&1 || true
    fi
  elif command -v brew >/dev/null; then
    warn "none on PATH: installing redis with brew (log: $log)"
    brew install redis >"$log" 2>&1 </dev/null || { warn "brew failed: $(tail -n 1 "$log")"; return 1; }
  else
    warn "none on PATH, and no apt-get or brew to install it"
    return 1
  fi
  hash -r
  local installed
  installed=$(command -v redis-server) || { warn "the package brought no redis-server"; return 1; }
  take_binary "$installed" ", installed just now"
}

# with_compose starts the server of docker-compose.yml and takes it.
with_compose() {
  docker compose version >/dev/null 2>&1 || { warn "no docker compose"; return 1; }
  warn "starting the one of docker-compose.yml (end it with: docker compose down)"
  docker compose up --detach --wait redis >bin/redis-compose.log 2>&1 </dev/null ||
    { warn "docker compose failed: $(tail -n 1 bin/redis-compose.log)"; return 1; }
  take_url redis://127.0.0.1:6379 docker-compose.yml
}

if [[ -n ${NACRE_REDIS_URL:-} ]]; then
  # A server that was named is the one that is meant: no other in its place.
  take_url "$NACRE_REDIS_URL" NACRE_REDIS_URL && exit 0
  exit 1
fi
if [[ -n ${NACRE_REDIS_SERVER:-} ]]; then
  take_binary "$NACRE_REDIS_SERVER" ", from NACRE_REDIS_SERVER" && exit 0
  exit 1
fi
if on_path=$(command -v redis-server); then
  # An old one may be serving somebody, and the package manager would replace it.
  take_binary "$on_path" ", on PATH" && exit 0
else
  with_package_manager && exit 0
fi
with_compose && exit 0
warn "no Redis >= $min_major.0 to be had: tests need one; the bench falls back to an embedded server"
exit 1
