#!/bin/busybox sh
# The guest's first process. Brings up what userland expects, loads the kernel modules, gives the host a shell on a serial
# port, runs the main program, and ends the machine when that has ended.
#
# On the kernel's command line:
#   javisor.init="COMMAND"  the main program, run by sh -c; without the quotes if it has no blanks
#   javisor.end=poweroff    what follows it: poweroff, reboot or halt
#   javisor.dhcp=MAC,MAC    adapters that get their addresses by DHCP, before the main program begins if that takes no longer than
#                           some seconds
#   MODULE.PARAMETER=VALUE  parameters of modules, as for those that are built in
export PATH=/sbin:/usr/sbin:/bin:/usr/bin HOME=/root TERM=linux
cd /
mount -t devtmpfs dev /dev
mkdir -p /dev/pts /dev/shm
mount -a
[ -e /dev/fd ] || ln -s /proc/self/fd /dev/fd
for link in 0-stdin 1-stdout 2-stderr; do
    [ -e "/dev/${link#*-}" ] || ln -s "fd/${link%-*}" "/dev/${link#*-}"
done
. /etc/javisor/defaults
read -r cmdline < /proc/cmdline
echo "$host" > /proc/sys/kernel/hostname
set -f # no word below is a pattern

option() { # NAME DEFAULT: sets $value
    value=$2
    case " $cmdline" in
    *" javisor.$1="*) ;;
    *) return ;;
    esac
    value=" $cmdline"
    value=${value##*" javisor.$1="}
    case $value in
    \"*) value=${value#\"} value=${value%%\"*} ;;
    *) value=${value%% *} ;;
    esac
}

load_modules() { # each line: name, file, names that it needs with commas or -, parameters
    failed= told=
    while read -r name file needs parameters; do
        case ,$needs, in
        *[!-,]*)
            for need in $(IFS=,; echo $needs); do
                case " $failed " in
                *" $need "*)
                    failed="$failed $name" told="$told $name"
                    continue 2
                    ;;
                esac
            done
            ;;
        esac
        for word in $cmdline; do
            case $word in
            "$name".?*) parameters="$parameters ${word#*.}" ;;
            esac
        done
        if ! error=$(insmod "$file" $parameters 2>&1); then
            failed="$failed $name" told="$told $name (${error##*: })"
        fi
    done < /etc/javisor/modules
    [ -z "$told" ] || echo "javisor: modules not loaded:$told"
}

configure_network() { # MAC,MAC: waits for each adapter to appear, and for its first lease
    for mac in $(IFS=,; echo $1); do
        tries=0 interface=
        while [ -z "$interface" ] && [ $tries -lt 100 ]; do
            set +f
            for entry in /sys/class/net/*/address; do
                read -r address < "$entry" 2> /dev/null
                if [ "$address" = "$mac" ]; then
                    interface=${entry%/address} interface=${interface##*/}
                fi
            done
            set -f
            [ -n "$interface" ] || sleep 0.1
            tries=$((tries + 1))
        done
        if [ -z "$interface" ]; then
            echo "javisor: no adapter has the address $mac"
            continue
        fi
        ip link set "$interface" up
        # Goes on in the background, with a lease or without.
        udhcpc -b -t 10 -T 1 -A 5 -s /etc/javisor/udhcpc -i "$interface" > /dev/null 2>&1
    done
}

load_modules
ifconfig lo up 2> /dev/null
option dhcp ""
[ -z "$value" ] || configure_network "$value"

# As daemons, not with "&": what a shell puts into the background ignores SIGINT for good, and so would all that it runs.
[ -z "$port" ] || start-stop-daemon -S -b -x /etc/javisor/shell -- "$port"
if [ -e /dev/input/event0 ]; then
    acpid -l /dev/null # runs what is in /etc/acpi/PWRF when the power button is pressed
fi

read -r seconds rest < /proc/uptime
read -r kernel < /proc/sys/kernel/osrelease
echo "javisor: up, Linux $kernel after $seconds s"

option end "$end"
case $value in
poweroff | reboot | halt) end=$value ;;
*) echo "javisor: javisor.end=$value is none of poweroff, reboot, halt" ;;
esac
option init "$init"
exec 2> /dev/null # only what the shell itself says of children that are ended; cttyhack gives the console to the program
if [ -n "$value" ]; then
    setsid cttyhack sh -c "$value"
    code=$?
    [ -e /run/ending ] || echo "javisor: the main program ended with $code"
else
    setsid cttyhack sh -l
fi
[ -e /run/ending ] || "/sbin/$end"
# The first process must never end, and must start none for which the ending would wait.
mkfifo /run/never
while :; do read -r nothing 0<> /run/never; done
