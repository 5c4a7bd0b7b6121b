# PostgreSQL on the port $2 with the programs in the folder $1: a primary, or a streaming standby of the server on the
# port $3.
programs=$1 port=$2 primary=${3:-}
start() {
    if [ -z "$primary" ]; then
        said=$(as_user "$programs/initdb" -D "$folder/data" -U app -A trust -E UTF8 --no-locale --no-sync 2>&1) \
            || give_up "initdb failed: $said"
    else
        said=$(as_user "$programs/pg_basebackup" -h 127.0.0.1 -p "$primary" -U app -D "$folder/data" \
            -R -X stream -c fast --no-sync 2>&1) || give_up "pg_basebackup failed: $said"
    fi
    # The data is thrown away: durability would only cost time. A standby has copied these lines from its primary; the
    # last one of a name counts. A standby that was stopped for a while must still find the log that it has missed.
    write "$folder/data/postgresql.conf" <<CONFIGURATION
listen_addresses = '127.0.0.1'
port = $port
unix_socket_directories = '$folder'
max_connections = 400
shared_buffers = '64MB'
wal_keep_size = '512MB'
fsync = off
synchronous_commit = off
full_page_writes = off
CONFIGURATION
    as_user "$programs/pg_ctl" -D "$folder/data" -l "$log" -t 120 -w start >/dev/null 2>&1 \
        || give_up "the server did not start on port $port"
}
stop() {
    as_user "$programs/pg_ctl" -D "$folder/data" -m immediate -t 30 stop >/dev/null 2>&1
}
keep
