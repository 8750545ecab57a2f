package io.javisor.api;

import io.javisor.partition.HypervisorException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.concurrent.locks.LockSupport;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;

/**
 * A program for another JVM, under whose machines system calls fail: {@code Soak FOLDER MACHINES SEED}. On {@code go NANOS} four
 * threads make, start, talk to, pause, resume, kill, interrupt and close machines, at random from the seed, and it says
 * what came of it; on {@code check} it closes all, and says what this process holds, and whether machines live well again.
 */
final class Soak {
    private static final int THREADS = 4;
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private final Path kernels;
    private final AtomicReferenceArray<VirtualMachine> machines;
    private final Map<String, Integer> ends = new TreeMap<>(); // guarded by itself
    // There from the start, since no thread may be had later.
    private final ExecutorService workers = Executors.newFixedThreadPool(
            THREADS, Thread.ofPlatform().daemon().name("soak-", 0).factory());

    private Soak(Path kernels, int count) {
        this.kernels = kernels;
        machines = new AtomicReferenceArray<>(count);
    }

    public static void main(String[] arguments) throws Exception {
        Path kernels = Path.of(arguments[0]);
        long seed = Long.parseLong(arguments[2]);
        var soak = new Soak(kernels, Integer.parseInt(arguments[1]));
        // Twice, so that what is made once for all machines is there before anything is compared.
        soak.go(seed, 2_000_000_000L);
        soak.closeAll();
        soak.go(seed + 1, 2_000_000_000L);
        soak.closeAll();
        soak.ends.clear();
        Holdings before = Holdings.atRest();
        long heap = heap();
        System.out.println("ready");
        var in = FreshJvm.orders();
        for (String order; (order = in.readLine()) != null; ) {
            if (order.startsWith("go ")) {
                soak.go(++seed, Long.parseLong(order.substring(3)));
                synchronized (soak.ends) {
                    System.out.println("did " + soak.ends);
                    soak.ends.clear();
                }
            } else if (order.equals("check")) {
                soak.closeAll();
                soak.checkLife();
                Holdings now = Holdings.settled(before);
                long more = heap() - heap;
                boolean clean = now.equals(before) && more < 8 << 20;
                System.out.println(
                        clean
                                ? "clean, heap " + more / 1024 + " KiB more"
                                : before + " then " + now + ", heap " + more);
            } else {
                return;
            }
        }
    }

    private static long heap() {
        for (int i = 0; i < 3; i++) {
            System.gc();
            LockSupport.parkNanos(50_000_000); // for what cleaners do
        }
        Runtime here = Runtime.getRuntime();
        return here.totalMemory() - here.freeMemory();
    }

    private void go(long seed, long nanos) throws Exception {
        long end = System.nanoTime() + nanos;
        List<Future<?>> all = new ArrayList<>();
        for (int i = 0; i < THREADS; i++) {
            RandomGenerator random =
                    RandomGeneratorFactory.of("L64X128MixRandom").create(seed * THREADS + i);
            all.add(workers.submit(() -> {
                while (!over(end)) {
                    step(random);
                }
            }));
        }
        for (Future<?> one : all) {
            while (true) {
                try {
                    one.get(100, TimeUnit.MILLISECONDS);
                    break;
                } catch (TimeoutException e) {
                    // Who types waits while the guest is paused, and there may be nobody else any more to let it go on.
                    if (over(end)) {
                        letAllGoOn();
                    }
                }
            }
        }
    }

    private static boolean over(long end) {
        return System.nanoTime() - end >= 0;
    }

    private void letAllGoOn() {
        for (int i = 0; i < machines.length(); i++) {
            VirtualMachine vm = machines.get(i);
            if (vm != null && vm.state() == MachineState.PAUSED) {
                doing("resume", () -> {
                    try {
                        vm.resume();
                    } catch (HypervisorException e) {
                        vm.kill(); // where every few calls fail, no resume may ever succeed
                        throw e;
                    }
                });
            }
        }
    }

    /** One thing with one machine; other threads may do another with the same one. */
    private void step(RandomGenerator random) {
        int at = random.nextInt(machines.length());
        VirtualMachine vm = machines.get(at);
        if (vm == null) {
            doing("create", () -> create(at, random));
            return;
        }
        switch (random.nextInt(8)) {
            case 0 -> doing("close", () -> close(at, vm));
            case 1 -> doing("pause", vm::pause);
            case 2 -> doing("resume", vm::resume);
            case 3 -> doing("kill", vm::kill);
            case 4 -> doing("start", vm::start);
            case 5 -> doing("interrupt", () -> type(vm));
            case 6 ->
                doing("look", () -> {
                    vm.statistics();
                    vm.residentBytes();
                    vm.registers();
                });
            default ->
                doing("interrupted", () -> {
                    Thread.currentThread().interrupt();
                    try {
                        vm.pause();
                        vm.resume();
                    } finally {
                        boolean _ = Thread.interrupted();
                    }
                });
        }
    }

    private void create(int at, RandomGenerator random) {
        VirtualMachine made =
                EchoKernel.machine(kernels).vcpus(1 + random.nextInt(2)).build();
        try {
            made.start();
        } catch (HypervisorException e) {
            made.close();
            throw e;
        }
        if (!machines.compareAndSet(at, null, made)) {
            made.close();
        }
    }

    private void close(int at, VirtualMachine vm) {
        machines.compareAndSet(at, vm, null);
        vm.close();
    }

    /** The guest is woken, and answers if it runs. */
    private static void type(VirtualMachine vm) {
        try {
            vm.console().type("x");
        } catch (java.io.IOException e) {
            // Its serial port takes no more: it does not run.
        }
    }

    private void doing(String what, Runnable work) {
        String how;
        try {
            work.run();
            how = what;
        } catch (HypervisorException e) {
            how = what + " " + e.code();
        } catch (Throwable t) {
            t.printStackTrace(System.out);
            how = what + " untyped " + t;
        }
        synchronized (ends) {
            ends.merge(how, 1, Integer::sum);
        }
    }

    private void closeAll() {
        for (int i = 0; i < machines.length(); i++) {
            VirtualMachine vm = machines.getAndSet(i, null);
            if (vm != null) {
                vm.close();
            }
        }
    }

    /** A machine lives from start to close without a fault. */
    private void checkLife() {
        try (VirtualMachine vm = EchoKernel.machine(kernels).build()) {
            vm.start().await(Wait.forConsole("."), PATIENCE);
            EchoKernel.awaitAnswer(vm, PATIENCE);
            vm.pause();
            vm.resume();
            EchoKernel.awaitAnswer(vm, PATIENCE);
        }
    }
}
