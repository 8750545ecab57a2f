package io.javisor.api;

import java.util.List;
import java.util.Optional;

/**
 * What this host can do.
 *
 * @param checks all that was looked at, the most important first
 * @param hyperV whether KVM has the Hyper-V enlightenments that VMBus devices need
 * @param emulated why guest code runs emulated here, too slow for a stock kernel; empty if it runs on the processor
 */
public record HostReport(List<HostCheck> checks, boolean hyperV, Optional<String> emulated) {
    /** Copies the list. */
    public HostReport {
        checks = List.copyOf(checks);
    }

    /** Whether a machine can be created at all. */
    public boolean usable() {
        return checks.stream().noneMatch(c -> c.status() == HostCheck.Status.FATAL);
    }

    /** What was found under a code. */
    public Optional<HostCheck> check(String code) {
        return checks.stream().filter(c -> c.code().equals(code)).findFirst();
    }

    /** Why stock kernels should not run on this host itself; empty if they can. */
    public Optional<String> unfitForStockKernels() {
        return checks.stream()
                .filter(c -> c.status() == HostCheck.Status.FATAL)
                .map(HostCheck::what)
                .findFirst()
                .or(this::emulated);
    }
}
