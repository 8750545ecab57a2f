package io.javisor.lab;

/** The kernel that the lab itself runs: Debian's generic build, which has 9p and KVM. */
public enum HostKernel {
    /** Linux 6.1, of Debian 12: up soonest. */
    V6_1("6.1"),
    /** Linux 6.12, of Debian 12 backports: KVM knows extended hypercalls and 4,096 vCPUs. */
    V6_12("6.12");

    private final String version;

    HostKernel(String version) {
        this.version = version;
    }

    /** Its version as people write it: {@code "6.12"}. */
    public String version() {
        return version;
    }

    /**
     * The kernel of a version.
     *
     * @throws IllegalArgumentException if the lab has no such kernel
     */
    public static HostKernel of(String version) {
        for (HostKernel kernel : values()) {
            if (kernel.version.equals(version)) {
                return kernel;
            }
        }
        throw new IllegalArgumentException("the lab has no kernel \"" + version + "\" (choose 6.1 or 6.12)");
    }
}
