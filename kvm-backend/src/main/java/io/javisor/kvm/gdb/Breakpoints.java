package io.javisor.kvm.gdb;

import io.javisor.kvm.DebugSupport;
import io.javisor.kvm.Exit;
import io.javisor.kvm.GuestDebug;
import io.javisor.kvm.Vcpu;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The breakpoints of a session. Software breakpoints are INT3 instructions in the guest's memory, any number of them; hardware
 * breakpoints and watchpoints are in the four debug registers, and need no memory to be there yet. Set while the vCPUs are
 * held; asked by vCPUs' threads while they run.
 */
final class Breakpoints {
    private static final byte INT3 = (byte) 0xCC;
    private static final int MOST_SOFTWARE = 4096;
    private static final int MOST_HARDWARE = 4;
    private static final int BREAKPOINT_EXCEPTION = 3;

    private final GuestView view;
    private final DebugSupport support;
    private final Map<Long, Software> software = new HashMap<>(); // by virtual address
    private final List<GuestDebug.Breakpoint> hardware = new ArrayList<>();

    private record Software(long gpa, byte original) {}

    Breakpoints(GuestView view, DebugSupport support) {
        this.view = view;
        this.support = support;
    }

    synchronized void addSoftware(Vcpu vcpu, long address) {
        if (software.containsKey(address)) {
            return; // gdb may insert what is there
        }
        if (!support.software()) {
            throw new GdbError("KVM of this host does not report INT3" + (support.hardware() ? ": use hbreak" : ""));
        }
        if (software.size() >= MOST_SOFTWARE) {
            throw new GdbError(GdbError.NO_SPACE);
        }
        long gpa = GuestView.physical(vcpu, address);
        Optional<Software> same =
                software.values().stream().filter(s -> s.gpa == gpa).findFirst();
        byte original = same.isPresent() ? same.get().original : view.byteAt(gpa);
        view.putByte(gpa, INT3);
        software.put(address, new Software(gpa, original));
    }

    synchronized void removeSoftware(long address) {
        Software gone = software.remove(address);
        if (gone != null && software.values().stream().noneMatch(s -> s.gpa == gone.gpa)) {
            restore(gone);
        }
    }

    /** A guest that has put something else there since keeps it. */
    private void restore(Software s) {
        if (view.byteAt(s.gpa) == INT3) {
            view.putByte(s.gpa, s.original);
        }
    }

    synchronized void addHardware(GuestDebug.Breakpoint breakpoint) {
        if (hardware.contains(breakpoint)) {
            return;
        }
        if (!support.hardware()) {
            throw new GdbError("KVM of this host does not load the debug registers for guests");
        }
        if (hardware.size() >= MOST_HARDWARE) {
            throw new GdbError(GdbError.NO_SPACE);
        }
        hardware.add(breakpoint);
    }

    synchronized void removeHardware(GuestDebug.Breakpoint breakpoint) {
        hardware.remove(breakpoint);
    }

    /** Takes all INT3 instructions out of the guest's memory; the vCPUs are held. */
    synchronized void clear() {
        software.values().forEach(this::restore);
        software.clear();
        hardware.clear();
    }

    /** What shall stop a vCPU. */
    synchronized GuestDebug armed(boolean stepping, boolean blockInterrupts) {
        return new GuestDebug(stepping, !software.isEmpty(), stepping && blockInterrupts, List.copyOf(hardware));
    }

    /** Covers the INT3 instructions in bytes that were read. */
    synchronized void hide(long address, byte... bytes) {
        software.forEach((at, s) -> {
            long offset = at - address;
            if (offset >= 0 && offset < bytes.length) {
                bytes[(int) offset] = s.original;
            }
        });
    }

    /** Keeps the INT3 instructions where memory is overwritten: what is under them changes. */
    synchronized void keep(long address, byte... bytes) {
        for (Map.Entry<Long, Software> e : software.entrySet()) {
            long offset = e.getKey() - address;
            if (offset >= 0 && offset < bytes.length) {
                e.setValue(new Software(e.getValue().gpa, bytes[(int) offset]));
                bytes[(int) offset] = INT3;
            }
        }
    }

    /** Whether a stop is one of ours; if not, the exception is the guest's. */
    synchronized boolean isOurs(Exit.Debug exit, boolean stepping) {
        return exit.exception() == BREAKPOINT_EXCEPTION
                ? software.containsKey(exit.pc())
                : stepping || (exit.dr6() & 0xF) != 0;
    }

    /** Why it stopped, for a stop's message: what follows the thread. */
    synchronized String reason(Exit.Debug exit, boolean swbreak, boolean hwbreak) {
        if (exit.exception() == BREAKPOINT_EXCEPTION) {
            return swbreak ? "swbreak:;" : "";
        }
        for (int i = 0; i < hardware.size(); i++) {
            if ((exit.dr6() >>> i & 1) == 1) {
                GuestDebug.Breakpoint hit = hardware.get(i);
                return switch (hit.kind()) {
                    case EXECUTE -> hwbreak ? "hwbreak:;" : "";
                    case WRITE -> "watch:" + Long.toHexString(hit.address()) + ";";
                    case ACCESS -> "awatch:" + Long.toHexString(hit.address()) + ";";
                };
            }
        }
        return "";
    }
}
