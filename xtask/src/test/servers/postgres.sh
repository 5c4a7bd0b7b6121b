# PostgreSQL on the port $2 with the programs in the folder $1: a primary, or a streaming standby of the server on the
# port $3, when that is not empty. Settings may follow, each as <name>=<value>, and options of
# initdb, each as --<name>=<value>.
programs=$1 port=$2 primary=$3
shift 3
settings= options=
for setting in "$@"; do
    case $setting in
        --*) options="$options $setting" ;;
        *) settings="$settings -c $setting" ;;
    esac
done
start() {
    if [ -z "$primary" ]; then
        # shellcheck disable=SC2086 # an option holds no space
        said=$(as_user "$programs/initdb" -D "$folder/data" -U app -A trust -E UTF8 --no-locale --no-sync $options 2>&1) \
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
    run
}
run() {
    # Our own child, and not one of pg_ctl: what is left of a killed child is ours to remove, and nobody starts a server
    # whose predecessor still has a process id.
    # shellcheck disable=SC2086 # a setting holds no space
    become "$programs/postgres" -D "$folder/data" $settings >>"$log" 2>&1 &
    daemon=$!
    wait_until 1200 answers_or_is_gone
    answers || give_up "the server did not start on port $port"
}
answers() { "$programs/pg_isready" -q -h 127.0.0.1 -p "$port"; }
answers_or_is_gone() { answers || is_gone "$daemon"; }
stop() {
    # The immediate end also removes what a killed server would leave in shared memory. It may have been stopped before.
    if [ -n "$daemon" ]; then
        kill -QUIT "$daemon" 2>/dev/null
        kill -CONT "$daemon" 2>/dev/null
        wait "$daemon" 2>/dev/null
    fi
}
keep
