package io.javisor.partition.synic;

/** How a hypercall ended (HV_STATUS of the Hypervisor Top-Level Functional Specification, appendix B). */
public enum HvStatus {
    /** Done. */
    SUCCESS(0x0000),
    /** No such hypercall. */
    INVALID_HYPERCALL_CODE(0x0002),
    /** The control word is wrong for this hypercall. */
    INVALID_HYPERCALL_INPUT(0x0003),
    /** The parameter page is not aligned, or crosses a page. */
    INVALID_ALIGNMENT(0x0004),
    /** A parameter is out of range. */
    INVALID_PARAMETER(0x0005),
    /** The partition lacks the privilege. */
    ACCESS_DENIED(0x0006),
    /** Not in this state. */
    OPERATION_DENIED(0x0008),
    /** No memory for it now; the guest may try again. */
    INSUFFICIENT_MEMORY(0x000B),
    /** No port has this ID. */
    INVALID_PORT_ID(0x0011),
    /** No connection has this ID. */
    INVALID_CONNECTION_ID(0x0012),
    /** No room for the message now; the guest tries again later. */
    INSUFFICIENT_BUFFERS(0x0013);

    private final int code;

    HvStatus(int code) {
        this.code = code;
    }

    /** The 16-bit code that the guest sees. */
    public int code() {
        return code;
    }
}
