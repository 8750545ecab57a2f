package io.javisor.storage.fibrechannel;

import io.javisor.storage.scsi.TargetPort;

/** A target port of a {@link SoftwareSan}, whose link can be cut. Safe from any thread. */
public final class SanPort {
    private final String fabric;
    private final Wwn name;
    private final TargetPort port;
    private volatile boolean linked = true;

    SanPort(String fabric, Wwn name, TargetPort port) {
        this.fabric = fabric;
        this.name = name;
        this.port = port;
    }

    /** The fabric that it is in. */
    public String fabric() {
        return fabric;
    }

    /** Its port name. */
    public Wwn name() {
        return name;
    }

    /** Its number, which is also its target ID plus 1, and its target port group. */
    public TargetPort port() {
        return port;
    }

    /** Target ID under which initiators find it, on channel 0. */
    public int target() {
        return port.relativeId() - 1;
    }

    /** Whether its link is up. */
    public boolean isLinked() {
        return linked;
    }

    /** Cuts its link: commands that come by it end with an error, also those in progress. */
    public void fail() {
        linked = false;
    }

    /** Brings its link back. */
    public void restore() {
        linked = true;
    }

    @Override
    public String toString() {
        return "port " + name + " in fabric " + fabric;
    }
}
