#!/bin/sh
# A workload to record demand from: sorts 1.5 million lines of pseudo-random numbers in memory, three times, with pauses.
set -eu
for seed in 1 2 3; do
    awk -v seed=$seed 'BEGIN { srand(seed); for (i = 0; i < 1500000; i++) print int(rand() * 1000000000) }' |
        LC_ALL=C sort -S 400M >/dev/null
    sleep 5
done
