package io.javisor.networking.netvsp;

/**
 * Remote NDIS messages: type, length, and then ([MS-RNDIS] 2.2; Linux, hyperv_net.h). Offsets within a message count from its
 * byte 8.
 *
 * <pre>
 * PACKET    8 data offset  12 data bytes  16 out-of-band …  28 info offset  32 info bytes  36 …   44
 * INIT      8 request  12 major  16 minor  20 largest transfer
 * QUERY     8 request  12 OID  16 bytes  20 offset  24 reserved   28
 * SET       as QUERY
 * *_DONE    8 request  12 status …
 * INDICATE  8 status  12 bytes  16 offset
 *
 * per-packet info: 0 bytes   4 type (bit 31: internal)   8 offset of the value   12 value
 * </pre>
 */
final class Rndis {
    static final int PACKET = 1;
    static final int INIT = 2;
    static final int HALT = 3;
    static final int QUERY = 4;
    static final int SET = 5;
    static final int RESET = 6;
    static final int INDICATE = 7;
    static final int KEEP_ALIVE = 8;
    static final int DONE = 0x8000_0000;

    static final int BASE = 8;
    static final int PACKET_HEADER = 44;
    static final int INFO_HEADER = 12;

    static final int STATUS_SUCCESS = 0;
    static final int STATUS_FAILURE = 0xC000_0001;
    static final int STATUS_NOT_SUPPORTED = 0xC000_00BB;
    static final int STATUS_INVALID_DATA = 0xC001_0015;
    static final int MEDIA_CONNECT = 0x4001_000B;
    static final int MEDIA_DISCONNECT = 0x4001_000C;

    static final int INFO_CHECKSUM = 0;
    static final int INFO_LARGE_SEND = 2;
    static final int INFO_VLAN = 6;
    static final int INFO_HASH = 8;
    /** Which part of a coalesced packet this is; an internal one. */
    static final int INFO_PACKET_ID = 0x8000_0001;

    static final int ID_PART = 1;
    static final int ID_FIRST = 2;
    static final int ID_LAST = 4;
    static final int ID_VERSION = 1;

    static final int CHECKSUM_TCP = 1 << 2;
    static final int CHECKSUM_UDP = 1 << 3;
    static final int CHECKSUM_IPV4_HEADER = 1 << 4;
    static final int RECEIVED_TCP_RIGHT = 1 << 3;
    static final int RECEIVED_UDP_RIGHT = 1 << 4;

    private Rndis() {}
}
