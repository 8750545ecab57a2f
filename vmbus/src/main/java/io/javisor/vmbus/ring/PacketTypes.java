package io.javisor.vmbus.ring;

/** VM_PKT_*: the kinds of packet, and the flag that asks for an answer. */
public final class PacketTypes {
    /** The payload is all in the ring (VM_PKT_DATA_INBAND). */
    public static final int IN_BAND = 6;
    /** The payload names parts of a page set that was given before (VM_PKT_DATA_USING_XFER_PAGES). */
    public static final int TRANSFER_PAGES = 7;
    /** Guest pages come with the payload (VM_PKT_DATA_USING_GPA_DIRECT). */
    public static final int GPA_DIRECT = 9;
    /** Answers a packet with the same transaction ID (VM_PKT_COMP). */
    public static final int COMPLETION = 11;
    /** Flag: the sender wants a completion (VMBUS_DATA_PACKET_FLAG_COMPLETION_REQUESTED). */
    public static final int COMPLETION_REQUESTED = 1;

    private PacketTypes() {}
}
