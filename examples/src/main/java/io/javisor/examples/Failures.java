package io.javisor.examples;

import io.javisor.partition.HypervisorException;
import java.util.Set;

/** Which exit code stands for which kind of error. */
final class Failures {
    /** What the user gave is at fault: options, or files that can't be used. */
    private static final Set<String> USAGE = Set.of(
            "spec",
            "kernel-missing",
            "kernel-image",
            "kernel-changed",
            "initrd-missing",
            "command-line",
            "boot-memory",
            "address-space",
            "numa-spec",
            "disk-open",
            "disk-format",
            "disk-parent",
            "disk-range",
            "disk-read-only",
            "disk-unsupported",
            "debian-unknown",
            "image-archive",
            "image-io",
            "image-limit",
            "image-module",
            "image-path",
            "saved-state",
            "saved-state-drive",
            "saved-state-exists");

    private Failures() {}

    static int exitCode(HypervisorException e) {
        String code = e.code();
        if (USAGE.contains(code)) {
            return ExitCode.USAGE;
        }
        return code.equals("timeout") ? ExitCode.TIMEOUT : ExitCode.HOST;
    }
}
