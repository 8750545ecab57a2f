package io.javisor.lab;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What a lab looks like.
 *
 * @param nodes NUMA nodes, 1 to 8
 * @param memoryPerNode bytes of each node, at least 128 MiB; the host gives them only as they are touched
 * @param vcpus processors that commands run on, 1 to 64, dealt to the nodes in blocks, numbered from 1 (processor 0, in node 0, takes
 *     the devices' interrupts and runs no command); more than the host has only cost time
 * @param kernel what it runs
 * @param kernelArguments added to the kernel's command line
 * @param qemuOptions added to QEMU's command line
 * @param writable existing folders of the host that commands may write; all else they write goes to the lab's RAM
 * @param bootTimeout how long it may take to come up
 * @param console file that keeps the kernel's console, or null for one that vanishes with the lab
 */
public record LabSpec(
        int nodes,
        long memoryPerNode,
        int vcpus,
        HostKernel kernel,
        List<String> kernelArguments,
        List<String> qemuOptions,
        List<Path> writable,
        Duration bootTimeout,
        @Nullable Path console) {
    private static final long MIB = 1L << 20;

    /** Checks the ranges. */
    public LabSpec {
        if (nodes < 1 || nodes > 8) {
            throw new IllegalArgumentException("nodes: " + nodes + " is not within 1..8");
        }
        if (memoryPerNode < 128 * MIB || memoryPerNode % MIB != 0) {
            throw new IllegalArgumentException(
                    "memoryPerNode: " + memoryPerNode + " is not a number of whole MiB, at least 128");
        }
        if (vcpus < 1 || vcpus > 64) {
            throw new IllegalArgumentException("vcpus: " + vcpus + " is not within 1..64");
        }
        kernelArguments = List.copyOf(kernelArguments);
        qemuOptions = List.copyOf(qemuOptions);
        writable = List.copyOf(writable);
    }

    /** Two nodes of 3 GiB, two vCPUs, Linux 6.1: what most tests need. */
    public static LabSpec standard() {
        return builder().build();
    }

    /** A specification described step by step: {@code LabSpec.of(l -> l.nodes(4))}. */
    public static LabSpec of(Consumer<Builder> description) {
        Builder builder = builder();
        description.accept(builder);
        return builder.build();
    }

    /** Starts from {@link #standard()}. */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * The bytes of a size as people write it: {@code 512M}, {@code 3G}.
     *
     * @throws IllegalArgumentException if it is not a number with an M or G
     */
    public static long size(String text) {
        int shift = text.endsWith("G") ? 30 : text.endsWith("M") ? 20 : -1;
        if (shift < 0 || !text.matches("[0-9]{1,9}[MG]")) {
            throw new IllegalArgumentException("\"" + text + "\" is not a size such as 512M or 3G");
        }
        return Long.parseLong(text.substring(0, text.length() - 1)) << shift;
    }

    /** Collects a specification; not for use by several threads. */
    public static final class Builder {
        private int nodes = 2;
        private long memoryPerNode = 3072 * MIB;
        private int vcpus = 2;
        private HostKernel kernel = HostKernel.V6_1;
        private final List<String> kernelArguments = new ArrayList<>();
        private final List<String> qemuOptions = new ArrayList<>();
        private final List<Path> writable = new ArrayList<>();
        private Duration bootTimeout = Duration.ofMinutes(3);
        private @Nullable Path console;

        private Builder() {}

        /** NUMA nodes (2). */
        public Builder nodes(int count) {
            nodes = count;
            return this;
        }

        /** Bytes of each node (3 GiB). */
        public Builder memoryPerNode(long bytes) {
            memoryPerNode = bytes;
            return this;
        }

        /** Virtual processors (2). */
        public Builder vcpus(int count) {
            vcpus = count;
            return this;
        }

        /** Its kernel (6.1). */
        public Builder kernel(HostKernel version) {
            kernel = version;
            return this;
        }

        /** One more word for the kernel's command line. */
        public Builder kernelArgument(String word) {
            kernelArguments.add(word);
            return this;
        }

        /** More words for QEMU's command line. */
        public Builder qemu(String... words) {
            qemuOptions.addAll(List.of(words));
            return this;
        }

        /** An end of a cable to another lab. */
        public Builder cable(LabCable end) {
            qemuOptions.addAll(end.qemu());
            return this;
        }

        /** One more folder of the host that commands may write. */
        public Builder writable(Path folder) {
            writable.add(folder.toAbsolutePath().normalize());
            return this;
        }

        /** How long it may take to come up (3 minutes). */
        public Builder bootTimeout(Duration limit) {
            bootTimeout = limit;
            return this;
        }

        /** Keeps the kernel's console in a file. */
        public Builder console(Path file) {
            console = file.toAbsolutePath();
            return this;
        }

        /** The specification. */
        public LabSpec build() {
            return new LabSpec(
                    nodes, memoryPerNode, vcpus, kernel, kernelArguments, qemuOptions, writable, bootTimeout, console);
        }
    }
}
