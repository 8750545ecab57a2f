package io.javisor.api;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a Linux guest boots: kernel, initial RAM disk, command line.
 *
 * @param kernel where the kernel comes from
 * @param initrd where the initial RAM disk comes from
 * @param commandLine the whole kernel command line
 */
public record LinuxSpec(Kernel kernel, Initrd initrd, String commandLine) {

    /**
     * What the command line begins with unless {@link Builder#commandLine} replaces it: the first serial port as console, a
     * reset at once after a panic (so that the machine notices), no chatter, and no search for power states that a guest's
     * AMD processor does not have (about which Linux 6.12 warns).
     */
    public static final String DEFAULT_COMMAND_LINE = "console=ttyS0 panic=-1 quiet initcall_blacklist=amd_pstate_init";

    /** The same with more modules in the initial RAM disk, if that is built; those that it has are not repeated. */
    LinuxSpec withModules(List<String> names) {
        if (!(initrd instanceof Initrd.Busybox(List<String> present)) || present.containsAll(names)) {
            return this;
        }
        var all = new LinkedHashSet<>(present);
        all.addAll(names);
        return new LinuxSpec(kernel, new Initrd.Busybox(List.copyOf(all)), commandLine);
    }

    /** Where a kernel comes from. */
    public sealed interface Kernel {
        /**
         * A bzImage or an ELF vmlinux.
         *
         * @param path of the file
         */
        record File(Path path) implements Kernel {}

        /**
         * A stock Debian kernel, unpacked from its package into a cache folder; never installed.
         *
         * @param release {@code 6.1}, {@code 6.1-cloud}, {@code 6.12}, {@code 6.12-cloud}, or a package's name
         */
        record Debian(String release) implements Kernel {}
    }

    /** Where an initial RAM disk comes from. */
    public sealed interface Initrd {
        /** None: the kernel has all it needs. */
        record None() implements Initrd {}

        /**
         * A file, passed to the guest as it is.
         *
         * @param path of the file
         */
        record File(Path path) implements Initrd {}

        /**
         * Built from a static busybox and modules of the kernel, in the order that they need: a shell on the console, and one
         * on the second serial port for {@code exec}.
         *
         * @param modules names of modules to load besides the usual Hyper-V drivers
         */
        record Busybox(List<String> modules) implements Initrd {
            /** Copies the list. */
            public Busybox {
                modules = List.copyOf(modules);
            }
        }
    }

    /** Collects what a Linux guest boots. Not safe for several threads. */
    public static final class Builder {
        private @Nullable Kernel kernel;
        private @Nullable Initrd initrd;
        private String commandLine = DEFAULT_COMMAND_LINE;
        private final List<String> modules = new ArrayList<>();

        Builder() {}

        /** Boots a bzImage or an ELF vmlinux. */
        public Builder kernel(Path file) {
            kernel = new Kernel.File(file);
            return this;
        }

        /**
         * Boots a stock Debian kernel, fetched into a cache folder at first use.
         *
         * @param release {@code 6.1}, {@code 6.1-cloud}, {@code 6.12}, {@code 6.12-cloud}, or a package's name
         */
        public Builder debian(String release) {
            kernel = new Kernel.Debian(release);
            return this;
        }

        /** Gives the guest this initial RAM disk. */
        public Builder initrd(Path file) {
            initrd = new Initrd.File(file);
            return this;
        }

        /**
         * Builds the initial RAM disk: a static busybox with a shell, and the kernel's Hyper-V modules, found beside the kernel
         * ({@code ../lib/modules/RELEASE}, as packages unpack it) or in the system's {@code /lib/modules}. The default for
         * {@link #debian}.
         */
        public Builder busybox() {
            initrd = new Initrd.Busybox(List.of());
            return this;
        }

        /** Gives the guest no initial RAM disk; the default for {@link #kernel}. */
        public Builder noInitrd() {
            initrd = new Initrd.None();
            return this;
        }

        /** Loads more modules in the built initial RAM disk, by name. */
        public Builder modules(String... names) {
            modules.addAll(List.of(names));
            return this;
        }

        /** Replaces the whole command line, the default part too. */
        public Builder commandLine(String text) {
            commandLine = text;
            return this;
        }

        /** Adds to the end of the command line, where it overrides what stands before. */
        public Builder append(String text) {
            commandLine = commandLine.isEmpty() ? text : commandLine + " " + text;
            return this;
        }

        LinuxSpec build(ProblemList problems) {
            if (kernel == null) {
                problems.add("linux.kernel", "is missing; give a file with kernel(path), or debian(\"6.12-cloud\")");
            }
            boolean built = initrd == null
                    ? kernel instanceof Kernel.Debian || !modules.isEmpty()
                    : initrd instanceof Initrd.Busybox;
            if (!modules.isEmpty() && !built) {
                problems.add("linux.modules", "are given, but so is an initrd; only a built initrd loads them");
            }
            if (commandLine.indexOf('\0') >= 0) {
                problems.add("linux.commandLine", "contains a NUL character");
            }
            Initrd chosen = initrd;
            if (built) {
                chosen = new Initrd.Busybox(modules);
            } else if (chosen == null) {
                chosen = new Initrd.None();
            }
            return new LinuxSpec(kernel == null ? new Kernel.File(Path.of("")) : kernel, chosen, commandLine);
        }
    }
}
