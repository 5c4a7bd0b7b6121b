# A small disk: a file system in memory of $1, mounted below the folder. It takes root.
size=$1 disk=$folder/disk
start() {
    mkdir "$disk" || give_up "could not make $disk"
    said=$(mount -t tmpfs -o "size=$size,mode=1777" tmpfs "$disk" 2>&1) || give_up "could not mount a tmpfs: $said"
}
stop() {
    # Lazily: whoever still has a file open there keeps it until its own end.
    umount -l "$disk" 2>/dev/null
}
keep
