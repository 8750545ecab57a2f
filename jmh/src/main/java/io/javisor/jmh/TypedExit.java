package io.javisor.jmh;

import io.javisor.kvm.Exit;
import io.javisor.kvm.GuestRam;
import io.javisor.kvm.Kvm;
import io.javisor.kvm.KvmVm;
import io.javisor.kvm.Regs;
import io.javisor.kvm.Sregs;
import io.javisor.kvm.Vcpu;
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

/** From the guest to {@link Vcpu#run()}'s caller and back, with the typed layer alone: a loop of two instructions in real mode. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(2) // since each JVM compiles a little differently
@Warmup(iterations = 10, time = 200, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 120, time = 25, timeUnit = TimeUnit.MILLISECONDS) // short: a pair shares the machine's mood
public class TypedExit {
    private static final int CODE = 0x1000;
    private static final int MEMORY = 0x8000;

    private static long serve(Guest guest) {
        Vcpu vcpu = guest.vcpu;
        switch (vcpu.run()) {
            case Exit.IoOut out -> {
                return out.value();
            }
            case Exit.IoIn in -> {
                in.set(0x5A);
                return 0;
            }
            case Exit.MmioWrite write -> {
                return write.value();
            }
            case Exit.MmioRead read -> {
                read.set(0x5A);
                return 0;
            }
            case Exit exit -> throw vcpu.dump().error(exit);
        }
    }

    /** The guest writes a port. */
    @Benchmark
    public long portWrite(PortWrite guest) {
        return serve(guest);
    }

    /** The guest reads a port. */
    @Benchmark
    public long portRead(PortRead guest) {
        return serve(guest);
    }

    /** The guest writes where it has no memory. */
    @Benchmark
    public long mmioWrite(MmioWrite guest) {
        return serve(guest);
    }

    /** The guest reads where it has no memory. */
    @Benchmark
    public long mmioRead(MmioRead guest) {
        return serve(guest);
    }

    /** {@code again: out 0x10, al; jmp again}. */
    @State(Scope.Thread)
    public static class PortWrite extends Guest {
        /** Makes it. */
        public PortWrite() {
            super(0xE6, 0x10, 0xEB, 0xFC);
        }
    }

    /** {@code again: in al, 0x10; jmp again}. */
    @State(Scope.Thread)
    public static class PortRead extends Guest {
        /** Makes it. */
        public PortRead() {
            super(0xE4, 0x10, 0xEB, 0xFC);
        }
    }

    /** {@code again: mov [0x8000], al; jmp again}. */
    @State(Scope.Thread)
    public static class MmioWrite extends Guest {
        /** Makes it. */
        public MmioWrite() {
            super(0xA2, 0x00, 0x80, 0xEB, 0xFB);
        }
    }

    /** {@code again: mov al, [0x8000]; jmp again}. */
    @State(Scope.Thread)
    public static class MmioRead extends Guest {
        /** Makes it. */
        public MmioRead() {
            super(0xA0, 0x00, 0x80, 0xEB, 0xFB);
        }
    }

    /** A VM with 32 KiB of memory and a vCPU. */
    @State(Scope.Thread)
    public static class Guest {
        private final Kvm kvm = Kvm.open();
        private final KvmVm vm = kvm.createVm();
        private final GuestRam ram = vm.mapMemory(0, MEMORY);
        private final Vcpu vcpu = vm.createVcpu(0);

        /** One with code at 0x1000. */
        Guest(int... code) {
            ram.write(CODE, Code.bytes(code));
            Sregs sregs = vcpu.sregs();
            vcpu.setSregs(sregs.cs(sregs.cs().realMode(0)));
            vcpu.setRegs(new Regs().rip(CODE));
        }

        /** Gives it back. */
        @TearDown
        public void close() {
            vcpu.close();
            ram.close();
            vm.close();
            kvm.close();
        }
    }
}
