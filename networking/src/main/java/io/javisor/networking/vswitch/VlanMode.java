package io.javisor.networking.vswitch;

import java.util.Set;

/** Which VLANs a port is in. VLAN 0 is that of frames without a tag. */
public sealed interface VlanMode {
    /** The greatest VLAN (IEEE 802.1Q). */
    int GREATEST = 4094;

    /**
     * In one VLAN, without tags: frames with a tag are dropped.
     *
     * @param vlan 0 to 4,094
     */
    record Access(int vlan) implements VlanMode {
        /** Checks the range. */
        public Access {
            check(vlan);
        }
    }

    /**
     * In several, by tags.
     *
     * @param allowed VLANs, 1 to 4,094
     * @param untagged VLAN of frames without a tag, 0 to 4,094, which need not be among the allowed
     */
    record Trunk(Set<Integer> allowed, int untagged) implements VlanMode {
        /** Checks the ranges. */
        public Trunk {
            allowed = Set.copyOf(allowed);
            allowed.forEach(VlanMode::check);
            check(untagged);
        }
    }

    private static void check(int vlan) {
        if (vlan < 0 || vlan > GREATEST) {
            throw new IllegalArgumentException("VLAN " + vlan + " is not in 0.." + GREATEST);
        }
    }

    /** VLAN of a frame that enters with a tag (0: without); −1 if it must not. */
    default int entering(int tag) {
        return switch (this) {
            case Access(int vlan) -> tag == 0 ? vlan : -1;
            case Trunk(var allowed, int untagged) -> tag == 0 ? untagged : allowed.contains(tag) ? tag : -1;
        };
    }

    /** The tag with which a frame of a VLAN leaves (0: without); −1 if it must not. */
    default int leaving(int vlan) {
        return switch (this) {
            case Access(int own) -> vlan == own ? 0 : -1;
            case Trunk(var allowed, int untagged) -> vlan == untagged ? 0 : allowed.contains(vlan) ? vlan : -1;
        };
    }
}
