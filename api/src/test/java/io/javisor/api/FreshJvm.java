package io.javisor.api;

import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Another JVM, for tests: main programs of this class. */
final class FreshJvm {
    private FreshJvm() {}

    /** Starts a main class with this JVM's class path; errors are in its output. */
    static Process start(Class<?> main, String... arguments) throws IOException {
        List<String> words = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                main.getName()));
        words.addAll(List.of(arguments));
        return new ProcessBuilder(words).redirectErrorStream(true).start();
    }

    static String outputOf(Process process, Duration limit) throws Exception {
        String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
            process.destroyForcibly();
            throw new AssertionError("did not end: " + text);
        }
        return text;
    }

    /** What is written to this JVM. Not by System.in, which asks with an ioctl how much there is, and fails if that does. */
    static BufferedReader orders() {
        return new BufferedReader(
                new InputStreamReader(new FileInputStream(FileDescriptor.in), StandardCharsets.UTF_8));
    }

    /** Restores the folder, lets it run to its end, and prints its console and how it ended. */
    static final class Restore {
        public static void main(String[] arguments) {
            try (VirtualMachine vm = VirtualMachine.restore(Path.of(arguments[0]))) {
                System.out.println(vm.state());
                vm.resume();
                System.out.println(vm.awaitStop(Duration.ofSeconds(60)));
                System.out.println(vm.console().text());
            }
        }
    }

    /** Runs the kernel in the first folder and saves it to the second, again and again until it is killed. */
    static final class SaveForEver {
        public static void main(String[] arguments) {
            try (VirtualMachine vm = TinyKernel.machine(Path.of(arguments[0])).build()) {
                vm.start();
                System.out.println("running");
                for (int i = 0; ; i++) {
                    vm.save(Path.of(arguments[1], "state-" + i));
                }
            }
        }
    }
}
