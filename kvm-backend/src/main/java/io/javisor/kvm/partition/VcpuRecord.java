package io.javisor.kvm.partition;

import io.javisor.kvm.Capability;
import io.javisor.kvm.Kvm;
import io.javisor.kvm.KvmException;
import io.javisor.kvm.Msr;
import io.javisor.kvm.StateGroup;
import io.javisor.kvm.VcpuState;
import io.javisor.partition.state.StateException;
import io.javisor.partition.state.StateReader;
import io.javisor.partition.state.StateWriter;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One vCPU's state as fields of a leaf: the kernel's structures as they are, and its MSRs. CPUID and the TSC are set before, by
 * others. The order in which groups are set is that of {@link VcpuState}.
 */
final class VcpuRecord {
    private static final int MSR_BYTES = 12;
    private static final int MAX_MSRS = 4096;

    /** Set before the MSRs. */
    private static final List<StateGroup> FIRST = List.of(StateGroup.SREGS, StateGroup.SREGS2, StateGroup.XCRS);

    /** Set after the MSRs. */
    private static final List<StateGroup> LAST =
            List.of(StateGroup.LAPIC, StateGroup.MP_STATE, StateGroup.EVENTS, StateGroup.DEBUGREGS);

    private VcpuRecord() {}

    /** Writes a held vCPU's state. */
    static void save(Kvm kvm, VcpuState state, int[] msrs, StateWriter out) {
        for (StateGroup group : groups(kvm)) {
            out.put(name(group), state.get(group));
        }
        out.put("xsave", state.xsave());
        List<Msr> values = state.readableMsrs(msrs);
        ByteBuffer list = ByteBuffer.allocate(values.size() * MSR_BYTES);
        values.forEach(m -> list.putInt(m.index()).putLong(m.value()));
        out.put("msrs", list.array());
    }

    private static List<StateGroup> groups(Kvm kvm) {
        var groups = new ArrayList<StateGroup>();
        groups.add(kvm.has(Capability.SREGS2) ? StateGroup.SREGS2 : StateGroup.SREGS);
        for (StateGroup group : List.of(
                StateGroup.XCRS,
                StateGroup.REGS,
                StateGroup.LAPIC,
                StateGroup.MP_STATE,
                StateGroup.EVENTS,
                StateGroup.DEBUGREGS)) {
            Capability needed = group.capability();
            if (needed == null || kvm.has(needed)) {
                groups.add(group);
            }
        }
        return groups;
    }

    private static String name(StateGroup group) {
        return group.name().toLowerCase(java.util.Locale.ROOT);
    }

    /**
     * Sets a fresh vCPU's state.
     *
     * @param leaf for messages
     * @throws StateException if this host's KVM does not take it
     */
    static void restore(VcpuState state, String leaf, StateReader in) {
        for (StateGroup group : FIRST) {
            set(state, group, leaf, in);
        }
        byte[] xsave = in.getBytes("xsave");
        taken(leaf + ".xsave", () -> state.setXsave(xsave));
        set(state, StateGroup.REGS, leaf, in);
        msrs(state, leaf, in.getBytes("msrs"));
        for (StateGroup group : LAST) {
            set(state, group, leaf, in);
        }
    }

    private static void set(VcpuState state, StateGroup group, String leaf, StateReader in) {
        String name = name(group);
        if (in.has(name)) {
            byte[] bytes = in.getBytes(name, group.size());
            taken(leaf + "." + name, () -> state.set(group, bytes));
        } else if (group == StateGroup.REGS) {
            throw new StateException(leaf + "." + name + ": missing");
        }
    }

    /** Writes what differs from the fresh vCPU's, so that what can't be written need not be. */
    private static void msrs(VcpuState state, String leaf, byte[] list) {
        if (list.length % MSR_BYTES != 0 || list.length > MAX_MSRS * MSR_BYTES) {
            throw new StateException(leaf + ".msrs: " + list.length + " bytes are no list of MSRs");
        }
        List<Msr> wanted = new ArrayList<>();
        for (ByteBuffer values = ByteBuffer.wrap(list); values.hasRemaining(); ) {
            wanted.add(new Msr(values.getInt(), values.getLong()));
        }
        Map<Integer, Long> present = new HashMap<>();
        state.readableMsrs(wanted.stream().mapToInt(Msr::index).toArray())
                .forEach(m -> present.put(m.index(), m.value()));
        List<Msr> changes = wanted.stream()
                .filter(m -> {
                    @Nullable Long now = present.get(m.index());
                    return now == null ? m.value() != 0 : now != m.value();
                })
                .toList();
        taken(leaf + ".msrs", () -> {
            int set = state.trySetMsrs(changes);
            if (set < changes.size()) {
                throw new StateException(leaf + ".msrs: this host's KVM refuses " + changes.get(set));
            }
        });
    }

    private static void taken(String field, Runnable setter) {
        try {
            setter.run();
        } catch (KvmException | IllegalArgumentException e) {
            throw new StateException(field + ": this host's KVM refuses it: " + e.getMessage());
        }
    }
}
