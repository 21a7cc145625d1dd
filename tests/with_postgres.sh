#!/usr/bin/env bash
# Runs a command beside a PostgreSQL server of its own: in a temporary folder, as an unprivileged user, on a Unix socket
# only, gone afterwards. libpq's variables (PGHOST, ...) name it; $TILLSYNC_POSTGRES_CONTROL stop|crash|start|fresh handles it.
#
#   tests/with_postgres.sh build/tillsync demo --store postgresql
set -euo pipefail

bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1 || true)
if [ -z "$bin" ] || [ ! -x "$bin/initdb" ]; then
  echo "no PostgreSQL server is installed here: what needs one is left out" >&2
  exec "$@"
fi

folder=$(mktemp -d /tmp/tillsync-postgres-XXXXXX)
[ "$(id -u)" != 0 ] || chown nobody "$folder"  # PostgreSQL refuses to be run by root
chmod 755 "$folder"

cat > "$folder/control" <<CONTROL
#!/usr/bin/env bash
set -euo pipefail
as_owner() { $([ "$(id -u)" = 0 ] && echo 'setpriv --reuid nobody --clear-groups "$@"' || echo '"$@"'); }
cd "$folder"
stop() { as_owner $bin/pg_ctl -D "$folder/data" -s -w -m \$1 stop; }
start() { as_owner $bin/pg_ctl -D "$folder/data" -s -w -t 60 -l "$folder/log" start; }
case \$1 in
  stop) stop fast ;;
  crash) stop immediate ;;
  start) start ;;
  fresh)  # another server, as empty as the first
    stop immediate 2>/dev/null || true
    rm -rf "$folder/data"
    as_owner "$bin/initdb" -D "$folder/data" -U tillsync --auth=trust --encoding=UTF8 --locale=C.UTF-8 >"$folder/initdb.log" 2>&1 ||
      { cat "$folder/initdb.log" >&2; exit 1; }
    as_owner tee -a "$folder/data/postgresql.conf" >/dev/null <<CONF
listen_addresses = ''
unix_socket_directories = '$folder'
max_connections = ${TILLSYNC_POSTGRES_CONNECTIONS:-60}
max_wal_size = '4GB'
shared_buffers = '256MB'
CONF
    start ;;
esac
CONTROL
chmod 755 "$folder/control"

done_with_it() {
  "$folder/control" crash 2>/dev/null || true
  rm -rf "$folder"
}
trap done_with_it EXIT

"$folder/control" fresh || { cat "$folder/log" >&2; exit 1; }

export PGHOST=$folder PGUSER=tillsync PGDATABASE=postgres
export TILLSYNC_POSTGRES_CONTROL=$folder/control
status=0
"$@" || status=$?
exit $status
