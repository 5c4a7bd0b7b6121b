# MariaDB on the port $4 with its programs: $1 makes the data, $2 is the server, $3 asks whether it answers. Settings may
# follow, as the server takes them.
install=$1 server=$2 admin=$3 port=$4
shift 4
settings=$*
start() {
    as_user "$install" --no-defaults --datadir="$folder/data" --auth-root-authentication-method=normal \
        --skip-test-db --skip-log-bin >"$log" 2>&1 || give_up "mariadb-install-db failed"
    run
}
run() {
    # The data is thrown away: durability would only cost time. A setting that follows counts more.
    # shellcheck disable=SC2086 # a setting holds no space
    become "$server" --no-defaults --datadir="$folder/data" --port="$port" --bind-address=127.0.0.1 \
        --socket="$folder/socket" --pid-file="$folder/pid" --tmpdir="$folder" --max-connections=400 \
        --character-set-server=utf8mb4 --innodb-flush-log-at-trx-commit=0 --innodb-doublewrite=0 \
        --innodb-buffer-pool-size=64M --performance-schema=off $settings >>"$log" 2>&1 &
    daemon=$!
    wait_until 1200 answers_or_is_gone
    answers || give_up "the server did not start on port $port"
}
answers() {
    as_user "$admin" --no-defaults --socket="$folder/socket" --user=root ping >/dev/null 2>&1
}
answers_or_is_gone() { answers || is_gone "$daemon"; }
stop() {
    # It needs no time for goodbyes. Waiting for its end keeps it from writing into a folder that is being removed.
    if [ -n "$daemon" ]; then kill -KILL "$daemon" 2>/dev/null; wait "$daemon" 2>/dev/null; fi
}
keep
