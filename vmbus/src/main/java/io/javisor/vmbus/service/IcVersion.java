package io.javisor.vmbus.service;

/**
 * A version of the framework or of a service.
 *
 * @param major 0 to 65,535
 * @param minor 0 to 65,535
 */
public record IcVersion(int major, int minor) implements Comparable<IcVersion> {
    @Override
    public int compareTo(IcVersion other) {
        return major != other.major ? Integer.compare(major, other.major) : Integer.compare(minor, other.minor);
    }

    @Override
    public String toString() {
        return major + "." + minor;
    }
}
