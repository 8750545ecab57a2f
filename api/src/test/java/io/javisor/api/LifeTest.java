package io.javisor.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.javisor.partition.HypervisorException;
import java.lang.ref.WeakReference;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Isolated;

/** From creation to close, in all orders, with a guest that never ends by itself. */
@Timeout(300)
@Isolated("counts what the whole JVM holds")
class LifeTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @TempDir
    private static Path folder;

    @BeforeAll
    static void writeKernel() {
        SpinKernel.writeTo(folder);
    }

    @BeforeEach
    void needsKvm() {
        TinyKernel.assumeKvm();
    }

    private static VirtualMachine running() {
        VirtualMachine vm = SpinKernel.machine(folder).build();
        vm.start().await(Wait.forConsole("."), PATIENCE);
        return vm;
    }

    private static void liveOnce(int i) {
        try (VirtualMachine vm = SpinKernel.machine(folder).vcpus(1 + i % 2).build()) {
            vm.start();
            if (i % 8 == 0) {
                vm.pause();
            }
        }
    }

    @Test
    void machinesLeaveNothing() throws Exception {
        leaveNothing(100);
    }

    @Test
    @Tag("long")
    void thousandMachinesLeaveNothing() throws Exception {
        leaveNothing(1_000);
    }

    private static void leaveNothing(int machines) throws Exception {
        for (int i = 0; i < 16; i++) {
            liveOnce(i);
        }
        Holdings before = Holdings.atRest();
        for (int i = 0; i < machines; i++) {
            liveOnce(i);
        }
        assertThat(Holdings.settled(before)).isEqualTo(before);
    }

    /** Machines as they can be when somebody closes them. */
    private static Map<String, VirtualMachine> inAllStates() throws Exception {
        var all = new LinkedHashMap<String, VirtualMachine>();
        all.put("created", SpinKernel.machine(folder).build());
        all.put("running", running());
        VirtualMachine paused = running();
        paused.pause();
        all.put("paused", paused);
        VirtualMachine stopped = running();
        stopped.kill();
        all.put("stopped", stopped);
        VirtualMachine waited = running();
        Thread.ofVirtual().start(() -> waited.awaitStop(PATIENCE));
        Thread.ofVirtual().start(() -> {
            try {
                waited.await(Wait.forConsole("never"), PATIENCE);
            } catch (HypervisorException e) {
                // it was closed
            }
        });
        all.put("waited for", waited);
        VirtualMachine debugged = SpinKernel.machine(folder).build();
        int port = debugged.debugger(0).port();
        debugged.startUnderDebugger();
        var gdb = new GdbClient(port);
        assertThat(gdb.ask("?")).startsWith("T05");
        all.put("debugged", debugged);
        return all;
    }

    private static void inThread(Thread.Builder kind, Runnable task) throws InterruptedException {
        Thread thread = kind.start(task);
        assertThat(thread.join(PATIENCE)).isTrue();
    }

    @Test
    void closesFromAnyThreadAndStateAndTwice() throws Exception {
        liveOnce(0);
        Holdings before = Holdings.atRest();
        for (int round = 0; round < 4; round++) {
            for (Map.Entry<String, VirtualMachine> e : inAllStates().entrySet()) {
                VirtualMachine vm = e.getValue();
                long begun = System.nanoTime();
                switch (round) {
                    case 0 -> vm.close();
                    case 1 -> inThread(Thread.ofPlatform(), vm::close);
                    case 2 -> inThread(Thread.ofVirtual(), vm::close);
                    default ->
                        inThread(Thread.ofPlatform(), () -> {
                            Thread.currentThread().interrupt();
                            vm.close();
                            assertThat(Thread.interrupted())
                                    .as("the interrupt is kept")
                                    .isTrue();
                        });
                }
                System.out.printf("%s: closed in %d ms%n", e.getKey(), (System.nanoTime() - begun) / 1_000_000);
                vm.close();
                assertThat(vm.state()).as(e.getKey()).isEqualTo(MachineState.CLOSED);
            }
        }
        assertThat(Holdings.settled(before)).isEqualTo(before);
    }

    @Test
    void closesUnderAllThatCanGoOnMeanwhile() throws Exception {
        liveOnce(0);
        Holdings before = Holdings.atRest();
        for (int i = 0; i < 40; i++) {
            VirtualMachine vm = SpinKernel.machine(folder).build();
            var errors = new LinkedBlockingQueue<Throwable>();
            List<ThrowingCallable> calls = List.of(
                    vm::start,
                    vm::pause,
                    vm::resume,
                    vm::kill,
                    vm::registers,
                    vm::close,
                    vm::close,
                    () -> vm.shutdown(Duration.ofMillis(10)));
            var together = new CountDownLatch(1);
            List<Thread> threads = new ArrayList<>();
            for (ThrowingCallable call : calls) {
                threads.add(Thread.ofPlatform().start(() -> {
                    try {
                        together.await();
                        call.call();
                    } catch (HypervisorException e) {
                        // the wrong state for it, or closed
                    } catch (Throwable t) {
                        errors.add(t);
                    }
                }));
            }
            together.countDown();
            for (Thread thread : threads) {
                assertThat(thread.join(PATIENCE)).isTrue();
            }
            assertThat(errors).isEmpty();
            assertThat(vm.state()).isEqualTo(MachineState.CLOSED);
        }
        assertThat(Holdings.settled(before)).isEqualTo(before);
    }

    @Test
    void closesFromAListenerOfItsOwn() throws Exception {
        VirtualMachine vm = SpinKernel.machine(folder).build();
        var done = new CountDownLatch(1);
        vm.onEvent(event -> {
            if (event instanceof MachineEvent.StateChanged change && change.to() == MachineState.RUNNING) {
                vm.close();
                done.countDown();
            }
        });
        vm.start();
        assertThat(done.await(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
        assertThat(vm.state()).isEqualTo(MachineState.CLOSED);
    }

    @Test
    void useAfterCloseThrows() {
        VirtualMachine vm = running();
        vm.close();
        List<ThrowingCallable> uses = List.of(
                vm::start,
                vm::startUnderDebugger,
                vm::pause,
                vm::resume,
                vm::registers,
                vm::processor,
                vm::numa,
                vm::integration,
                vm::memory,
                () -> vm.debugger(0),
                () -> vm.save(folder.resolve("closed")),
                () -> vm.exec("true"),
                () -> vm.shutdown(PATIENCE),
                () -> vm.connect(1, PATIENCE),
                () -> vm.listen(1),
                () -> vm.await(Wait.forShell(), PATIENCE));
        for (ThrowingCallable use : uses) {
            assertThatThrownBy(use)
                    .isInstanceOfSatisfying(
                            HypervisorException.class, e -> assertThat(e.code()).isNotEqualTo("internal"));
        }
        assertThat(vm.residentBytes()).isZero();
        assertThat(vm.statistics().boots()).isEqualTo(1);
        assertThat(vm.console().text()).isEqualTo(".");
        vm.kill();
    }

    private static WeakReference<VirtualMachine> forget() {
        return new WeakReference<>(running());
    }

    @Test
    void aForgottenMachineIsReclaimedAndTheWarningNamesWhereItWasMade() throws Exception {
        liveOnce(0);
        Holdings before = Holdings.atRest();
        var records = new LinkedBlockingQueue<LogRecord>();
        var handler = new Handler() {
            @Override
            public void publish(LogRecord entry) {
                records.add(entry);
            }

            @Override
            public void flush() {}

            @Override
            public void close() {}
        };
        Logger log = Logger.getLogger(VirtualMachine.class.getName());
        log.addHandler(handler);
        try {
            WeakReference<VirtualMachine> forgotten = forget();
            LogRecord warning = null;
            for (int i = 0; i < 200 && warning == null; i++) {
                System.gc();
                warning = records.poll(100, TimeUnit.MILLISECONDS);
            }
            assertThat(forgotten.get()).isNull();
            assertThat(warning).isNotNull();
            assertThat(Objects.requireNonNull(warning).getMessage()).contains("\"spin\"", "never closed");
            assertThat(warning.getThrown().getStackTrace())
                    .anyMatch(frame -> frame.getClassName().equals(LifeTest.class.getName())
                            && frame.getMethodName().equals("running"));
        } finally {
            log.removeHandler(handler);
        }
        assertThat(Holdings.settled(before)).isEqualTo(before);
    }

    @Test
    void callsFromVirtualThreadsPinNoCarriers() throws Exception {
        Path recorded = folder.resolve("pinned.jfr");
        try (Recording recording = new Recording()) {
            recording
                    .enable("jdk.VirtualThreadPinned")
                    .withThreshold(Duration.ofMillis(20))
                    .withStackTrace();
            recording.start();
            List<Thread> threads = new ArrayList<>();
            var errors = new LinkedBlockingQueue<Throwable>();
            for (int i = 0; i < 8; i++) {
                threads.add(Thread.ofVirtual().start(() -> {
                    try (VirtualMachine vm = running()) {
                        assertThatThrownBy(() -> vm.awaitStop(Duration.ofMillis(100)))
                                .isInstanceOf(HypervisorException.class);
                        assertThatThrownBy(() -> vm.await(Wait.forShell(), Duration.ofMillis(100)))
                                .isInstanceOf(HypervisorException.class);
                        vm.pause();
                        vm.resume();
                        vm.kill();
                    } catch (Throwable t) {
                        errors.add(t);
                    }
                }));
            }
            for (Thread thread : threads) {
                assertThat(thread.join(PATIENCE)).isTrue();
            }
            assertThat(errors).isEmpty();
            recording.stop();
            recording.dump(recorded);
        }
        List<RecordedEvent> pinned = RecordingFile.readAllEvents(recorded);
        assertThat(pinned.stream()
                        .filter(e -> e.getEventType().getName().startsWith("jdk.")) // the machines' own are there too
                        .map(RecordedEvent::toString)
                        .toList())
                .isEmpty();
    }
}
