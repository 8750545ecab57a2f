package io.javisor.networking.netvsp;

import java.util.Set;

/**
 * The network virtualization service protocol (Linux, drivers/net/hyperv/hyperv_net.h). Everything is little-endian; a message
 * begins with its type.
 *
 * <pre>
 * INIT            4 least version   8 greatest version
 * INIT_COMPLETE   4 version   8 chain length   12 status
 * NDIS_CONFIG     4 frame bytes   8 reserved   12 capabilities, 64 bits
 * RECEIVE_BUFFER  4 GPADL   8 ID
 *   _COMPLETE     4 status   8 sections = 1   12 offset   16 bytes each   20 count   24 end
 * SEND_BUFFER     4 GPADL   8 ID
 *   _COMPLETE     4 status   8 bytes of a section
 * RNDIS_PACKET    4 0 data, 1 control   8 section of the send buffer   12 bytes in it
 *   _COMPLETE     4 status
 * SUB_CHANNELS    4 operation, or status   8 how many
 * </pre>
 */
final class Nvsp {
    static final int INIT = 1;
    static final int INIT_COMPLETE = 2;
    static final int NDIS_VERSION = 100;
    static final int RECEIVE_BUFFER = 101;
    static final int RECEIVE_BUFFER_COMPLETE = 102;
    static final int REVOKE_RECEIVE_BUFFER = 103;
    static final int SEND_BUFFER = 104;
    static final int SEND_BUFFER_COMPLETE = 105;
    static final int REVOKE_SEND_BUFFER = 106;
    static final int RNDIS_PACKET = 107;
    static final int RNDIS_PACKET_COMPLETE = 108;
    static final int NDIS_CONFIG = 125;
    static final int SWITCH_DATA_PATH = 129;
    static final int SUB_CHANNELS = 133;

    static final int STATUS_SUCCESS = 1;
    static final int STATUS_FAIL = 2;
    static final int STATUS_INVALID_PACKET = 5;
    static final int STATUS_UNSUPPORTED = 7;

    static final int VERSION_1 = 2;
    static final int VERSION_2 = 0x3_0002;
    static final int VERSION_4 = 0x4_0000;
    static final int VERSION_5 = 0x5_0000;
    static final int VERSION_6 = 0x6_0000;
    static final int VERSION_6_1 = 0x6_0001;
    static final Set<Integer> VERSIONS = Set.of(VERSION_1, VERSION_2, VERSION_4, VERSION_5, VERSION_6, VERSION_6_1);

    /** Bytes of the longest message; guests copy as much out of an answer, however short it is. */
    static final int MESSAGE_BYTES = 40;

    static final int DATA = 0;
    static final int CONTROL = 1;
    static final int NO_SECTION = -1;

    static final int ALLOCATE_SUB_CHANNELS = 1;

    /** Bytes that Linux takes for a section of its send buffer too. */
    static final int SEND_SECTION_BYTES = 6144;

    private Nvsp() {}
}
