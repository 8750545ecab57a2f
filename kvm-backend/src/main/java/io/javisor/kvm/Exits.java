package io.javisor.kvm;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.javisor.kvm.abi.RunAbi;
import java.lang.foreign.MemorySegment;

/** The views over one vCPU's shared page, made once, and the choice between them. For the vCPU's thread. */
final class Exits {
    private static final long REASON = RunAbi.at("exit_reason");
    private static final long IO_DIRECTION = RunAbi.at("io", "direction");
    private static final long MMIO_IS_WRITE = RunAbi.at("mmio", "is_write");
    private static final long HYPERV_TYPE = RunAbi.at("hyperv", "type");

    /** KVM_EXIT_MEMORY_FAULT, which comes with a refused KVM_RUN. */
    static final int MEMORY_FAULT = 39;

    private final MemorySegment run;
    private final Exit.IoIn ioIn;
    private final Exit.IoOut ioOut;
    private final Exit.MmioRead mmioRead;
    private final Exit.MmioWrite mmioWrite;
    private final Exit.Halt halt = new Exit.Halt();
    private final Exit.Shutdown shutdown = new Exit.Shutdown();
    private final Exit.IrqWindow irqWindow = new Exit.IrqWindow();
    private final Exit.DirtyRingFull dirtyRingFull = new Exit.DirtyRingFull();
    private final Exit.BusLock busLock = new Exit.BusLock();
    private final Exit.SetTpr setTpr = new Exit.SetTpr();
    private final Exit.Hypercall hypercall;
    private final Exit.HypervSynic hypervSynic;
    private final Exit.HypervHypercall hypervHypercall;
    private final Exit.HypervDebugger hypervDebugger;
    private final Exit.SystemEvent systemEvent;
    private final Exit.FailEntry failEntry;
    private final Exit.InternalError internalError;
    private final Exit.RdMsr rdMsr;
    private final Exit.WrMsr wrMsr;
    private final Exit.Debug debug;
    private final Exit.Notify notify;
    private final Exit.IoapicEoi ioapicEoi;
    private final Exit.TprAccess tprAccess;
    private final Exit.Unknown unknown;
    final Exit.MemoryFault memoryFault;
    final Exit.Interrupted interrupted = new Exit.Interrupted();

    Exits(MemorySegment run) {
        this.run = run;
        ioIn = new Exit.IoIn(run);
        ioOut = new Exit.IoOut(run);
        mmioRead = new Exit.MmioRead(run);
        mmioWrite = new Exit.MmioWrite(run);
        hypercall = new Exit.Hypercall(run);
        hypervSynic = new Exit.HypervSynic(run);
        hypervHypercall = new Exit.HypervHypercall(run);
        hypervDebugger = new Exit.HypervDebugger(run);
        systemEvent = new Exit.SystemEvent(run);
        failEntry = new Exit.FailEntry(run);
        internalError = new Exit.InternalError(run);
        rdMsr = new Exit.RdMsr(run);
        wrMsr = new Exit.WrMsr(run);
        debug = new Exit.Debug(run);
        notify = new Exit.Notify(run);
        ioapicEoi = new Exit.IoapicEoi(run);
        tprAccess = new Exit.TprAccess(run);
        memoryFault = new Exit.MemoryFault(run);
        unknown = new Exit.Unknown(run);
    }

    int reason() {
        return run.get(JAVA_INT, REASON);
    }

    /** The view for the exit that the kernel has just written; numbers are KVM_EXIT_… of linux/kvm.h. */
    Exit current() {
        return switch (reason()) {
            case 2 -> run.get(JAVA_BYTE, IO_DIRECTION) == 0 ? ioIn : ioOut;
            case 3 -> hypercall;
            case 4 -> debug;
            case 5 -> halt;
            case 6 -> run.get(JAVA_BYTE, MMIO_IS_WRITE) == 0 ? mmioRead : mmioWrite;
            case 7 -> irqWindow;
            case 8 -> shutdown;
            case 9 -> failEntry;
            case 10 -> interrupted;
            case 11 -> setTpr;
            case 12 -> tprAccess;
            case 17 -> internalError;
            case 24 -> systemEvent;
            case 26 -> ioapicEoi;
            case 27 ->
                switch (run.get(JAVA_INT, HYPERV_TYPE)) {
                    case 1 -> hypervSynic;
                    case 2 -> hypervHypercall;
                    case 3 -> hypervDebugger;
                    default -> unknown;
                };
            case 29 -> rdMsr;
            case 30 -> wrMsr;
            case 31 -> dirtyRingFull;
            case 33 -> busLock;
            case 37 -> notify;
            case MEMORY_FAULT -> memoryFault;
            default -> unknown;
        };
    }
}
