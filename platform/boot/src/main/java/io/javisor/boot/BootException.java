package io.javisor.boot;

import io.javisor.partition.HypervisorException;
import org.jspecify.annotations.Nullable;

/**
 * A kernel, initramfs or command line that can't be booted. Codes: {@code kernel-missing} and {@code initrd-missing} (no such
 * file, or not readable), {@code kernel-image} (not a kernel, truncated, damaged, or of a kind that is not supported),
 * {@code kernel-changed} (the file is not the one that was read before), {@code command-line}, {@code boot-memory} (kernel,
 * initramfs or tables do not fit the guest's memory).
 */
public final class BootException extends HypervisorException {
    private static final long serialVersionUID = 1L;

    private BootException(String code, String message, @Nullable String remedy, @Nullable Throwable cause) {
        super(code, message, null, 0, remedy, cause);
    }

    static BootException kernel(String name, String problem) {
        return new BootException(
                "kernel-image",
                name + ": " + problem,
                "give a bzImage of protocol 2.12 or later with a 64-bit entry, or an x86-64 vmlinux ELF file",
                null);
    }

    static BootException changed(String name) {
        return new BootException(
                "kernel-changed", name + ": is not the file that was read before", "read the kernel again", null);
    }

    static BootException commandLine(String problem) {
        return new BootException("command-line", problem, null, null);
    }

    static BootException memory(String problem) {
        return new BootException("boot-memory", problem, "give the machine more memory on its first node", null);
    }

    static BootException unreadable(String code, String name, Throwable cause) {
        return new BootException(
                code,
                name + ": can't be read: " + cause,
                "check that the file exists and that this user may read it",
                cause);
    }

    static BootException damaged(String name, Throwable cause) {
        return new BootException(
                "kernel-image",
                name + ": compressed kernel is damaged: " + cause.getMessage(),
                "fetch or build the file again",
                cause);
    }

    static BootException truncated(String name, long expected, long got) {
        return new BootException(
                "kernel-image",
                name + ": is cut short: " + expected + " bytes expected, " + got + " are there",
                "fetch or build the file again",
                null);
    }
}
