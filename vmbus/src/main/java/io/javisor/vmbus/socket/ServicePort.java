package io.javisor.vmbus.socket;

import java.util.UUID;

/** Ports as service GUIDs (net/vmw_vsock/hyperv_transport.c). */
final class ServicePort {
    private static final long TEMPLATE_HIGH = 0x0000_0000_facb_11e6L;
    private static final long TEMPLATE_LOW = 0xbd58_6400_6a79_86d3L;

    private ServicePort() {}

    static UUID guid(int port) {
        return new UUID((long) port << 32 | TEMPLATE_HIGH, TEMPLATE_LOW);
    }

    static boolean isPort(UUID guid) {
        return guid.getLeastSignificantBits() == TEMPLATE_LOW
                && (int) guid.getMostSignificantBits() == (int) TEMPLATE_HIGH;
    }

    static int port(UUID guid) {
        return (int) (guid.getMostSignificantBits() >>> 32);
    }
}
