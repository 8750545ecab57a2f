package io.javisor.networking.uplink;

import org.jspecify.annotations.Nullable;

/**
 * A macvtap interface of the host's.
 *
 * @param name of the interface
 * @param lower the interface whose network it is on, if it is to be made; null for one that is there
 * @param mode how it stands to others on the lower interface, if it is to be made
 */
public record Macvtap(String name, @Nullable String lower, Mode mode) {
    /** How macvtap interfaces on the same lower interface stand to each other (linux/if_link.h). */
    public enum Mode {
        /** They do not reach each other. */
        PRIVATE(1),
        /** What one sends to another goes through the switch outside, which may send it back. */
        VEPA(2),
        /** They reach each other directly. */
        BRIDGE(4),
        /** It is the only one, and has the lower interface for itself. */
        PASSTHRU(8);

        private final int number;

        Mode(int number) {
            this.number = number;
        }

        int number() {
            return number;
        }
    }

    /** One that is there. */
    public static Macvtap existing(String name) {
        return new Macvtap(name, null, Mode.BRIDGE);
    }

    /** One that is made, and is gone when the uplink is closed. */
    public static Macvtap on(String lower, String name) {
        return new Macvtap(name, lower, Mode.BRIDGE);
    }

    /** The same in another mode. */
    public Macvtap mode(Mode other) {
        return new Macvtap(name, lower, other);
    }
}
