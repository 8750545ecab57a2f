#!/bin/busybox sh
# /sbin/poweroff, /sbin/reboot and /sbin/halt: ends processes, leaves disks in order, then tells the kernel. It is also what the
# kernel itself calls when the host asks for a shutdown over the VMBus. With -f: at once.
how=${0##*/}
for word; do
    [ "$word" != -f ] || exec /bin/busybox "$how" -f
done
mkdir /run/ending 2> /dev/null || exit 0 # another has begun

others() {
    for process in /proc/[0-9]*; do
        case ${process#/proc/} in
        1 | $$) ;;
        *) [ ! -e "$process/exe" ] || return 0 ;; # kernel threads and zombies have none
        esac
    done
    return 1
}

trap '' TERM HUP INT
kill -TERM -1
kill -HUP -1 # interactive shells ignore TERM
tries=0
while [ $tries -lt 100 ] && others; do
    sleep 0.05
    tries=$((tries + 1))
done
kill -KILL -1
sync
disks=
while read -r device folder rest; do
    case $device in
    /dev/*) disks="$folder $disks" ;;
    esac
done < /proc/mounts
for folder in $disks; do
    umount -r "$folder"
done
exec /bin/busybox "$how" -f
