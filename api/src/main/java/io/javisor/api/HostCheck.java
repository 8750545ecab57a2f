package io.javisor.api;

/**
 * One thing that was looked at on this host.
 *
 * @param code stable, lower-case, dash-separated name, for programs
 * @param status whether it is there
 * @param what what was found
 * @param cost what can't be done, or is slower, without it; empty if it is there
 * @param remedy what to do, as a command where there is one; empty if it is there or nothing helps
 */
public record HostCheck(String code, Status status, String what, String cost, String remedy) {
    /** Whether a thing is there. */
    public enum Status {
        /** It is. */
        OK,
        /** It is not, and something is slower or can't be offered. */
        MISSING,
        /** It is not, and no machine can run. */
        FATAL
    }

    static HostCheck ok(String code, String what) {
        return new HostCheck(code, Status.OK, what, "", "");
    }
}
