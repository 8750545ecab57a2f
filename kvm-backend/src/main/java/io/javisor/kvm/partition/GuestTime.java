package io.javisor.kvm.partition;

import io.javisor.kvm.KvmVm;
import io.javisor.kvm.Msr;
import io.javisor.kvm.Vcpu;
import io.javisor.kvm.VcpuState;
import io.javisor.kvm.VmClock;
import io.javisor.partition.state.StateReader;
import io.javisor.partition.state.StateWriter;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * What a guest's clocks showed while its vCPUs were held: the VM's clock, on which kvmclock and Hyper-V's reference time
 * stand, and each vCPU's TSC at that same moment. Setting them lets the guest's time go on from there as if none had passed;
 * whatever tells the guest the time of day has to say that some has.
 *
 * <p>Where KVM ties its clock to the TSC, both are taken and set as of one moment through the TSC's offset
 * (Documentation/virt/kvm/devices/vcpu.rst, KVM_VCPU_TSC_OFFSET). Elsewhere the TSC is written as a value, and KVM makes what is written to several vCPUs in the same
 * second the same TSC.
 *
 * @param nanos the VM's clock
 * @param tscs the vCPUs' TSCs
 */
@SuppressWarnings("ArrayRecordComponent") // compared by nobody
record GuestTime(long nanos, long[] tscs) {
    private static final int MSR_TSC = 0x10;

    /** The longest that may lie between two looks at a clock, in seconds; more means that they are not of the same clock. */
    private static final long LOOK_SECONDS = 10;

    /** Reads the clocks; the vCPUs are held. */
    static GuestTime read(KvmVm vm, List<Vcpu> vcpus) {
        VmClock clock = vm.clock();
        boolean tied = (clock.flags() & VmClock.HOST_TSC) != 0;
        long[] tscs = new long[vcpus.size()];
        for (int i = 0; i < tscs.length; i++) {
            VcpuState state = vcpus.get(i).state();
            long now = state.msrs(MSR_TSC).getFirst().value();
            long then = tied && state.hasTscOffset() ? clock.hostTsc() + state.tscOffset() : now;
            // With a scaled TSC the sum means nothing, and the look at each vCPU has to do.
            tscs[i] = isShortlyAfter(now, then, state) ? then : now;
        }
        return new GuestTime(clock.nanos(), tscs);
    }

    /** Sets the clocks; the vCPUs are held. */
    void apply(KvmVm vm, List<Vcpu> vcpus) {
        vm.setClock(VmClock.at(nanos));
        VmClock clock = vm.clock();
        boolean tied = (clock.flags() & VmClock.HOST_TSC) != 0;
        for (int i = 0; i < tscs.length; i++) {
            VcpuState state = vcpus.get(i).state();
            if (tied && state.hasTscOffset()) {
                long since = (clock.nanos() - nanos) * state.tscKhz() / 1_000_000;
                state.setTscOffset(tscs[i] - (clock.hostTsc() - since));
            }
            if (!isShortlyAfter(state.msrs(MSR_TSC).getFirst().value(), tscs[i], state)) {
                // Hosts that show guests their own TSC ignore this too.
                state.trySetMsrs(List.of(new Msr(MSR_TSC, tscs[i])));
            }
        }
    }

    private static boolean isShortlyAfter(long now, long then, VcpuState state) {
        return now - then >= 0 && now - then < LOOK_SECONDS * 1000 * state.tscKhz();
    }

    void save(StateWriter out) {
        ByteBuffer values = ByteBuffer.allocate(8 * tscs.length);
        values.asLongBuffer().put(tscs);
        out.put("nanos", nanos).put("tscs", values.array());
    }

    static GuestTime of(StateReader in, int vcpus) {
        long[] tscs = new long[vcpus];
        ByteBuffer.wrap(in.getBytes("tscs", 8 * vcpus)).asLongBuffer().get(tscs);
        return new GuestTime(in.getLong("nanos"), tscs);
    }
}
