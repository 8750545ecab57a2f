# The guest's part of the comparison of consoles: as many bytes by a program's writes and by the kernel's messages, told on the console
# when they begin and end.
LINES=256
LINE=$(printf '%062d' 0)
now() { cut -d ' ' -f 1 /proc/uptime; }
tty() { # 64 bytes a line: CR and LF
    for i in $(seq $LINES); do echo "$LINE"; done >/tmp/lines
    cat /tmp/lines >/dev/ttyS0
}
printk() { # with a time before it, "[    1.234567] "
    for i in $(seq $LINES); do echo "<0>$(echo "$LINE" | cut -c 16-)"; done >/tmp/lines
    while read -r line; do echo "$line" >/dev/kmsg; done </tmp/lines
}
sleep 1
for kind in tty printk; do
    echo "load $kind 1 begins"
    sleep 1
    begun=$(now)
    $kind
    echo "load $kind 1 ends: $((LINES * 64)) requests, $(echo "$begun $(now)" | awk -v b=$((LINES * 64)) '{ printf "%d", b / ($2 - $1) }') a second"
    sleep 1
done
echo "load is over"
sleep 3600
