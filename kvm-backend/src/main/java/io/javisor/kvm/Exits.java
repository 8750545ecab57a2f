package io.javisor.kvm;

import static io.javisor.kvm.abi.Constants.KVM_EXIT_DEBUG;
import static io.javisor.kvm.abi.Constants.KVM_EXIT_DIRTY_RING_FULL;
import static io.javisor.kvm.abi.Constants.KVM_EXIT_FAIL_ENTRY;
import static io.javisor.kvm.abi.Constants.KVM_EXIT_HLT;
import static io.javisor.kvm.abi.Constants.KVM_EXIT_HYPERCALL;
import static io.javisor.kvm.abi.Constants.KVM_EXIT_HYPERV;
import static io.javisor.kvm.abi.Constants.KVM_EXIT_HYPERV_HCALL;
import static io.javisor.kvm.abi.Constants.KVM_EXIT_HYPERV_SYNDBG;
import static io.javisor.kvm.abi.Constants.KVM_EXIT_HYPERV_SYNIC;
import static io.javisor.kvm.abi.Constants.KVM_EXIT_INTERNAL_ERROR;
import static io.javisor.kvm.abi.Constants.KVM_EXIT_INTR;
import static io.javisor.kvm.abi.Constants.KVM_EXIT_IO;
import static io.javisor.kvm.abi.Constants.KVM_EXIT_IOAPIC_EOI;
import static io.javisor.kvm.abi.Constants.KVM_EXIT_IO_IN;
import static io.javisor.kvm.abi.Constants.KVM_EXIT_IRQ_WINDOW_OPEN;
import static io.javisor.kvm.abi.Constants.KVM_EXIT_MEMORY_FAULT;
import static io.javisor.kvm.abi.Constants.KVM_EXIT_MMIO;
import static io.javisor.kvm.abi.Constants.KVM_EXIT_NOTIFY;
import static io.javisor.kvm.abi.Constants.KVM_EXIT_SET_TPR;
import static io.javisor.kvm.abi.Constants.KVM_EXIT_SHUTDOWN;
import static io.javisor.kvm.abi.Constants.KVM_EXIT_SYSTEM_EVENT;
import static io.javisor.kvm.abi.Constants.KVM_EXIT_TPR_ACCESS;
import static io.javisor.kvm.abi.Constants.KVM_EXIT_X86_BUS_LOCK;
import static io.javisor.kvm.abi.Constants.KVM_EXIT_X86_RDMSR;
import static io.javisor.kvm.abi.Constants.KVM_EXIT_X86_WRMSR;
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

    /** The view for the exit that the kernel has just written. */
    Exit current() {
        return switch (reason()) {
            case KVM_EXIT_IO -> run.get(JAVA_BYTE, IO_DIRECTION) == KVM_EXIT_IO_IN ? ioIn : ioOut;
            case KVM_EXIT_HYPERCALL -> hypercall;
            case KVM_EXIT_DEBUG -> debug;
            case KVM_EXIT_HLT -> halt;
            case KVM_EXIT_MMIO -> run.get(JAVA_BYTE, MMIO_IS_WRITE) == 0 ? mmioRead : mmioWrite;
            case KVM_EXIT_IRQ_WINDOW_OPEN -> irqWindow;
            case KVM_EXIT_SHUTDOWN -> shutdown;
            case KVM_EXIT_FAIL_ENTRY -> failEntry;
            case KVM_EXIT_INTR -> interrupted;
            case KVM_EXIT_SET_TPR -> setTpr;
            case KVM_EXIT_TPR_ACCESS -> tprAccess;
            case KVM_EXIT_INTERNAL_ERROR -> internalError;
            case KVM_EXIT_SYSTEM_EVENT -> systemEvent;
            case KVM_EXIT_IOAPIC_EOI -> ioapicEoi;
            case KVM_EXIT_HYPERV ->
                switch (run.get(JAVA_INT, HYPERV_TYPE)) {
                    case KVM_EXIT_HYPERV_SYNIC -> hypervSynic;
                    case KVM_EXIT_HYPERV_HCALL -> hypervHypercall;
                    case KVM_EXIT_HYPERV_SYNDBG -> hypervDebugger;
                    default -> unknown;
                };
            case KVM_EXIT_X86_RDMSR -> rdMsr;
            case KVM_EXIT_X86_WRMSR -> wrMsr;
            case KVM_EXIT_DIRTY_RING_FULL -> dirtyRingFull;
            case KVM_EXIT_X86_BUS_LOCK -> busLock;
            case KVM_EXIT_NOTIFY -> notify;
            case KVM_EXIT_MEMORY_FAULT -> memoryFault;
            default -> unknown;
        };
    }
}
