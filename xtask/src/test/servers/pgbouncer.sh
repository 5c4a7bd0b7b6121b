# PgBouncer, the program $1, on the port $2, in transaction mode before the server that PGBOUNCER_SERVER describes as
# PgBouncer's configuration does. The description may hold a password: it is no argument, which every user could read.
program=$1 port=$2 server=$PGBOUNCER_SERVER
unset PGBOUNCER_SERVER
start() {
    umask 077
    # Pools end soon after their last client: each test has a database, and so a pool, of its own.
    write "$folder/pgbouncer.ini" <<CONFIGURATION
[databases]
* = $server

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $port
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 5
max_client_conn = 5000
server_idle_timeout = 5
autodb_idle_timeout = 10
logfile = $log
pidfile = $folder/pid
CONFIGURATION
    said=$(as_user "$program" -q -d "$folder/pgbouncer.ini" 2>&1) || give_up "pgbouncer failed: $said"
    # It has bound its port before it goes to the background, and writes its process id from there.
    wait_until 1200 test -s "$folder/pid" || give_up "the server did not start on port $port"
}
stop() {
    if [ -s "$folder/pid" ]; then
        daemon=$(cat "$folder/pid")
        kill -KILL "$daemon" 2>/dev/null
        wait_until 50 is_gone "$daemon"
    fi
}
keep
