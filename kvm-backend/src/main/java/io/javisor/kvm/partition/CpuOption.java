package io.javisor.kvm.partition;

/** What a guest's processors have only if it is asked for. */
public enum CpuOption {
    /** VMX or SVM, so that the guest can have guests of its own. Such a machine can't be saved. */
    NESTED("nested"),
    /** Performance counters, for perf in the guest. */
    PMU("pmu"),
    /**
     * Hyper-V's extended hypercalls, with which a guest that has dynamic memory hands free pages back without being asked (Linux:
     * free page reporting, from 5.14 on). Needs a KVM that passes them on: Linux 6.3.
     */
    COLD_PAGES("cold-pages");

    private final String text;

    CpuOption(String text) {
        this.text = text;
    }

    /** The name that people write. */
    public String text() {
        return text;
    }
}
