package io.javisor.vmbus.protocol;

import org.jspecify.annotations.Nullable;

/**
 * A version of the bus protocol that this host speaks. A guest asks for one after the other, newest first; only exact
 * matches count. The declaration order is the order of age, so {@code compareTo} tells which is newer.
 */
public enum VmBusVersion {
    /** Windows 8, Server 2012. */
    V2_4(2, 4),
    /** Windows 8.1, Server 2012 R2: reconnecting after UNLOAD. */
    V3_0(3, 0),
    /** Windows 10: host–guest sockets. */
    V4_0(4, 0),
    /** Windows 10 RS3: MODIFYCHANNEL. */
    V4_1(4, 1),
    /** Messages go to a connection ID that the host names. */
    V5_0(5, 0),
    /** Windows 10 RS4. */
    V5_1(5, 1),
    /** Server 2019. */
    V5_2(5, 2),
    /** Server 2022: MODIFYCHANNEL is acknowledged. */
    V5_3(5, 3);

    private final int code;

    VmBusVersion(int major, int minor) {
        code = major << 16 | minor;
    }

    /** The number on the wire: major version in the upper 16 bits, minor in the lower. */
    public int code() {
        return code;
    }

    /** Whether this version is the given one or newer. */
    public boolean atLeast(VmBusVersion other) {
        return compareTo(other) >= 0;
    }

    /** The version with this number, or null if this host does not speak it. */
    public static @Nullable VmBusVersion of(int code) {
        for (VmBusVersion version : values()) {
            if (version.code == code) {
                return version;
            }
        }
        return null;
    }

    @Override
    public String toString() {
        return (code >>> 16) + "." + (code & 0xFFFF);
    }
}
