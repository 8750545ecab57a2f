#!/bin/busybox sh
# The host's shell on a serial port: reads commands, echoes nothing, prompts for nothing, passes all 8 bits; a new one follows
# each that ends. It is no session leader, so that opening the port does not make it its terminal, whose hang-up it would cause
# by ending. It reads a script, because a shell with a terminal at both ends would prompt.
while stty -F "/dev/$1" raw -echo 115200; do
    sh /dev/stdin 0<> "/dev/$1" 1>&0 2>&0
done
