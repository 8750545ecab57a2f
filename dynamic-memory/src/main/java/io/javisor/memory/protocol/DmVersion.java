package io.javisor.memory.protocol;

import java.util.Optional;

/** A version of the dynamic memory protocol: major number in the upper 16 bits (DYNMEM_PROTOCOL_VERSION_*). */
public enum DmVersion {
    /** 0.3, of Windows 7: no information messages. */
    V0_3(0x0000_0003),
    /** 1.0, of Windows 8. */
    V1_0(0x0001_0000),
    /** 2.0, of Windows 10. */
    V2_0(0x0002_0000);

    private final int code;

    DmVersion(int code) {
        this.code = code;
    }

    /** The number on the wire. */
    public int code() {
        return code;
    }

    /** Whether the guest understands information messages. */
    public boolean hasInformation() {
        return this != V0_3;
    }

    /** The version with exactly this number. */
    public static Optional<DmVersion> of(int code) {
        for (DmVersion version : values()) {
            if (version.code == code) {
                return Optional.of(version);
            }
        }
        return Optional.empty();
    }

    @Override
    public String toString() {
        return (code >>> 16) + "." + (code & 0xFFFF);
    }
}
