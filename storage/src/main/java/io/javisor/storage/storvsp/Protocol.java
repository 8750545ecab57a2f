package io.javisor.storage.storvsp;

import java.util.Set;

/**
 * The protocol between storvsc and storvsp (Linux, drivers/scsi/storvsc_drv.c). Everything is little-endian.
 *
 * <pre>
 * packet:  0 operation   4 flags   8 status   12 body, 52 bytes; 36 before version 5.1
 * request: 0 length   2 SRB status   3 SCSI status   4 port, path, target, LUN   8 CDB length   9 sense length
 *          10 direction   12 transfer length   16 CDB, then sense data, 20 bytes   36 tags, flags, time-out
 * </pre>
 */
final class Protocol {
    static final int COMPLETE_IO = 1;
    static final int EXECUTE_SRB = 3;
    static final int RESET_LUN = 4;
    static final int RESET_ADAPTER = 5;
    static final int RESET_BUS = 6;
    static final int BEGIN_INITIALIZATION = 7;
    static final int END_INITIALIZATION = 8;
    static final int QUERY_PROTOCOL_VERSION = 9;
    static final int QUERY_PROPERTIES = 10;
    static final int ENUMERATE_BUS = 11;
    static final int FCHBA_DATA = 12;
    static final int CREATE_SUB_CHANNELS = 13;

    static final int OPERATION = 0;
    static final int STATUS = 8;
    static final int BODY = 12;
    static final int PACKET_BYTES = 64;
    static final int OLD_PACKET_BYTES = 48;
    /** No driver sends more; what it sends is echoed. */
    static final int MOST_PACKET_BYTES = 256;

    static final int SRB_STATUS = BODY + 2;
    static final int SCSI_STATUS = BODY + 3;
    static final int PATH = BODY + 5;
    static final int TARGET = BODY + 6;
    static final int LUN = BODY + 7;
    static final int CDB_LENGTH = BODY + 8;
    static final int SENSE_LENGTH = BODY + 9;
    static final int DIRECTION = BODY + 10;
    static final int TRANSFER_LENGTH = BODY + 12;
    static final int CDB = BODY + 16;
    static final int CDB_BYTES = 16;
    static final int SENSE_BYTES = 20;
    /** Before version 5.1. */
    static final int OLD_SENSE_BYTES = 18;

    static final int DIRECTION_OUT = 0;
    static final int DIRECTION_IN = 1;

    static final int SRB_SUCCESS = 0x01;
    static final int SRB_ERROR = 0x04;
    static final int SRB_BUSY = 0x05;
    static final int SRB_INVALID_REQUEST = 0x06;
    static final int SRB_INVALID_LUN = 0x20;
    static final int SRB_SENSE_VALID = 0x80;

    static final int STATUS_SUCCESS = 0;
    /** STATUS_REVISION_MISMATCH of Windows: anything but success makes the guest try the next version. */
    static final int STATUS_REVISION_MISMATCH = 0xC0000059;
    /** STATUS_INVALID_DEVICE_STATE of Windows: the operation comes at the wrong time. */
    static final int STATUS_INVALID_STATE = 0xC0000184;

    /** Windows Vista, 7, 8, 8.1 and 10. */
    static final Set<Integer> VERSIONS = Set.of(0x0200, 0x0402, 0x0501, 0x0600, 0x0602);

    /** The first version whose guests open sub-channels. */
    static final int VERSION_5_1 = 0x0501;

    static final int PROPERTY_MULTI_CHANNEL = 1;

    private Protocol() {}
}
