# The guest's part of the comparison of disks: the same requests of fio for each load, told on the console when they begin and end.
REQUESTS=4000
for i in $(seq 600); do
    for disk in sda vda; do [ -b /dev/$disk ] && break 2; done
    sleep 0.1
done
[ -b /dev/$disk ] || echo "no disk: $(ls /sys/block)"
load() { # KIND DEPTH REQUESTS
    fio --name=load --filename=/dev/$disk --rw=$1 --bs=4k --iodepth=$2 --ioengine=libaio --direct=1 --norandommap \
        --number_ios=$3 --size=256M --thread --eta=never --output-format=terse --terse-version=3 --output=/tmp/said
}
load randread 32 500
for depth in 1 32; do
    for kind in randread randwrite; do
        sleep 1
        echo "load $kind $depth begins"
        # What fio has to say comes before its result, which begins with its version.
        load $kind $depth $REQUESTS || grep -v '^3;' /tmp/said || cut -c 1-200 /tmp/said
        # Requests a second, of reads or of writes.
        echo "load $kind $depth ends: $REQUESTS requests, $(awk -F ';' '/^3;/ { printf "%d", $8 + $49 }' /tmp/said) a second"
    done
done
echo "load is over"
sleep 3600
