#!/bin/sh
# A workload to record demand from: compresses 18 MB of pseudo-random digits with xz, which takes the more memory the higher its
# level, with pauses.
set -eu
for level in 2 6 9; do
    awk -v seed=$level 'BEGIN { srand(seed); for (i = 0; i < 2000000; i++) printf "%d", rand() * 1000000000 }' |
        xz -"$level" -T1 >/dev/null
    sleep 5
done
