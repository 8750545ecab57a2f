package io.javisor.kvm.gdb;

/** A request that can't be done: the answer is E and an errno, or a reason in words, as gdb understands them. */
final class GdbError extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** There is no such thread (ESRCH). */
    static final int NO_THREAD = 3;

    /** No memory is there (EFAULT). */
    static final int BAD_ADDRESS = 14;

    /** The request makes no sense (EINVAL). */
    static final int INVALID = 22;

    /** All of the processor's breakpoints are taken (ENOSPC). */
    static final int NO_SPACE = 28;

    private final String answer;

    GdbError(int errno) {
        super("errno " + errno, null, false, false);
        this.answer = "E" + Hex.of((byte) errno);
    }

    GdbError(String reason) {
        super(reason, null, false, false);
        this.answer = "E." + reason;
    }

    String answer() {
        return answer;
    }
}
