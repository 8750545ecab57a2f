package io.javisor.lab;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Runs one command in a lab of its own, as if it ran here: {@code lab/run [OPTION...] COMMAND...}. It gets this process's
 * folder, environment and standard streams, and gives its exit code.
 */
public final class Run {
    /** The exit code for a lab that cannot be had: EX_UNAVAILABLE of sysexits.h. */
    private static final int UNAVAILABLE = 69;
    /** The exit code for a bad command line: EX_USAGE of sysexits.h. */
    private static final int USAGE = 64;

    private static final String HELP = """
            Usage: lab/run [OPTION...] [--] COMMAND [ARGUMENT...]
            Runs a command in the lab: a nested machine with its own kernel and a full /dev/kvm. It sees this machine's
            files; what it writes is gone with the lab, except in folders named with --writable.
              --memory SIZE     of each node: 512M, 6G (3G)
              --nodes N         NUMA nodes (2)
              --vcpus N         virtual processors (2)
              --kernel VERSION  6.1 or 6.12 (6.1)
              --fabric NAMES    a Fibre Channel SAN inside: an adapter with NPIV, and a unit of 64 MiB that it and
                                ports of these names (WWPN,WWPN; may be empty) see
              --writable DIR    writes there reach this machine's disk; may be repeated
              --append WORD     for the lab kernel's command line; may be repeated
              --qemu WORD       for QEMU's command line; may be repeated
              --console FILE    keeps the lab kernel's console
            """;

    private Run() {}

    /** Runs the command named by the arguments and exits with its code. */
    @SuppressWarnings("SystemOut") // A program's job.
    public static void main(String[] arguments) throws IOException, InterruptedException {
        Deque<String> words = new ArrayDeque<>(Arrays.asList(arguments));
        LabSpec spec;
        var fabric = new ArrayList<String>();
        try {
            spec = options(words, fabric);
        } catch (IllegalArgumentException e) {
            System.err.println("lab/run: " + e.getMessage());
            System.err.print(HELP);
            System.exit(USAGE);
            return;
        }
        if (spec == null) {
            System.out.print(HELP);
            return;
        }
        int code;
        try {
            code = run(spec, fabric, List.copyOf(words));
        } catch (LabException e) {
            System.err.println("lab/run: " + e.getMessage());
            code = UNAVAILABLE;
        }
        System.exit(code);
    }

    /** Takes the options off the words; null if help was asked for. */
    static @Nullable LabSpec options(Deque<String> words) {
        return options(words, new ArrayList<>());
    }

    private static @Nullable LabSpec options(Deque<String> words, List<String> fabric) {
        LabSpec.Builder spec = LabSpec.builder();
        while (!words.isEmpty() && words.peekFirst().startsWith("-")) {
            String option = words.removeFirst();
            if (option.equals("--")) {
                break;
            }
            if (option.equals("--help") || option.equals("-h")) {
                return null;
            }
            String value = words.pollFirst();
            if (value == null) {
                throw new IllegalArgumentException(option + " needs a value");
            }
            switch (option) {
                case "--memory" -> spec.memoryPerNode(LabSpec.size(value));
                case "--nodes" -> spec.nodes(Integer.parseInt(value));
                case "--vcpus" -> spec.vcpus(Integer.parseInt(value));
                case "--kernel" -> spec.kernel(HostKernel.of(value));
                case "--fabric" -> fabric.add(value);
                case "--writable" -> spec.writable(Path.of(value));
                case "--append" -> spec.kernelArgument(value);
                case "--qemu" -> spec.qemu(value);
                case "--console" -> spec.console(Path.of(value));
                default -> throw new IllegalArgumentException("unknown option " + option);
            }
        }
        if (words.isEmpty()) {
            throw new IllegalArgumentException("no command");
        }
        return spec.build();
    }

    private static int run(LabSpec spec, List<String> fabric, List<String> words)
            throws IOException, InterruptedException {
        try (Lab lab = Lab.start(spec)) {
            // ^C ends this JVM; the lab goes with it, but its folder only if it is closed before.
            Runtime.getRuntime().addShutdownHook(new Thread(lab::close, "lab-close"));
            if (!fabric.isEmpty()) {
                startFabric(lab, fabric);
            }
            Map<String, String> environment = new HashMap<>(System.getenv());
            LabCommand command = new LabCommand(words, Path.of("").toAbsolutePath(), environment);
            LabProcess process = lab.start(command);
            Thread input = new Thread(() -> copy(System.in, process.getOutputStream(), true), "lab-stdin");
            input.setDaemon(true);
            input.start();
            Thread error = Thread.ofVirtual().start(() -> copy(process.getErrorStream(), System.err, false));
            copy(process.getInputStream(), System.out, false);
            error.join();
            return process.waitFor();
        }
    }

    /** Beside the command, by the JVM and the class path of this one; it ends with the lab. */
    private static void startFabric(Lab lab, List<String> names) throws IOException {
        var command = new ArrayList<String>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                LabFabric.class.getName()));
        for (String some : names) {
            for (String name : some.split(",", -1)) {
                if (!name.isEmpty()) {
                    command.add(name);
                }
            }
        }
        LabProcess process = lab.start(LabCommand.of(command.toArray(String[]::new)));
        Thread.ofVirtual().start(() -> copy(process.getErrorStream(), System.err, false));
        var said = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
        if (!"ready".equals(said.readLine())) {
            throw new LabException("lab-unavailable", "the lab has no Fibre Channel fabric", null, null);
        }
    }

    private static void copy(InputStream from, OutputStream to, boolean close) {
        try {
            byte[] bytes = new byte[16384];
            for (int n; (n = from.read(bytes)) >= 0; ) {
                to.write(bytes, 0, n);
                to.flush();
            }
        } catch (IOException e) {
            // The command or our caller has closed its end; the exit code tells the rest.
        } finally {
            try {
                if (close) {
                    to.close();
                }
            } catch (IOException e) {
                // As above.
            }
        }
    }
}
