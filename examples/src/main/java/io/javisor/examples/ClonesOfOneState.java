package io.javisor.examples;

import io.javisor.api.MemorySize;
import io.javisor.api.SavedState;
import io.javisor.api.VirtualMachine;
import io.javisor.api.Wait;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * Boots a guest once, saves it, and lets clones go on from there: each answers within the time of a restore, and holds only the
 * memory that it has changed.
 *
 * <pre>
 * java --enable-native-access=io.javisor.linux -p ... -m io.javisor.examples/io.javisor.examples.ClonesOfOneState [HOW-MANY]
 * </pre>
 */
public final class ClonesOfOneState {
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    private ClonesOfOneState() {}

    /** Takes the number of clones; four if it is not given. */
    public static void main(String[] arguments) throws IOException {
        int count = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 4;
        Path folder = Files.createTempDirectory("clones");
        try {
            SavedState warm = warmed(folder.resolve("warm"));
            System.out.printf(
                    "saved \"%s\" with %s of memory%n", warm.spec().name(), MemorySize.format(warm.filledBytes()));
            run(warm, count);
        } finally {
            remove(folder);
        }
    }

    /** A guest that has booted and prepared what all clones need. */
    private static SavedState warmed(Path folder) {
        try (VirtualMachine vm = VirtualMachine.builder("warm")
                .memory(MemorySize.mib(256))
                .linux(l -> l.debian("6.12-cloud"))
                .build()) {
            vm.start().await(Wait.forShell(), PATIENCE);
            vm.exec("sh", "-c", "echo prepared >/tmp/state");
            vm.save(folder);
        }
        return SavedState.open(folder);
    }

    private static void run(SavedState warm, int count) {
        List<VirtualMachine> clones = new ArrayList<>();
        try {
            for (int i = 0; i < count; i++) {
                long begun = System.nanoTime();
                VirtualMachine clone = warm.restoreAs("clone-" + i);
                clones.add(clone);
                clone.resume();
                String answer = clone.exec("sh", "-c", "cat /tmp/state /proc/sys/kernel/random/uuid")
                        .stdoutText()
                        .replace('\n', ' ');
                System.out.printf(
                        "%s says \"%s\" after %d ms, and holds %s of its own%n",
                        clone.spec().name(),
                        answer.strip(),
                        (System.nanoTime() - begun) / 1_000_000,
                        MemorySize.format(clone.residentBytes()));
            }
        } finally {
            clones.forEach(VirtualMachine::close);
        }
    }

    private static void remove(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            files.sorted(Comparator.reverseOrder()).forEach(file -> {
                try {
                    Files.delete(file);
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
        }
    }
}
