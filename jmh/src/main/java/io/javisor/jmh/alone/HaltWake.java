package io.javisor.jmh.alone;

import io.javisor.api.MemorySize;
import io.javisor.api.VirtualMachine;
import io.javisor.api.Wait;
import io.javisor.jmh.PeerProfiler;
import io.javisor.jmh.SleeperElf;
import java.io.IOException;
import java.nio.file.Files;
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
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** A machine whose guest sleeps (HLT) until a byte comes to its serial port, wakes, and sends it back: there and back. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@State(Scope.Thread)
@Fork(1)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 10, time = 1)
public class HaltWake {
    private Path kernel = Path.of("");

    @SuppressWarnings("NullAway.Init") // before the first of its benchmarks
    private VirtualMachine vm;

    /** Starts it. */
    @Setup
    public void start() throws IOException {
        Path guest = Path.of(System.getProperty(PeerProfiler.PROGRAM)).resolveSibling("sleeper.bin");
        kernel = Files.createTempFile("javisor-jmh-", ".elf");
        Files.write(kernel, SleeperElf.of(Files.readAllBytes(guest)));
        vm = VirtualMachine.builder("wake")
                .memory(MemorySize.mib(16))
                .linux(l -> l.kernel(kernel))
                .build();
        vm.start().await(Wait.forConsole("."), Duration.ofSeconds(60));
    }

    /** There and back. */
    @Benchmark
    @SuppressWarnings("ThreadPriorityCheck") // the vCPU may need this processor
    public void thereAndBack() throws IOException {
        long wanted = vm.console().written() + 1;
        vm.console().type("x");
        while (vm.console().written() < wanted) {
            Thread.yield();
        }
    }

    /** Closes it. */
    @TearDown
    public void close() throws IOException {
        vm.close();
        Files.delete(kernel);
    }
}
