#!/usr/bin/env bash
# One PostgreSQL server for many tests that run one by one (CTest's fixture "postgresql"):
#
#   tests/beside_postgres.sh start FOLDER    starts it (tests/with_postgres.sh) and returns when it answers
#   tests/beside_postgres.sh run FOLDER COMMAND...    runs a command beside it, or without where there is none
#   tests/beside_postgres.sh stop FOLDER
set -euo pipefail
what=$1 folder=$2
shift 2
case $what in
  start)
    rm -rf "$folder"
    mkdir -p "$folder"
    # Ends by itself, should nobody stop it.
    setsid "$(dirname "$0")/with_postgres.sh" bash -c '
      [ -z "${PGHOST:-}" ] || export -p | grep -E "PGHOST|PGUSER|PGDATABASE|TILLSYNC_POSTGRES" >"$1/variables.new"
      touch "$1/variables.new"
      mv "$1/variables.new" "$1/variables"
      for ((i = 0; i < 14400; ++i)); do [ -e "$1/stop" ] && break; sleep 0.25; done
      touch "$1/stopped"' - "$folder" >"$folder/log" 2>&1 &
    for ((i = 0; i < 400; ++i)); do
      [ -e "$folder/variables" ] && exit 0
      sleep 0.1
    done
    cat "$folder/log" >&2
    exit 1
    ;;
  run)
    # shellcheck disable=SC1091
    [ ! -e "$folder/variables" ] || source "$folder/variables"
    exec "$@"
    ;;
  stop)
    touch "$folder/stop"
    for ((i = 0; i < 100; ++i)); do
      [ -e "$folder/stopped" ] && break
      sleep 0.1
    done
    ;;
esac
