package io.javisor.kvm.partition;

import io.javisor.kvm.Capability;
import io.javisor.kvm.Exit;
import io.javisor.kvm.Kvm;
import io.javisor.kvm.KvmVm;
import io.javisor.kvm.MsrFilter;
import io.javisor.kvm.UserSpaceMsr;
import io.javisor.kvm.Vcpu;
import io.javisor.partition.GuestMemory;
import io.javisor.partition.HypervisorException;
import java.nio.charset.StandardCharsets;
import java.util.BitSet;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * The model-specific registers that are answered here, because KVM's own answer lacks something: that the TSC counts at the
 * nominal frequency (KVM before 6.8), and that a crash report may have a message. An MSR filter brings their accesses; all
 * others that KVM does not know come too, to be counted and refused.
 */
final class ServedMsrs {
    /** Hardware configuration (AMD APM volume 2, A.1). */
    static final int HWCR = 0xC001_0015;

    /** HWCR bit 24, TscFreqSel: the TSC counts at the P0 frequency. Linux takes an invariant TSC without it for a firmware bug. */
    private static final long TSC_AT_P0 = 1L << 24;

    /** Crash control (TLFS, HV_X64_MSR_CRASH_CTL). */
    static final int CRASH_CONTROL = 0x4000_0105;

    /** The parameters are there. */
    private static final long CRASH_NOTIFY = 1L << 63;

    /** P3 and P4 are a message's address and length. */
    private static final long CRASH_MESSAGE = 1L << 62;

    private static final int MESSAGE_ADDRESS = 3;
    private static final int MESSAGE_LENGTH = 4;

    /** Linux sends the last page of its log (drivers/hv/hv_common.c). */
    private static final int MAX_MESSAGE = 4096;

    private final GuestMemory memory;
    private final PartitionListener listener;

    ServedMsrs(GuestMemory memory, PartitionListener listener) {
        this.memory = memory;
        this.listener = listener;
    }

    /** Makes the VM's accesses come here, as far as the host's KVM can. */
    static void enable(Kvm kvm, KvmVm vm, boolean hyperV) {
        if (!kvm.has(Capability.X86_USER_SPACE_MSR)) {
            return;
        }
        Set<UserSpaceMsr> reasons = EnumSet.of(UserSpaceMsr.INVALID, UserSpaceMsr.UNKNOWN);
        if (kvm.has(Capability.X86_MSR_FILTER)) {
            reasons.add(UserSpaceMsr.FILTERED);
            var readsOfHwcr = new MsrFilter.Range(true, false, HWCR, 1, new BitSet());
            vm.setMsrFilter(new MsrFilter(
                    true,
                    hyperV ? List.of(readsOfHwcr, MsrFilter.Range.deny(CRASH_CONTROL, 1)) : List.of(readsOfHwcr)));
        }
        vm.setUserSpaceMsrs(reasons);
    }

    /** Answers a read; false if it is refused. */
    boolean read(Vcpu vcpu, Exit.RdMsr msr) {
        if (msr.reason() == UserSpaceMsr.FILTERED.bit()) {
            if (msr.index() == HWCR) {
                msr.set(vcpu.msrs(HWCR).getFirst().value() | TSC_AT_P0);
                return true;
            }
            if (msr.index() == CRASH_CONTROL) {
                msr.set(CRASH_NOTIFY | CRASH_MESSAGE);
                return true;
            }
        }
        msr.refuse();
        return false;
    }

    /** Does what a write asks for; false if it is refused. */
    boolean write(int id, Vcpu vcpu, Exit.WrMsr msr) {
        if (msr.reason() == UserSpaceMsr.FILTERED.bit() && msr.index() == CRASH_CONTROL) {
            if ((msr.value() & CRASH_NOTIFY) != 0) {
                long[] parameters = HyperV.crashParameters(vcpu);
                listener.crashed(id, parameters, (msr.value() & CRASH_MESSAGE) != 0 ? message(parameters) : "");
            }
            msr.accept();
            return true;
        }
        msr.refuse();
        return false;
    }

    /** What the guest's kernel says, its last page of it; empty if it lies where no memory is. */
    private String message(long[] parameters) {
        byte[] text = new byte[Math.clamp(parameters[MESSAGE_LENGTH], 0, MAX_MESSAGE)];
        try {
            memory.read(parameters[MESSAGE_ADDRESS], text);
        } catch (HypervisorException e) {
            return "";
        }
        return new String(text, StandardCharsets.UTF_8).replace("\0", "");
    }
}
