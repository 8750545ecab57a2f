package io.javisor.storage.fibrechannel;

import io.javisor.storage.scsi.CopyDomain;

/**
 * What a machine's Fibre Channel adapter is connected to: one in this process ({@link SoftwareSan}), or the ports of a host's
 * own adapters. Safe from any thread.
 */
public interface FibreChannelSan {
    /** Its name, for messages and for machines that are saved. */
    String name();

    /**
     * Logs an initiator port in at a fabric. From then on it is known there by its names, until the login is closed.
     *
     * @param fabric which of the SAN's; empty for its first
     * @param node the initiator's node name
     * @param port the initiator's port name
     * @param copies within which the initiator may have data copied
     * @param changed called, on any thread, when target ports or units have come or gone; it returns soon
     * @throws io.javisor.partition.HypervisorException with code {@code fc-name-in-use} if somebody has the name, {@code
     *     fc-no-fabric} if there is no such fabric, {@code fc-san-closed} if the SAN is closed
     */
    FabricLogin login(String fabric, Wwn node, Wwn port, CopyDomain copies, Runnable changed);
}
