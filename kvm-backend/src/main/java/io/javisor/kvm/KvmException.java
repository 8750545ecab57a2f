package io.javisor.kvm;

import io.javisor.linux.Errno;
import io.javisor.linux.LinuxException;
import io.javisor.partition.HypervisorException;
import org.jspecify.annotations.Nullable;

/**
 * KVM refused something or a guest left it in a way that it cannot go on from. Codes:
 *
 * <ul>
 *   <li>{@code kvm-missing}: there is no /dev/kvm (ENOENT)
 *   <li>{@code kvm-permission}: this user may not open it (EACCES, EPERM)
 *   <li>{@code kvm-busy}: another hypervisor holds the processor's extensions (EBUSY)
 *   <li>{@code kvm-no-device}: the node is there, the module is not (ENODEV, ENXIO)
 *   <li>{@code kvm-not-kvm}: the path is something else (ENOTTY)
 *   <li>{@code kvm-api-version}: not the one API version that there has been since 2007
 *   <li>{@code kvm-architecture}: not Linux on x86-64
 *   <li>{@code kvm-capability}: the host lacks a capability
 *   <li>{@code kvm-descriptors}: the process or the system has too many files open (EMFILE, ENFILE)
 *   <li>{@code kvm-memory}: the host is out of memory, or this process out of mappings (ENOMEM)
 *   <li>{@code kvm-memory-slots}: a VM has no such slot
 *   <li>{@code kvm-vcpus}: a VM has no room for another vCPU, or not for one of that number
 *   <li>{@code kvm-exists}: it is there already (EEXIST)
 *   <li>{@code kvm-guest-memory}: the memory behind a slot could not be reached (EFAULT from KVM_RUN)
 *   <li>{@code kvm-msr}: KVM does not know an MSR or refuses the value
 *   <li>{@code kvm-internal-error}, {@code kvm-fail-entry}, {@code kvm-shutdown}, {@code kvm-unknown-exit}: the guest cannot
 *       go on; the message has the registers
 *   <li>{@code kvm-refused}: any other errno
 * </ul>
 */
public class KvmException extends HypervisorException {
    private static final long serialVersionUID = 1L;

    KvmException(
            String code,
            String message,
            @Nullable String call,
            int errno,
            @Nullable String remedy,
            @Nullable Throwable cause) {
        super(code, message, call, errno, remedy, cause);
    }

    /** A refusal by the kernel, with the code and remedy that its errno suggests; also of calls that a VM needs beside KVM's. */
    public static KvmException of(LinuxException e) {
        return of(e, null);
    }

    /** A refusal by the kernel, with a remedy that the caller knows better. */
    static KvmException of(LinuxException e, @Nullable String remedy) {
        String code;
        String known = null;
        switch (e.errno()) {
            case Errno.EMFILE -> {
                code = "kvm-descriptors";
                known = "raise the process's limit of open files: ulimit -n, or LimitNOFILE= of its systemd unit";
            }
            case Errno.ENFILE -> {
                code = "kvm-descriptors";
                known = "raise the host's limit of open files: sysctl fs.file-max";
            }
            case Errno.ENOMEM -> {
                code = "kvm-memory";
                known = e.call().equals("mmap")
                        ? "free host memory, or raise the limits of mappings (sysctl vm.max_map_count) and of address"
                                + " space (ulimit -v)"
                        : "the host is out of memory: make VMs smaller or fewer";
            }
            case Errno.EEXIST -> code = "kvm-exists";
            default -> code = "kvm-refused";
        }
        return new KvmException(
                code, String.valueOf(e.getMessage()), e.call(), e.errno(), remedy == null ? known : remedy, e);
    }

    /**
     * What the JVM makes of SIGBUS where this process touches guest memory: the host could not give it.
     *
     * @param who touched it
     */
    public static KvmException memoryLost(String who, InternalError e) {
        return new KvmException(
                "kvm-guest-memory",
                who + ": the host could not give memory that the guest has: " + e.getMessage(),
                null,
                0,
                "keep the host from running short of memory and of huge pages (/sys/kernel/mm/hugepages/*/nr_hugepages)",
                e);
    }

    /** A capability that the host lacks. */
    static KvmException lacks(Capability capability, String what) {
        return new KvmException(
                "kvm-capability",
                what + " needs " + capability.kernelName() + ", which this host's KVM does not have",
                "KVM_CHECK_EXTENSION",
                0,
                "use a newer kernel, or a host whose KVM module has it",
                null);
    }
}
