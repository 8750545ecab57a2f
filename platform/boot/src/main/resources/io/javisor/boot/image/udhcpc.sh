#!/bin/sh
# Does what a DHCP server says; called by busybox udhcpc, which puts the lease into the environment.
case $1 in
deconfig)
    ip -4 addr flush dev "$interface" # what IPv6 has found out by itself stays
    ip link set "$interface" up
    ;;
bound | renew)
    read -r now < "/sys/class/net/$interface/mtu"
    [ -z "$mtu" ] || [ "$mtu" = "$now" ] || ip link set "$interface" mtu "$mtu"
    ifconfig "$interface" "$ip" netmask "${subnet:-255.255.255.0}"
    for gateway in $router; do
        ip route replace default via "$gateway" dev "$interface" && break
    done
    for server in $dns; do
        echo "nameserver $server"
    done > /etc/resolv.conf
    ;;
esac
