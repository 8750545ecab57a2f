package io.javisor.kvm;

import static io.javisor.kvm.abi.RunAbi.at;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;
import java.util.Objects;

/** The fields of exits that Hyper-V enlightenments cause (TLFS; struct kvm_hyperv_exit). */
final class HypervExit {
    private HypervExit() {}

    /** The guest wrote a control register of its synthetic interrupt controller (KVM_EXIT_HYPERV_SYNIC). */
    abstract static sealed class Synic permits Exit.HypervSynic {
        private static final long MSR = at("hyperv", "u", "synic", "msr");
        private static final long CONTROL = at("hyperv", "u", "synic", "control");
        private static final long EVENT_PAGE = at("hyperv", "u", "synic", "evt_page");
        private static final long MESSAGE_PAGE = at("hyperv", "u", "synic", "msg_page");

        private final MemorySegment run;

        Synic(MemorySegment run) {
            this.run = run;
        }

        /** The MSR it wrote: SCONTROL, SIEFP or SIMP. */
        public int msr() {
            return run.get(JAVA_INT, MSR);
        }

        /** SCONTROL: bit 0 enables. */
        public long control() {
            return run.get(JAVA_LONG, CONTROL);
        }

        /** SIEFP: guest-physical address of the event flags page, bit 0 enables. */
        public long eventPage() {
            return run.get(JAVA_LONG, EVENT_PAGE);
        }

        /** SIMP: guest-physical address of the message page, bit 0 enables. */
        public long messagePage() {
            return run.get(JAVA_LONG, MESSAGE_PAGE);
        }
    }

    /** A Hyper-V hypercall that KVM hands on (KVM_EXIT_HYPERV_HCALL): a posted message or a signalled event. */
    abstract static sealed class Hypercall permits Exit.HypervHypercall {
        private static final long INPUT = at("hyperv", "u", "hcall", "input");
        private static final long RESULT = at("hyperv", "u", "hcall", "result");
        private static final long PARAMETERS = at("hyperv", "u", "hcall", "params");

        private final MemorySegment run;

        Hypercall(MemorySegment run) {
            this.run = run;
        }

        /** Hypercall input value: call code in bits 15–0, fast in bit 16 (TLFS, hypercall input). */
        public long input() {
            return run.get(JAVA_LONG, INPUT);
        }

        /** The call code. */
        public int code() {
            return (int) (input() & 0xFFFF);
        }

        /** Whether the parameters are values rather than addresses. */
        public boolean fast() {
            return (input() & 1 << 16) != 0;
        }

        /** A parameter, 0 or 1: input and output address, or values. */
        public long parameter(int index) {
            return run.get(JAVA_LONG, PARAMETERS + 8L * Objects.checkIndex(index, 2));
        }

        /** Answers: status in bits 15–0, completed repetitions in bits 43–32. */
        public void setResult(long value) {
            run.set(JAVA_LONG, RESULT, value);
        }
    }

    /** The guest used the synthetic debugger (KVM_EXIT_HYPERV_SYNDBG). */
    abstract static sealed class Debugger permits Exit.HypervDebugger {
        private static final long MSR = at("hyperv", "u", "syndbg", "msr");
        private static final long CONTROL = at("hyperv", "u", "syndbg", "control");
        private static final long STATUS = at("hyperv", "u", "syndbg", "status");
        private static final long SEND_PAGE = at("hyperv", "u", "syndbg", "send_page");
        private static final long RECEIVE_PAGE = at("hyperv", "u", "syndbg", "recv_page");
        private static final long PENDING_PAGE = at("hyperv", "u", "syndbg", "pending_page");

        private final MemorySegment run;

        Debugger(MemorySegment run) {
            this.run = run;
        }

        /** The MSR it wrote. */
        public int msr() {
            return run.get(JAVA_INT, MSR);
        }

        /** The control register. */
        public long control() {
            return run.get(JAVA_LONG, CONTROL);
        }

        /** Guest-physical address of the page to send. */
        public long sendPage() {
            return run.get(JAVA_LONG, SEND_PAGE);
        }

        /** Guest-physical address of the page to receive into. */
        public long receivePage() {
            return run.get(JAVA_LONG, RECEIVE_PAGE);
        }

        /** Guest-physical address of the pending flag. */
        public long pendingPage() {
            return run.get(JAVA_LONG, PENDING_PAGE);
        }

        /** Answers. */
        public void setStatus(long value) {
            run.set(JAVA_LONG, STATUS, value);
        }
    }
}
