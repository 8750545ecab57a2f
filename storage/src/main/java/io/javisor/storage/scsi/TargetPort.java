package io.javisor.storage.scsi;

/**
 * The port of the target that commands come in by.
 *
 * @param relativeId number of the port, from 1
 * @param group its target port group, whose ports always have the same access state; from 1
 */
public record TargetPort(int relativeId, int group) {
    /** The only port of a simple target. */
    public static final TargetPort ONLY = new TargetPort(1, 1);

    /** Checks the ranges. */
    public TargetPort {
        if (relativeId < 1 || relativeId > 0xFFFF || group < 1 || group > 0xFFFF) {
            throw new IllegalArgumentException("target port " + relativeId + " of group " + group);
        }
    }
}
