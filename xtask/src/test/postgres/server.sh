# Starts a PostgreSQL server in the folder $1 on port $2 with the programs in $3, as the user $4 (empty: ourselves).
# Prints "ready", then serves until its standard input closes, which happens when the process that started this
# script ends, in whatever way. Then it stops the server and removes the folder.
set -u
folder=$1 port=$2 programs=$3 user=$4
trap '' INT TERM HUP
cd /   # the server's user must be able to read the working directory
as_user() {
    if [ -n "$user" ]; then setpriv --reuid="$user" --regid="$user" --init-groups -- "$@"; else "$@"; fi
}
give_up() {
    echo "$1"
    cat "$folder/log" 2>/dev/null
    rm -rf "$folder"
    exit 1
}
if [ -n "$user" ]; then chown "$user" "$folder" || give_up "could not give $folder to the user $user"; fi
said=$(as_user "$programs/initdb" -D "$folder/data" -U app -A trust -E UTF8 --no-locale --no-sync 2>&1) \
    || give_up "initdb failed: $said"
# The data is thrown away: durability would only cost time.
as_user tee -a "$folder/data/postgresql.conf" >/dev/null <<CONFIGURATION
listen_addresses = '127.0.0.1'
port = $port
unix_socket_directories = '$folder'
max_connections = 400
shared_buffers = '64MB'
fsync = off
synchronous_commit = off
full_page_writes = off
CONFIGURATION
as_user "$programs/pg_ctl" -D "$folder/data" -l "$folder/log" -t 120 -w start >/dev/null 2>&1 \
    || give_up "the server did not start on port $port"
echo ready
while read -r _; do :; done
as_user "$programs/pg_ctl" -D "$folder/data" -m immediate -t 30 stop >/dev/null 2>&1
rm -rf "$folder"
