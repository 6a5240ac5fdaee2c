#!/usr/bin/env bash
# Runs the bench with the arguments given, on the Redis that deploy/redis.sh
# finds. Without one the bench uses its embedded server and says what that means.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if deploy/redis.sh; then
  # shellcheck source=/dev/null
  . bin/redis.env
elif [[ -n ${NACRE_REDIS_URL:-}${NACRE_REDIS_SERVER:-} ]]; then
  exit 1 # a Redis that was named but is none: no other in its place
fi
mkdir -p bin
(cd bench && "${GO:-go}" build -o ../bin/nacre-bench .)
exec bin/nacre-bench "$@"
