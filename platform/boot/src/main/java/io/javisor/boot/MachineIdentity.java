package io.javisor.boot;

import java.util.UUID;

/**
 * Who the machine is, as {@code dmidecode} and {@code /sys/class/dmi/id} show it.
 *
 * @param name printable ASCII, 1 to 64 characters
 * @param uuid the machine's own; stays the same for its life
 */
public record MachineIdentity(String name, UUID uuid) {
    /** Checks the name. */
    public MachineIdentity {
        if (name.isEmpty() || name.length() > 64 || !name.chars().allMatch(c -> c >= 0x20 && c < 0x7F)) {
            throw new IllegalArgumentException("machine name must be 1 to 64 printable ASCII characters: " + name);
        }
    }
}
