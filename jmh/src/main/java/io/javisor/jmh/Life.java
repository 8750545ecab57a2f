package io.javisor.jmh;

import io.javisor.api.SavedState;
import io.javisor.api.VirtualMachine;
import io.javisor.api.Wait;
import io.javisor.kvm.Exit;
import io.javisor.kvm.GuestRam;
import io.javisor.kvm.Kvm;
import io.javisor.kvm.KvmVm;
import io.javisor.kvm.Regs;
import io.javisor.kvm.Sregs;
import io.javisor.kvm.Vcpu;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** What a machine's life costs beside its guest: made and run to its first exit, saved, restored and run to its first exit. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(2)
@Warmup(iterations = 8, time = 2)
@Measurement(iterations = 20, time = 300, timeUnit = TimeUnit.MILLISECONDS)
public class Life {
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final int CODE = 0x1000;

    /** A VM of the typed layer, run to its first exit and closed. */
    @Benchmark
    public long createTyped() {
        try (Kvm kvm = Kvm.open();
                KvmVm vm = kvm.createVm();
                GuestRam ram = vm.mapMemory(0, 0x8000);
                Vcpu vcpu = vm.createVcpu(0)) {
            ram.write(CODE, Code.bytes(0xE6, 0x10, 0xEB, 0xFC));
            Sregs sregs = vcpu.sregs();
            vcpu.setSregs(sregs.cs(sregs.cs().realMode(0)));
            vcpu.setRegs(new Regs().rip(CODE));
            if (vcpu.run() instanceof Exit.IoOut out) {
                return out.value();
            }
            throw new IllegalStateException("an exit of another kind");
        }
    }

    /** A whole machine: described, made, loaded, run until its guest has written to the console, and closed. */
    @Benchmark
    public void createMachine(Kernel kernel) {
        try (VirtualMachine vm = kernel.file.machine().build()) {
            vm.start();
            vm.await(Wait.forConsole("."), PATIENCE);
        }
    }

    /** A paused machine is saved to a file system in memory, and what was saved deleted. */
    @Benchmark
    public void save(Paused paused) {
        Path folder = paused.file.folder().resolve("state");
        paused.vm.save(folder);
        DotKernel.delete(folder);
    }

    /** A saved machine is restored, runs until its guest has written to the console, and is closed. */
    @Benchmark
    public void restore(Saved saved) {
        try (VirtualMachine vm = saved.state.restore()) {
            vm.resume();
            vm.await(Wait.forConsole("."), PATIENCE);
        }
    }

    /** A kernel in a file. */
    @State(Scope.Thread)
    public static class Kernel {
        private final DotKernel file = new DotKernel();

        /** Deletes it. */
        @TearDown
        public void close() {
            file.close();
        }
    }

    /** A machine that has run and is paused. */
    @State(Scope.Thread)
    public static class Paused {
        private final DotKernel file = new DotKernel();
        private final VirtualMachine vm = file.paused();

        /** Gives it back. */
        @TearDown
        public void close() {
            vm.close();
            file.close();
        }
    }

    /** A machine's saved state, opened. */
    @State(Scope.Thread)
    public static class Saved {
        private final DotKernel file = new DotKernel();
        private final SavedState state;

        /** Saves one. */
        public Saved() {
            Path folder = file.folder().resolve("state");
            try (VirtualMachine vm = file.paused()) {
                vm.save(folder);
            }
            state = SavedState.open(folder);
        }

        /** Deletes it. */
        @TearDown
        public void close() {
            file.close();
        }
    }
}
