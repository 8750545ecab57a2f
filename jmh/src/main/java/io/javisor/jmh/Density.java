package io.javisor.jmh;

import io.javisor.api.MachineTemplate;
import io.javisor.api.MemorySize;
import io.javisor.api.VirtualMachine;
import io.javisor.api.Wait;
import io.javisor.linux.OpenFileLimit;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * Many machines at once in this JVM, beside the same in C, in turns: each of 16 MiB, with a guest that sleeps until a byte comes
 * to its serial port, and sends it back. {@code Density ROUNDS MACHINESxVCPUS...}; without arguments three rounds of what Hyper-V's
 * headline was, 1,024 machines with 2 vCPUs each, and of more machines with one. {@code MACHINESxVCPUS-in-turn} closes each before the
 * next is made.
 */
public final class Density {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final int WARM_UP = 300;
    private static final int WAKES = 20;
    private static final int DESCRIPTORS = 3; // a machine, besides those of its vCPUs
    private static final int OTHER_DESCRIPTORS = 1000;
    private static final String IN_TURN = "-in-turn";
    private static final int KIB = 1024;

    private final Path kernel;

    private Density(Path kernel) {
        this.kernel = kernel;
    }

    /** Runs it. */
    public static void main(String[] arguments) throws IOException {
        int rounds = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 3;
        List<String> sizes = arguments.length > 1
                ? List.of(arguments).subList(1, arguments.length)
                : List.of("1024x2", "4096x1", "8000x1-in-turn");
        Path program = Path.of(System.getProperty(PeerProfiler.PROGRAM));
        Path guest = program.resolveSibling("sleeper.bin");
        Path kernel = Files.createTempFile("javisor-jmh-", ".elf");
        sizes.stream()
                .filter(size -> !size.endsWith(IN_TURN))
                .mapToLong(size -> (long) machinesOf(size) * (DESCRIPTORS + vcpusOf(size)))
                .max()
                .ifPresent(Density::makeRoom);
        Process peer = new ProcessBuilder(program.toString(), "Density")
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        var table = new DensityTable();
        String host = HostDescription.text();
        try (Writer to = peer.outputWriter(StandardCharsets.US_ASCII);
                BufferedReader from = peer.inputReader(StandardCharsets.US_ASCII)) {
            Files.write(kernel, SleeperElf.of(Files.readAllBytes(guest)));
            var density = new Density(kernel);
            MachineTemplate first = density.template(1);
            for (int i = 0; i < WARM_UP; i++) {
                machine(first, i).close();
            }
            for (String size : sizes) {
                boolean inTurn = size.endsWith(IN_TURN);
                int machines = machinesOf(size);
                int vcpus = vcpusOf(size);
                List<DensityCost> ours = new ArrayList<>();
                List<DensityCost> theirs = new ArrayList<>();
                for (int round = 0; round < rounds; round++) {
                    ours.add(inTurn ? density.measureInTurn(machines, vcpus) : density.measure(machines, vcpus));
                    to.write(machines + " " + vcpus + " " + (inTurn ? 0 : WAKES) + " " + guest + "\n");
                    to.flush();
                    theirs.add(read(from));
                }
                table.add(size, !inTurn, ours, theirs);
            }
        } finally {
            Files.delete(kernel);
            peer.destroy();
        }
        System.out.println(table);
        String document = System.getProperty("javisor.jmh.document", "");
        if (!document.isEmpty()) {
            Report.replace(Path.of(document), "density", host + "; " + rounds + " rounds.\n\n" + table);
        }
    }

    private static int machinesOf(String size) {
        return Integer.parseInt(size.substring(0, size.indexOf('x')));
    }

    private static int vcpusOf(String size) {
        return Integer.parseInt(size.replaceAll("^[0-9]+x|" + IN_TURN + "$", ""));
    }

    /** For the peer too, which has the same limit as whoever starts it. */
    private static void makeRoom(long descriptors) {
        long needed = descriptors + OTHER_DESCRIPTORS;
        OpenFileLimit limit = OpenFileLimit.get();
        if (limit.soft() < needed) {
            new OpenFileLimit(needed, Math.max(needed, limit.hard())).set();
        }
    }

    private static DensityCost read(BufferedReader from) throws IOException {
        String line = from.readLine();
        if (line == null) {
            throw new IOException("the peer has ended");
        }
        String[] n = line.split(" ", -1);
        return new DensityCost(
                Double.parseDouble(n[0]),
                Double.parseDouble(n[1]),
                0,
                Double.parseDouble(n[2]),
                Double.parseDouble(n[3]),
                Double.parseDouble(n[4]));
    }

    private MachineTemplate template(int vcpus) {
        return VirtualMachine.template(VirtualMachine.builder("dense")
                .vcpus(vcpus)
                .memory(MemorySize.mib(16))
                .linux(l -> l.kernel(kernel))
                .spec());
    }

    private static VirtualMachine machine(MachineTemplate template, int number) {
        VirtualMachine vm = template.create("dense-" + number);
        vm.start().await(Wait.forConsole("."), PATIENCE);
        return vm;
    }

    private DensityCost measure(int machines, int vcpus) throws IOException {
        System.gc();
        long resident = residentKib();
        long heap = heap();
        List<VirtualMachine> all = new ArrayList<>(machines);
        try {
            long from = System.nanoTime();
            MachineTemplate template = template(vcpus);
            for (int i = 0; i < machines; i++) {
                all.add(machine(template, i));
            }
            double start = (double) (System.nanoTime() - from) / machines;
            System.gc();
            double objects = (double) (heap() - heap) / KIB / machines;
            double memory = (double) (residentKib() - resident) / machines;
            double two = wake(all.subList(0, Math.min(2, machines)), WAKES * machines / 2);
            double many = wake(all, WAKES);
            from = System.nanoTime();
            while (!all.isEmpty()) {
                all.removeLast().close();
            }
            return new DensityCost(start, memory, objects, two, many, (double) (System.nanoTime() - from) / machines);
        } finally {
            all.forEach(VirtualMachine::close);
        }
    }

    private DensityCost measureInTurn(int machines, int vcpus) {
        System.gc();
        long resident = residentKib();
        long heap = heap();
        long started = 0;
        long closed = 0;
        MachineTemplate template = template(vcpus);
        for (int i = 0; i < machines; i++) {
            long from = System.nanoTime();
            VirtualMachine vm = machine(template, i);
            long up = System.nanoTime();
            vm.close();
            closed += System.nanoTime() - up;
            started += up - from;
        }
        System.gc();
        return new DensityCost(
                (double) started / machines,
                (double) (residentKib() - resident) / machines,
                (double) (heap() - heap) / KIB / machines,
                0,
                0,
                (double) closed / machines);
    }

    /** Each of them is woken, then all are waited for. */
    @SuppressWarnings("ThreadPriorityCheck") // as the peer does
    private static double wake(List<VirtualMachine> all, int rounds) throws IOException {
        long[] wanted = new long[all.size()];
        long from = System.nanoTime();
        for (int round = 0; round < rounds; round++) {
            for (int i = 0; i < wanted.length; i++) {
                wanted[i] = all.get(i).console().written() + 1;
                all.get(i).console().type("x");
            }
            for (int i = 0; i < wanted.length; i++) {
                while (all.get(i).console().written() < wanted[i]) {
                    Thread.yield();
                }
            }
        }
        return (double) (System.nanoTime() - from) / rounds / wanted.length;
    }

    private static long heap() {
        Runtime here = Runtime.getRuntime();
        return here.totalMemory() - here.freeMemory();
    }

    private static long residentKib() {
        try {
            return Files.readAllLines(Path.of("/proc/self/status")).stream()
                    .filter(l -> l.startsWith("VmRSS:"))
                    .mapToLong(l -> Long.parseLong(l.replaceAll("\\D", "")))
                    .findFirst()
                    .orElseThrow();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
