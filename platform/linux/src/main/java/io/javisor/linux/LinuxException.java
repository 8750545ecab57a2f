package io.javisor.linux;

/** A system call that the kernel refused: which, with what values, and why. */
public final class LinuxException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final String call;
    private final String values;
    private final int errno;

    /**
     * @param call the system call or ioctl, {@code "openat"} or {@code "KVM_CREATE_VM"}
     * @param values its arguments as a person reads them
     * @param errno the kernel's error number, positive
     */
    public LinuxException(String call, String values, int errno) {
        super(call + "(" + values + "): " + Errno.name(errno));
        this.call = call;
        this.values = values;
        this.errno = errno;
    }

    /** The system call or ioctl. */
    public String call() {
        return call;
    }

    /** Its arguments as a person reads them. */
    public String values() {
        return values;
    }

    /** The kernel's error number. */
    public int errno() {
        return errno;
    }

    /** The error number's name, {@code "ENOMEM"}. */
    public String errnoName() {
        return Errno.name(errno);
    }
}
