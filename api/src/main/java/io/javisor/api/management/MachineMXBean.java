package io.javisor.api.management;

import io.javisor.api.MachineStatistics;
import java.util.List;

/**
 * A machine, as {@code io.javisor:type=Machine,name="NAME"}; machines of one name have {@code ,number=2} and so on besides. Every
 * attribute can be read in every state, also while the guest runs, and holds up nothing.
 */
public interface MachineMXBean {
    /** What the machine is called. */
    String getName();

    /** Where it is in its life: a name of {@link io.javisor.api.MachineState}. */
    String getState();

    /** How its last run ended; empty while none has. */
    String getOutcome();

    /** Virtual processors. */
    int getVcpus();

    /** Boot memory in bytes. */
    long getMemory();

    /** Bytes of the host's memory that the guest holds now. */
    long getResidentBytes();

    /** Exits by reason, accesses by device, and the rest that is counted. */
    MachineStatistics getStatistics();

    /** Its disks and DVD drives, in the order of their addresses. */
    List<DriveUse> getDrives();

    /** Its network adapters, in the order of their numbers. */
    List<AdapterUse> getAdapters();
}
