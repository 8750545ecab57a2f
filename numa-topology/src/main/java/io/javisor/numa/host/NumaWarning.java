package io.javisor.numa.host;

/**
 * Something about a host that makes guests slow or that a placement has to mind.
 *
 * @param code stable, lower-case, dash-separated name, for programs
 * @param severity how much it costs
 * @param message what is so, with the numbers
 * @param remedy what to change
 */
public record NumaWarning(String code, Severity severity, String message, String remedy) {

    /** How much it costs, worst first. */
    public enum Severity {
        /** Every access of some processors crosses nodes. */
        WORST,
        /** Guests will be slower than they could be, or won't fit as they should. */
        SLOW,
        /** As somebody configured it; placement takes it into account. */
        NOTE
    }

    @Override
    public String toString() {
        return severity.name().toLowerCase(java.util.Locale.ROOT) + " " + code + ": " + message + "; " + remedy;
    }
}
