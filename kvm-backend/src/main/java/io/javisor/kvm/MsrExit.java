package io.javisor.kvm;

import static io.javisor.kvm.abi.RunAbi.at;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.MemorySegment;

/** What reads and writes of MSRs have in common. */
abstract sealed class MsrExit permits Exit.RdMsr, Exit.WrMsr {
    static final long ERROR = at("msr", "error");
    static final long DATA = at("msr", "data");
    private static final long REASON = at("msr", "reason");
    private static final long INDEX = at("msr", "index");

    final MemorySegment run;

    MsrExit(MemorySegment run) {
        this.run = run;
    }

    /** The MSR's number. */
    public int index() {
        return run.get(JAVA_INT, INDEX);
    }

    /** Why it is here: bits of {@link UserSpaceMsr}. */
    public int reason() {
        return run.get(JAVA_INT, REASON);
    }

    /** Answers with a general-protection fault. */
    public void refuse() {
        run.set(JAVA_BYTE, ERROR, (byte) 1);
    }
}
