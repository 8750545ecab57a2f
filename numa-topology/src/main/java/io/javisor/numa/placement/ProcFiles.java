package io.javisor.numa.placement;

import io.javisor.partition.HypervisorException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** What {@code /proc/self} says of this process's memory and threads. */
final class ProcFiles {
    /** Field 39 of {@code stat}: the CPU that a thread last ran on (proc(5)). */
    private static final int PROCESSOR = 39;

    private final Path self;

    ProcFiles(Path root) {
        this.self = root.resolve("proc/self");
    }

    NumaMaps numaMaps() {
        Path file = self.resolve("numa_maps");
        try {
            return NumaMaps.parse(Files.readString(file, StandardCharsets.ISO_8859_1));
        } catch (NoSuchFileException e) {
            throw new HypervisorException(
                    "numa-placement",
                    file + " is missing: this kernel is built without NUMA",
                    "read",
                    0,
                    "use a kernel with CONFIG_NUMA to see where pages lie",
                    e);
        } catch (IOException e) {
            throw new HypervisorException(
                    "numa-placement", "can't read " + file + ": " + e.getMessage(), "read", 0, null, e);
        }
    }

    /** The CPU that the thread last ran on, or −1 if it has ended. */
    int lastCpu(int thread) {
        try {
            return processor(Files.readString(self.resolve("task/" + thread + "/stat"), StandardCharsets.ISO_8859_1));
        } catch (IOException e) {
            // A thread that ends while it is being looked at: ENOENT, or ESRCH in the middle of the read.
            return -1;
        }
    }

    /** Field 39, or −1 if the text has none. The name in field 2 may hold spaces and parentheses, so count from its end. */
    static int processor(String stat) {
        String[] fields = stat.substring(stat.lastIndexOf(')') + 1).strip().split(" +", -1);
        int index = PROCESSOR - 3;
        return fields.length > index && fields[index].matches("[0-9]{1,6}") ? Integer.parseInt(fields[index]) : -1;
    }
}
