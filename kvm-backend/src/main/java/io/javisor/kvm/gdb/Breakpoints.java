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
import java.util.OptionalLong;

/**
 * The breakpoints of a session. Software breakpoints are instructions in the guest's memory, any number of them: INT3, or where
 * KVM does not report that, and in the upper half of the address space, where only a kernel runs, an output to a port
 * of the debugger's. Hardware breakpoints and watchpoints are in the four debug registers, and need no memory to be there yet.
 * Set while the vCPUs are held; asked by vCPUs' threads while they run.
 */
final class Breakpoints {
    private static final byte[] INT3 = {(byte) 0xCC};
    private static final byte[] OUTPUT = {(byte) 0xE6, (byte) GdbTarget.TRAP_PORT}; // OUT imm8, AL
    private static final int MOST_SOFTWARE = 4096;
    private static final int MOST_HARDWARE = 4;
    private static final int BREAKPOINT_EXCEPTION = 3;

    private final GuestView view;
    private final DebugSupport support;
    private final boolean outputs;
    private final Map<Long, List<Planted>> software = new HashMap<>(); // by virtual address
    private final List<GuestDebug.Breakpoint> hardware = new ArrayList<>();

    /** A byte of the guest's that is ours for now. */
    private record Planted(long gpa, byte original, byte ours) {}

    /** @param outputs whether who runs the vCPUs tells of outputs to {@link GdbTarget#TRAP_PORT} */
    Breakpoints(GuestView view, DebugSupport support, boolean outputs) {
        this.view = view;
        this.support = support;
        this.outputs = outputs;
    }

    synchronized void addSoftware(Vcpu vcpu, long address) {
        if (software.containsKey(address)) {
            return; // gdb may insert what is there
        }
        byte[] instruction = instruction(address);
        if (software.size() >= MOST_SOFTWARE) {
            throw new GdbError(GdbError.NO_SPACE);
        }
        var bytes = new ArrayList<Planted>();
        for (int i = 0; i < instruction.length; i++) {
            if (isCovered(address + i)) {
                throw new GdbError("another breakpoint is less than " + instruction.length + " bytes away");
            }
            long gpa = GuestView.physical(vcpu, address + i);
            bytes.add(new Planted(gpa, original(gpa), instruction[i]));
        }
        bytes.forEach(p -> view.putByte(p.gpa, p.ours));
        software.put(address, bytes);
    }

    private byte[] instruction(long address) {
        if (support.software()) {
            return INT3;
        }
        if (outputs && address < 0) {
            return OUTPUT;
        }
        throw new GdbError(
                "KVM of this host does not report INT3" + (outputs ? ", and only a kernel's code can do without" : "")
                        + (support.hardware() ? ": use hbreak" : ""));
    }

    private boolean isCovered(long address) {
        return software.entrySet().stream().anyMatch(e -> {
            long offset = address - e.getKey();
            return offset >= 0 && offset < e.getValue().size();
        });
    }

    /** What the guest has there; the same memory may be at several addresses. */
    private byte original(long gpa) {
        return planted(gpa).map(Planted::original).orElseGet(() -> view.byteAt(gpa));
    }

    private Optional<Planted> planted(long gpa) {
        return software.values().stream()
                .flatMap(List::stream)
                .filter(p -> p.gpa == gpa)
                .findFirst();
    }

    synchronized void removeSoftware(long address) {
        List<Planted> gone = software.remove(address);
        if (gone != null) {
            gone.stream().filter(p -> planted(p.gpa).isEmpty()).forEach(this::restore);
        }
    }

    /** A guest that has put something else there since keeps it. */
    private void restore(Planted p) {
        if (view.byteAt(p.gpa) == p.ours) {
            view.putByte(p.gpa, p.original);
        }
    }

    /** The breakpoint that made an output, by the instruction pointer then, which may be at it or behind it. */
    synchronized OptionalLong output(long rip) {
        for (long address : new long[] {rip, rip - OUTPUT.length}) {
            List<Planted> there = software.get(address);
            if (there != null && there.size() == OUTPUT.length) {
                return OptionalLong.of(address);
            }
        }
        return OptionalLong.empty();
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

    /** Takes all instructions of ours out of the guest's memory; the vCPUs are held. */
    synchronized void clear() {
        software.values().forEach(bytes -> bytes.forEach(this::restore));
        software.clear();
        hardware.clear();
    }

    /** What shall stop a vCPU. */
    synchronized GuestDebug armed(boolean stepping, boolean blockInterrupts) {
        boolean exceptions = support.software() && !software.isEmpty();
        return new GuestDebug(stepping, exceptions, stepping && blockInterrupts, List.copyOf(hardware));
    }

    /** Covers our instructions in bytes that were read. */
    synchronized void hide(long address, byte... bytes) {
        software.forEach((at, planted) -> {
            for (int i = 0; i < planted.size(); i++) {
                long offset = at + i - address;
                if (offset >= 0 && offset < bytes.length) {
                    bytes[(int) offset] = planted.get(i).original;
                }
            }
        });
    }

    /** Keeps our instructions where memory is overwritten: what is under them changes. */
    synchronized void keep(long address, byte... bytes) {
        software.forEach((at, planted) -> {
            for (int i = 0; i < planted.size(); i++) {
                long offset = at + i - address;
                if (offset >= 0 && offset < bytes.length) {
                    Planted p = planted.get(i);
                    planted.set(i, new Planted(p.gpa, bytes[(int) offset], p.ours));
                    bytes[(int) offset] = p.ours;
                }
            }
        });
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
            return software(swbreak);
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

    /** Why it stopped at a software breakpoint. */
    static String software(boolean swbreak) {
        return swbreak ? "swbreak:;" : "";
    }
}
