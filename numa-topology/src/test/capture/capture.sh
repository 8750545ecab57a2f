#!/bin/bash
# Captures the sysfs trees that the tests of host discovery read: boots a stock Debian kernel in QEMU (TCG, so no
# virtualization is needed) on machines of chosen shapes, and writes what each shows to ../resources/host-trees/NAME.tree.
# These are QEMU's machines; none of them is a real one.
#
#   capture.sh [NAME...]     all of them, or the named ones
#
# Needs qemu-system-x86, busybox-static, and apt-get or KERNEL=/path/to/vmlinuz.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=$here/../resources/host-trees
cache=${CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/javisor/capture}
package=linux-image-6.1.0-56-cloud-amd64
mkdir -p "$out" "$cache"

kernel=${KERNEL:-$cache/boot/vmlinuz-${package#linux-image-}}
if [ ! -r "$kernel" ]; then
    (cd "$cache" && apt-get download "$package" && dpkg-deb -x "$package"_*.deb .)
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/root/bin"
cp "$(command -v busybox)" "$work/root/bin/busybox"
install -m 755 "$here/init" "$work/root/init"
(cd "$work/root" && find . | busybox cpio -o -H newc 2>/dev/null | gzip -1) > "$work/initrd"

# capture NAME "what it is" "kernel command line" QEMU-OPTIONS...
capture() {
    local name=$1 what=$2 line=$3
    shift 3
    [ -z "$only" ] || [[ " $only " == *" $name "* ]] || return 0

    timeout 200 qemu-system-x86_64 -accel tcg,thread=multi -cpu max,vendor=GenuineIntel,family=6,model=85 -machine "q35$machine" -display none -monitor none \
        -nodefaults -no-reboot -kernel "$kernel" -initrd "$work/initrd" -append "console=ttyS0 panic=-1 $line" \
        -serial file:"$work/console" -serial file:"$work/tree" "$@"
    grep -q '^== end' "$work/tree" || { echo "capture: $name failed" >&2; tail -20 "$work/console" >&2; return 1; }
    {
        echo "# $what"
        echo "# Captured by capture.sh from $(qemu-system-x86_64 --version | head -1), TCG; not a real machine."
        echo "# Kernel: $(grep -ao 'Linux version [^ ]*' "$work/console" | head -1); command line:${line:+ }$line"
        echo "# Options: $*"
        tr -d '\r' < "$work/tree"
    } > "$out/$name.tree"
    echo "$name: $(wc -c < "$out/$name.tree") bytes"
}

# ram SIZE...: one memory backend for each size, named r0, r1, ...
ram() {
    local i=0
    for size in "$@"; do
        printf -- '-object memory-backend-ram,id=r%d,size=%s ' $i "$size"
        i=$((i + 1))
    done
}

only="$*"
machine=
capture one-node "1 node: 2 CPUs, 512 MiB" "" -smp 2 -m 512M -numa node,memdev=r0 $(ram 512M)

capture two-sockets "2 sockets, 2 nodes: 2 cores of 2 threads each, 256 MiB each, distance 21" "capture.maps=1" \
    -smp 8,sockets=2,cores=2,threads=2 -m 512M $(ram 256M 256M) \
    -numa node,cpus=0-3,memdev=r0 -numa node,cpus=4-7,memdev=r1 -numa dist,src=0,dst=1,val=21

capture four-sockets "4 sockets, 4 nodes of unequal memory in a ring: 21 to a neighbour, 31 across" "" \
    -smp 8,sockets=4,cores=2 -m 1280M $(ram 512M 256M 384M 128M) \
    -numa node,cpus=0-1,memdev=r0 -numa node,cpus=2-3,memdev=r1 \
    -numa node,cpus=4-5,memdev=r2 -numa node,cpus=6-7,memdev=r3 \
    -numa dist,src=0,dst=1,val=21 -numa dist,src=0,dst=2,val=31 -numa dist,src=0,dst=3,val=21 \
    -numa dist,src=1,dst=2,val=21 -numa dist,src=1,dst=3,val=31 -numa dist,src=2,dst=3,val=21

capture sub-numa "2 sockets of 2 sub-NUMA clusters each: 12 within a socket, 21 across" "" \
    -smp 8,sockets=2,cores=4 -m 1G $(ram 256M 256M 256M 256M) \
    -numa node,cpus=0-1,memdev=r0 -numa node,cpus=2-3,memdev=r1 \
    -numa node,cpus=4-5,memdev=r2 -numa node,cpus=6-7,memdev=r3 \
    -numa dist,src=0,dst=1,val=12 -numa dist,src=0,dst=2,val=21 -numa dist,src=0,dst=3,val=21 \
    -numa dist,src=1,dst=2,val=21 -numa dist,src=1,dst=3,val=21 -numa dist,src=2,dst=3,val=12

capture dies "1 socket of 2 dies, 1 node" "" \
    -smp 8,sockets=1,dies=2,cores=2,threads=2 -m 512M -numa node,memdev=r0 $(ram 512M)

machine=,hmat=on
capture memory-only "2 sockets and a third node that has memory but no CPUs, with an HMAT" "" \
    -smp 4,sockets=2,cores=2 -m 1G $(ram 256M 256M 512M) \
    -numa node,cpus=0-1,memdev=r0 -numa node,cpus=2-3,memdev=r1 -numa node,memdev=r2,initiator=1 \
    -numa dist,src=0,dst=1,val=21 -numa dist,src=0,dst=2,val=24 -numa dist,src=1,dst=2,val=17 \
    $(for i in 0 1; do for t in 0 1 2; do
        l=$((i == t ? 5 : t == 2 ? 20 : 10)) b=$((i == t ? 200 : t == 2 ? 50 : 100))
        echo "-numa hmat-lb,initiator=$i,target=$t,hierarchy=memory,data-type=access-latency,latency=$l"
        echo "-numa hmat-lb,initiator=$i,target=$t,hierarchy=memory,data-type=access-bandwidth,bandwidth=${b}M"
    done; done)

machine=
capture memoryless "3 nodes, the second of which has CPUs but no memory" "" \
    -smp 6,sockets=3,cores=2 -m 512M $(ram 256M 256M) \
    -numa node,cpus=0-1,memdev=r0 -numa node,cpus=2-3 -numa node,cpus=4-5,memdev=r1

capture offline-isolated "2 nodes; CPU 3 offline, CPUs 6-7 isolated, 2 MiB huge pages on node 1 only" \
    "isolcpus=6-7 capture.offline=3 capture.huge=1:16" \
    -smp 8,sockets=2,cores=4 -m 768M $(ram 384M 384M) \
    -numa node,cpus=0-3,memdev=r0 -numa node,cpus=4-7,memdev=r1

capture cpuset "2 nodes, seen from a cpuset of CPUs 0-1,4 and node 0" "capture.cpuset=0-1,4:0" \
    -smp 8,sockets=2,cores=4 -m 512M $(ram 256M 256M) \
    -numa node,cpus=0-3,memdev=r0 -numa node,cpus=4-7,memdev=r1
