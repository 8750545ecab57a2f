package io.javisor.memory.simulation;

/** What a machine's programs need over time. Pure: the same second and nature give the same answer. */
public interface Demand {
    /**
     * Demand as a part of the machine's maximum; may lie outside 0 to 1.
     *
     * @param second of the day
     * @param machine whose it is
     */
    double demand(int second, Nature machine);

    /** Where it comes from, for reports: {@code synthetic}, or what it was recorded from. */
    String source();
}
