# The guest's part of the comparison of networks: an address, and the program that does what the host says.
for i in $(seq 600); do
    [ -e /sys/class/net/eth0 ] && break
    sleep 0.1
done
ip addr add 198.18.9.2/24 dev eth0
ip link set eth0 up
/bin/net 198.18.9.1 5000
