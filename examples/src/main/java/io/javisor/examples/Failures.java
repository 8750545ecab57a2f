package io.javisor.examples;

import io.javisor.partition.HypervisorException;

/** Which exit code stands for which kind of error. */
final class Failures {
    private Failures() {}

    static int exitCode(HypervisorException e) {
        return switch (e.code()) {
            case "spec", "kernel-image", "initrd", "image", "archive", "kernel-module", "input-file" -> ExitCode.USAGE;
            case "guest-panic", "triple-fault" -> ExitCode.GUEST_FAILED;
            case "timeout" -> ExitCode.TIMEOUT;
            default -> ExitCode.HOST;
        };
    }
}
