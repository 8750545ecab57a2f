package io.javisor.kvm;

import static io.javisor.kvm.abi.Constants.KVM_CLOCK_HOST_TSC;
import static io.javisor.kvm.abi.Constants.KVM_CLOCK_REALTIME;
import static io.javisor.kvm.abi.Constants.KVM_CLOCK_TSC_STABLE;
import static io.javisor.kvm.abi.Struct.offset;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.javisor.kvm.abi.SystemAbi;
import java.lang.foreign.MemorySegment;

/**
 * The VM's clock (kvmclock, and the reference time of Hyper-V guests): struct kvm_clock_data.
 *
 * @param nanos nanoseconds of guest time
 * @param flags {@link #REALTIME}, {@link #HOST_TSC}, {@link #TSC_STABLE}, as far as KVM tells
 * @param realtime nanoseconds since 1970 on the host at the same moment, if flagged
 * @param hostTsc the host's TSC at the same moment, if flagged
 */
public record VmClock(long nanos, int flags, long realtime, long hostTsc) {
    /** The clock runs with the TSC (KVM_CLOCK_TSC_STABLE); only from the kernel. */
    public static final int TSC_STABLE = KVM_CLOCK_TSC_STABLE;
    /** {@code realtime} counts: setting the clock adds the time that has passed since (KVM_CLOCK_REALTIME). */
    public static final int REALTIME = KVM_CLOCK_REALTIME;
    /** {@code hostTsc} counts (KVM_CLOCK_HOST_TSC); only from the kernel. */
    public static final int HOST_TSC = KVM_CLOCK_HOST_TSC;

    private static final long NANOS_AT = offset(SystemAbi.CLOCK, "clock");
    private static final long FLAGS_AT = offset(SystemAbi.CLOCK, "flags");
    private static final long REALTIME_AT = offset(SystemAbi.CLOCK, "realtime");
    private static final long HOST_TSC_AT = offset(SystemAbi.CLOCK, "host_tsc");

    /** A clock to set: guest time goes on from here. */
    public static VmClock at(long nanos) {
        return new VmClock(nanos, 0, 0, 0);
    }

    static VmClock of(MemorySegment struct) {
        return new VmClock(
                struct.get(JAVA_LONG, NANOS_AT),
                struct.get(JAVA_INT, FLAGS_AT),
                struct.get(JAVA_LONG, REALTIME_AT),
                struct.get(JAVA_LONG, HOST_TSC_AT));
    }

    /** What KVM_SET_CLOCK takes: of the flags only REALTIME. */
    void copyTo(MemorySegment struct) {
        struct.set(JAVA_LONG, NANOS_AT, nanos);
        struct.set(JAVA_INT, FLAGS_AT, flags & REALTIME);
        struct.set(JAVA_LONG, REALTIME_AT, (flags & REALTIME) != 0 ? realtime : 0);
    }
}
