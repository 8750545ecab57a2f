package io.javisor.partition.state;

/**
 * Something whose state goes into a saved machine. There is no default: every device says what it has. Both calls are made
 * while no vCPU runs and no request is being worked on.
 */
public interface Stateful {
    /** Names the leaf; unique in its machine, stable between versions ({@code "serial0"}). */
    String stateName();

    /** Version of the layout that {@link #save} writes, from 1. */
    int stateVersion();

    /** Writes everything that the guest could notice if it were lost. */
    void save(StateWriter out);

    /**
     * Takes the state over. The input is checked like any hostile input.
     *
     * @throws StateException if a field is missing, of the wrong kind or out of range, or the version is not known
     */
    void restore(StateReader in);
}
