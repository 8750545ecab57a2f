package io.javisor.api;

import io.javisor.storage.storvsp.ScsiController;

/**
 * Where a drive is plugged in. Linux shows it as {@code H:0:0:LUN} in {@code /sys/bus/scsi/devices}.
 *
 * @param controller 0 to 3
 * @param lun 0 to 63
 */
public record DriveAddress(int controller, int lun) implements Comparable<DriveAddress> {
    void check(String at, DriveSpec.Builder.Problems problems) {
        if (controller < 0 || controller >= ScsiController.MOST_CONTROLLERS) {
            problems.add(at + ".controller", "is " + controller + "; 0 to 3 are possible");
        }
        if (lun < 0 || lun >= ScsiController.MOST_UNITS) {
            problems.add(at + ".lun", "is " + lun + "; 0 to 63 are possible");
        }
    }

    @Override
    public int compareTo(DriveAddress other) {
        return controller == other.controller
                ? Integer.compare(lun, other.lun)
                : Integer.compare(controller, other.controller);
    }

    @Override
    public String toString() {
        return controller + ":" + lun;
    }
}
