package io.javisor.kvm;

import static io.javisor.kvm.abi.Constants.KVM_INTERNAL_ERROR_DELIVERY_EV;
import static io.javisor.kvm.abi.Constants.KVM_INTERNAL_ERROR_EMULATION;
import static io.javisor.kvm.abi.Constants.KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES;
import static io.javisor.kvm.abi.Constants.KVM_INTERNAL_ERROR_SIMUL_EX;
import static io.javisor.kvm.abi.Constants.KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON;
import static io.javisor.kvm.abi.Constants.KVM_NOTIFY_CONTEXT_INVALID;
import static io.javisor.kvm.abi.Constants.KVM_SYSTEM_EVENT_CRASH;
import static io.javisor.kvm.abi.Constants.KVM_SYSTEM_EVENT_RESET;
import static io.javisor.kvm.abi.Constants.KVM_SYSTEM_EVENT_SHUTDOWN;
import static io.javisor.kvm.abi.Constants.KVM_SYSTEM_EVENT_SUSPEND;
import static io.javisor.kvm.abi.Constants.KVM_SYSTEM_EVENT_WAKEUP;
import static io.javisor.kvm.abi.RunAbi.at;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.util.Objects;

/**
 * Why {@link Vcpu#run()} returned. Exits are views over the page that the vCPU shares with the kernel: each vCPU has one of
 * each kind, made once, whose contents are valid until its next run. Answers (data of a read, result of a hypercall) are set
 * on the view and reach the guest with the next run.
 *
 * <p>The page is the kernel's and this process's; the guest cannot write it, only what its own instructions put there.
 */
public sealed interface Exit {
    /** The guest reads an I/O port: an answer for each of {@code count} elements is due before the next run. */
    final class IoIn extends PortExit implements Exit {
        IoIn(MemorySegment run) {
            super(run);
        }

        /** Answers the only, or first, element. */
        public void set(long value) {
            set(0, value);
        }

        /** Answers an element of a string instruction. */
        public void set(int element, long value) {
            long offset = offset(element);
            switch (size()) {
                case 1 -> run.set(JAVA_BYTE, offset, (byte) value);
                case 2 -> run.set(JAVA_SHORT_UNALIGNED, offset, (short) value);
                default -> run.set(JAVA_INT_UNALIGNED, offset, (int) value);
            }
        }
    }

    /** The guest writes an I/O port. */
    final class IoOut extends PortExit implements Exit {
        IoOut(MemorySegment run) {
            super(run);
        }

        /** The only, or first, element, unsigned. */
        public long value() {
            return value(0);
        }

        /** An element of a string instruction, unsigned. */
        public long value(int element) {
            long offset = offset(element);
            return switch (size()) {
                case 1 -> Byte.toUnsignedLong(run.get(JAVA_BYTE, offset));
                case 2 -> Short.toUnsignedLong(run.get(JAVA_SHORT_UNALIGNED, offset));
                default -> Integer.toUnsignedLong(run.get(JAVA_INT_UNALIGNED, offset));
            };
        }
    }

    /** The guest reads memory where it has none: an answer is due before the next run. */
    final class MmioRead extends MmioExit implements Exit {
        MmioRead(MemorySegment run) {
            super(run);
        }

        /** Answers, little-endian; bytes past the length are dropped. */
        public void set(long value) {
            run.set(JAVA_LONG_UNALIGNED, DATA, value);
        }
    }

    /** The guest writes memory where it has none, or in a read-only slot. */
    final class MmioWrite extends MmioExit implements Exit {
        MmioWrite(MemorySegment run) {
            super(run);
        }

        /** What it writes, little-endian, unsigned. */
        public long value() {
            int length = length();
            long value = run.get(JAVA_LONG_UNALIGNED, DATA);
            return length >= 8 ? value : value & ((1L << (length * 8)) - 1);
        }
    }

    /** The guest waits for an interrupt; only without in-kernel local APICs. */
    record Halt() implements Exit {}

    /** The guest shut down by a triple fault or so; its state is in the registers. */
    record Shutdown() implements Exit {}

    /** {@link Vcpu#interrupt()} was called, or the run's time is over. */
    record Interrupted() implements Exit {}

    /** The guest can take an interrupt now, as was asked by {@link Vcpu#requestInterruptWindow}. */
    record IrqWindow() implements Exit {}

    /** The dirty ring is full: collect it and {@link VmDirtyLog#resetRings()}. */
    record DirtyRingFull() implements Exit {}

    /** The guest locked the bus (KVM_CAP_X86_BUS_LOCK_EXIT). */
    record BusLock() implements Exit {}

    /** The guest wrote CR8; only without in-kernel local APICs. */
    record SetTpr() implements Exit {}

    /** A hypercall that KVM hands on (KVM_CAP_EXIT_HYPERCALL). */
    final class Hypercall implements Exit {
        private static final long NUMBER = at("hypercall", "nr");
        private static final long ARGUMENTS = at("hypercall", "args");
        private static final long RESULT = at("hypercall", "ret");

        private final MemorySegment run;

        Hypercall(MemorySegment run) {
            this.run = run;
        }

        /** Its number. */
        public long number() {
            return run.get(JAVA_LONG, NUMBER);
        }

        /** An argument, 0 to 5. */
        public long argument(int index) {
            return run.get(JAVA_LONG, ARGUMENTS + 8L * Objects.checkIndex(index, 6));
        }

        /** Answers. */
        public void setResult(long value) {
            run.set(JAVA_LONG, RESULT, value);
        }
    }

    /** The guest wrote a control register of its synthetic interrupt controller (KVM_EXIT_HYPERV_SYNIC). */
    final class HypervSynic extends HypervExit.Synic implements Exit {
        HypervSynic(MemorySegment run) {
            super(run);
        }
    }

    /** A Hyper-V hypercall that KVM hands on (KVM_EXIT_HYPERV_HCALL): a posted message or a signalled event. */
    final class HypervHypercall extends HypervExit.Hypercall implements Exit {
        HypervHypercall(MemorySegment run) {
            super(run);
        }
    }

    /** The guest used the synthetic debugger (KVM_EXIT_HYPERV_SYNDBG). */
    final class HypervDebugger extends HypervExit.Debugger implements Exit {
        HypervDebugger(MemorySegment run) {
            super(run);
        }
    }

    /** The VM asks for something as a whole (KVM_EXIT_SYSTEM_EVENT). */
    final class SystemEvent implements Exit {
        /** Shut down. */
        public static final int SHUTDOWN = KVM_SYSTEM_EVENT_SHUTDOWN;
        /** Reset. */
        public static final int RESET = KVM_SYSTEM_EVENT_RESET;
        /** The guest reports a crash; data are the five Hyper-V crash parameters and a control word where KVM says. */
        public static final int CRASH = KVM_SYSTEM_EVENT_CRASH;
        /** Wake up. */
        public static final int WAKE_UP = KVM_SYSTEM_EVENT_WAKEUP;
        /** Suspend. */
        public static final int SUSPEND = KVM_SYSTEM_EVENT_SUSPEND;

        private static final long TYPE = at("system_event", "type");
        private static final long COUNT = at("system_event", "ndata");
        private static final long DATA = at("system_event", "data");

        private final MemorySegment run;

        SystemEvent(MemorySegment run) {
            this.run = run;
        }

        /** What it asks: one of the constants, or a number that is newer than this class. */
        public int type() {
            return run.get(JAVA_INT, TYPE);
        }

        /** How many data words there are, 0 to 16. */
        public int dataCount() {
            return Math.clamp(run.get(JAVA_INT, COUNT), 0, 16);
        }

        /** A data word. */
        public long data(int index) {
            return run.get(JAVA_LONG, DATA + 8L * Objects.checkIndex(index, dataCount()));
        }
    }

    /** The processor refused the vCPU's state (KVM_EXIT_FAIL_ENTRY). */
    final class FailEntry implements Exit {
        private static final long REASON = at("fail_entry", "hardware_entry_failure_reason");
        private static final long CPU = at("fail_entry", "cpu");

        private final MemorySegment run;

        FailEntry(MemorySegment run) {
            this.run = run;
        }

        /** The processor's own reason. */
        public long hardwareReason() {
            return run.get(JAVA_LONG, REASON);
        }

        /** The host's logical CPU. */
        public int cpu() {
            return run.get(JAVA_INT, CPU);
        }
    }

    /** KVM cannot go on (KVM_EXIT_INTERNAL_ERROR). */
    @SuppressWarnings("AvoidCommonTypeNames") // KVM's word
    final class InternalError implements Exit {
        /** An instruction could not be emulated. */
        public static final int EMULATION = KVM_INTERNAL_ERROR_EMULATION;
        /** Exceptions at the same time. */
        public static final int SIMULTANEOUS_EXCEPTIONS = KVM_INTERNAL_ERROR_SIMUL_EX;
        /** An exit while an event was being delivered. */
        public static final int DELIVERY = KVM_INTERNAL_ERROR_DELIVERY_EV;
        /** An exit of a kind that KVM does not expect. */
        public static final int UNEXPECTED_EXIT = KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON;

        private static final long KIND = at("internal", "suberror");
        private static final long COUNT = at("internal", "ndata");
        private static final long DATA = at("internal", "data");
        private static final long FLAGS = at("emulation_failure", "flags");
        private static final long INSTRUCTION_SIZE = at("emulation_failure", "insn_size");
        private static final long INSTRUCTION = at("emulation_failure", "insn_bytes");

        private final MemorySegment run;

        InternalError(MemorySegment run) {
            this.run = run;
        }

        /** Which: one of the constants, or a number that is newer than this class. */
        public int kind() {
            return run.get(JAVA_INT, KIND);
        }

        /** How many data words there are, 0 to 16. */
        public int dataCount() {
            return Math.clamp(run.get(JAVA_INT, COUNT), 0, 16);
        }

        /** A data word; what it means depends on the kind. */
        public long data(int index) {
            return run.get(JAVA_LONG, DATA + 8L * Objects.checkIndex(index, dataCount()));
        }

        /** The bytes of the instruction that could not be emulated, as far as KVM tells; empty for other kinds. */
        public byte[] instruction() {
            if (kind() != EMULATION
                    || dataCount() < 3
                    || (run.get(JAVA_LONG, FLAGS) & KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES) == 0) {
                return new byte[0];
            }
            int size = Math.clamp(run.get(JAVA_BYTE, INSTRUCTION_SIZE), 0, 15);
            return run.asSlice(INSTRUCTION, size).toArray(JAVA_BYTE);
        }
    }

    /** The guest reads an MSR that userspace handles (KVM_CAP_X86_USER_SPACE_MSR): an answer is due. */
    final class RdMsr extends MsrExit implements Exit {
        RdMsr(MemorySegment run) {
            super(run);
        }

        /** Answers with a value. */
        public void set(long value) {
            run.set(JAVA_LONG, DATA, value);
            run.set(JAVA_BYTE, ERROR, (byte) 0);
        }
    }

    /** The guest writes an MSR that userspace handles (KVM_CAP_X86_USER_SPACE_MSR): an answer is due. */
    final class WrMsr extends MsrExit implements Exit {
        WrMsr(MemorySegment run) {
            super(run);
        }

        /** What it writes. */
        public long value() {
            return run.get(JAVA_LONG, DATA);
        }

        /** Answers that the write is done. */
        public void accept() {
            run.set(JAVA_BYTE, ERROR, (byte) 0);
        }
    }

    /** A breakpoint, watchpoint or single step (KVM_EXIT_DEBUG). */
    final class Debug implements Exit {
        private static final long EXCEPTION = at("debug", "arch", "exception");
        private static final long PC = at("debug", "arch", "pc");
        private static final long DR6 = at("debug", "arch", "dr6");
        private static final long DR7 = at("debug", "arch", "dr7");

        private final MemorySegment run;

        Debug(MemorySegment run) {
            this.run = run;
        }

        /** The exception: 1 is #DB, 3 is #BP. */
        public int exception() {
            return run.get(JAVA_INT, EXCEPTION);
        }

        /** Linear address of the instruction. */
        public long pc() {
            return run.get(JAVA_LONG, PC);
        }

        /** DR6: which condition. */
        public long dr6() {
            return run.get(JAVA_LONG, DR6);
        }

        /** DR7. */
        public long dr7() {
            return run.get(JAVA_LONG, DR7);
        }
    }

    /** The guest kept the processor for too long without an interrupt window (KVM_EXIT_NOTIFY). */
    final class Notify implements Exit {
        private static final long FLAGS = at("notify", "flags");

        private final MemorySegment run;

        Notify(MemorySegment run) {
            this.run = run;
        }

        /** Whether the vCPU's state is lost, so that it cannot go on. */
        public boolean contextInvalid() {
            return (run.get(JAVA_INT, FLAGS) & KVM_NOTIFY_CONTEXT_INVALID) != 0;
        }
    }

    /** The guest ended a level-triggered interrupt; only with a split irqchip. */
    final class IoapicEoi implements Exit {
        private static final long VECTOR = at("eoi", "vector");

        private final MemorySegment run;

        IoapicEoi(MemorySegment run) {
            this.run = run;
        }

        /** The interrupt's vector. */
        public int vector() {
            return Byte.toUnsignedInt(run.get(JAVA_BYTE, VECTOR));
        }
    }

    /** A task priority access (KVM_EXIT_TPR_ACCESS). */
    final class TprAccess implements Exit {
        private static final long RIP = at("tpr_access", "rip");
        private static final long WRITE = at("tpr_access", "is_write");

        private final MemorySegment run;

        TprAccess(MemorySegment run) {
            this.run = run;
        }

        /** Linear address of the instruction. */
        public long rip() {
            return run.get(JAVA_LONG, RIP);
        }

        /** Whether it writes. */
        public boolean write() {
            return run.get(JAVA_INT, WRITE) != 0;
        }
    }

    /** The guest touched memory that KVM may not give it (KVM_EXIT_MEMORY_FAULT, Linux 6.8). */
    final class MemoryFault implements Exit {
        private static final long FLAGS = at("memory_fault", "flags");
        private static final long ADDRESS = at("memory_fault", "gpa");
        private static final long SIZE = at("memory_fault", "size");

        private final MemorySegment run;

        MemoryFault(MemorySegment run) {
            this.run = run;
        }

        /** KVM_MEMORY_EXIT_FLAG_…: bit 3 says that the access was to private memory. */
        public long flags() {
            return run.get(JAVA_LONG, FLAGS);
        }

        /** Guest-physical address. */
        public long address() {
            return run.get(JAVA_LONG, ADDRESS);
        }

        /** Bytes. */
        public long size() {
            return run.get(JAVA_LONG, SIZE);
        }
    }

    /** An exit that is newer than this class or of another kind of machine. */
    final class Unknown implements Exit {
        private static final long REASON = at("exit_reason");
        private static final long HARDWARE_REASON = at("hw", "hardware_exit_reason");

        private final MemorySegment run;

        Unknown(MemorySegment run) {
            this.run = run;
        }

        /** KVM_EXIT_… of linux/kvm.h. */
        public int reason() {
            return run.get(JAVA_INT, REASON);
        }

        /** The processor's own reason; means something if {@link #reason} is 0. */
        public long hardwareReason() {
            return run.get(JAVA_LONG, HARDWARE_REASON);
        }
    }
}
