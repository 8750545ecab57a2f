package io.javisor.api.management;

import javax.management.ObjectName;

/** The host's management bean, until this is closed. */
public interface HostManagement extends AutoCloseable {
    /** What it is registered as. */
    ObjectName name();

    /** Takes it out of the server. Idempotent. */
    @Override
    void close();
}
