package io.javisor.api;

import io.javisor.kvm.Kvm;
import io.javisor.linux.HostFile;
import io.javisor.linux.Mapping;
import io.javisor.linux.MappingGroup;
import io.javisor.linux.OpenFileLimit;
import io.javisor.linux.PageSize;
import io.javisor.partition.HypervisorException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** A program for another JVM: starts machines until a limit that it sets itself stops it, says how, and goes on below the limit. */
final class LimitedMachines {
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final int FIRST = 3;
    private static final int MOST = 400;

    /** What there shall be little of. */
    enum Limit {
        DESCRIPTORS,
        ADDRESS_SPACE,
        MAPPINGS
    }

    private LimitedMachines() {}

    public static void main(String[] arguments) throws Exception {
        Path kernels = Path.of(arguments[0]);
        Limit limit = Limit.valueOf(arguments[1]);
        List<VirtualMachine> all = new ArrayList<>();
        // From folders the JVM can load no class without a descriptor: what it needs to fail and to close, it must have
        // before.
        System.out.println(failure(() -> Kvm.open(Path.of("/no/kvm")).close()));
        for (Limit each : Limit.values()) {
            started(kernels, each).close();
            System.out.println(failure(() -> {
                try (VirtualMachine vm =
                        EchoKernel.machine(kernels).vcpus(1 << 11).build()) {
                    vm.start();
                }
            }));
        }
        try (var fill = new MappingGroup()) {
            for (int i = 0; i < FIRST; i++) {
                all.add(started(kernels, limit));
            }
            answer(all);
            set(limit, fill);
            String how = "none";
            while (all.size() < MOST && how.equals("none")) {
                how = failure(() -> all.add(started(kernels, limit)));
            }
            System.out.println(all.size() + " machines, then " + how);
            answer(all);
            // Two, since what is asked for before a start is more than most machines need.
            all.removeLast().close();
            all.removeLast().close();
            all.add(started(kernels, limit));
            answer(all);
            System.out.println("all answer, and another one started");
        } finally {
            all.forEach(VirtualMachine::close);
        }
    }

    private static VirtualMachine started(Path kernels, Limit limit) {
        MachineBuilder builder = EchoKernel.machine(kernels);
        if (limit == Limit.ADDRESS_SPACE) {
            builder.memory(MemorySize.gib(1));
        }
        VirtualMachine vm = builder.build();
        try {
            return vm.start().await(Wait.forConsole("."), PATIENCE);
        } catch (RuntimeException | Error e) {
            vm.close();
            throw e;
        }
    }

    private static void answer(List<VirtualMachine> all) {
        all.forEach(vm -> EchoKernel.awaitAnswer(vm, PATIENCE));
    }

    private static String failure(Runnable work) {
        try {
            work.run();
            return "none";
        } catch (HypervisorException e) {
            return e.code() + ": " + e.getMessage();
        } catch (Throwable e) {
            return "untyped " + e;
        }
    }

    private static void set(Limit limit, MappingGroup fill) throws Exception {
        switch (limit) {
            case DESCRIPTORS -> {
                long open;
                try (Stream<Path> here = Files.list(Path.of("/proc/self/fd"))) {
                    open = here.count();
                }
                new OpenFileLimit(open + 23, open + 23).set();
            }
            case ADDRESS_SPACE -> {
                long used = Files.readAllLines(Path.of("/proc/self/status")).stream()
                        .filter(l -> l.startsWith("VmSize:"))
                        .mapToLong(l -> Long.parseLong(l.replaceAll("\\D", "")) << 10)
                        .findFirst()
                        .orElseThrow();
                // Room for three of a gibibyte each, and almost for a fourth, so that the JVM has enough.
                long most = used + MemorySize.gib(4) - MemorySize.mib(200);
                var prlimit = new ProcessBuilder(
                        "prlimit",
                        "--pid",
                        String.valueOf(ProcessHandle.current().pid()),
                        "--as=" + most);
                if (prlimit.inheritIO().start().waitFor() != 0) {
                    throw new IllegalStateException("prlimit failed");
                }
            }
            case MAPPINGS -> {
                long most = Long.parseLong(Files.readAllLines(Path.of("/proc/sys/vm/max_map_count"))
                        .getFirst());
                try (HostFile page = HostFile.memory("fill", PageSize.KIB_4)) {
                    page.truncate(4096);
                    long used;
                    try (Stream<String> here = Files.lines(Path.of("/proc/self/maps"))) {
                        used = here.count();
                    }
                    // The same page again and again, which the kernel can't join.
                    for (long i = used; i < most - 500; i++) {
                        fill.map(page.descriptor(), 0, 4096, Mapping.Access.SHARED);
                    }
                    try (Stream<String> here = Files.lines(Path.of("/proc/self/maps"))) {
                        System.out.println(used + " then " + here.count() + " mappings of " + most);
                    }
                }
            }
        }
    }
}
