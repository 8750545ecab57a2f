package io.javisor.kvm.partition;

import io.javisor.kvm.CpuidEntry;
import io.javisor.kvm.Kvm;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The leaves that KVM can give a guest, asked for once, and only if somebody wants them. For one thread. */
final class SupportedCpuid implements Supplier<List<CpuidEntry>> {
    private final Kvm kvm;
    private @Nullable List<CpuidEntry> leaves;

    SupportedCpuid(Kvm kvm) {
        this.kvm = kvm;
    }

    @Override
    public List<CpuidEntry> get() {
        List<CpuidEntry> known = leaves;
        if (known == null) {
            known = kvm.supportedCpuid();
            leaves = known;
        }
        return known;
    }
}
