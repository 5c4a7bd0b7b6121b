# Keeps one server in the folder $1, run by the user $2 (empty: ourselves). The script of the server follows below: it
# defines start and stop, takes the further arguments, and calls keep.
#
# Prints "ready" and the server's process, then serves until its standard input closes, which happens when the process
# that started this script ends, in whatever way. Then it stops the server and removes the folder. At the word "again" it
# starts a server anew that somebody has killed, on the same data and port, and prints the same; such a script defines
# run, and sets daemon to the process.
set -u
folder=$1 user=$2
shift 2
log=$folder/log daemon=
# PIPE: when the process that started us is gone, "ready" has no reader, and the server must be stopped all the same.
trap '' INT TERM HUP PIPE
cd /   # the server's user must be able to read the working directory
# Turns this shell into a command of the user.
become() {
    if [ -n "$user" ]; then exec setpriv --reuid="$user" --regid="$(id -g "$user")" --init-groups -- "$@"; fi
    exec "$@"
}
as_user() { (become "$@"); }
write() {
    as_user tee -a "$1" >/dev/null
}
give_up() {
    echo "$1"
    cat "$log" 2>/dev/null
    stop
    rm -rf "$folder"
    exit 1
}
# Runs a command until it succeeds, for so many tenths of a second at most.
wait_until() {
    tries=$1
    shift
    until "$@" >/dev/null 2>&1; do
        tries=$((tries - 1))
        if [ "$tries" -lt 0 ]; then return 1; fi
        sleep 0.1
    done
}
is_gone() { ! kill -0 "$1" 2>/dev/null; }
keep() {
    if [ -n "$user" ]; then chown "$user" "$folder" || give_up "could not give $folder to the user $user"; fi
    start </dev/null
    echo "ready $daemon" 2>/dev/null
    while read -r word; do
        if [ "$word" = again ]; then
            # It is our child: nobody else can remove what is left of it.
            wait "$daemon" 2>/dev/null
            run </dev/null
            echo "ready $daemon" 2>/dev/null
        fi
    done
    stop
    rm -rf "$folder"
}
