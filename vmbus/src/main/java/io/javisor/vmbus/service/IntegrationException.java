package io.javisor.vmbus.service;

import io.javisor.partition.HypervisorException;

/** An integration service could not do what it was asked. */
public final class IntegrationException extends HypervisorException {
    private static final long serialVersionUID = 1L;

    private final int status;

    private IntegrationException(String code, String message, String remedy, int status) {
        super(code, message, remedy);
        this.status = status;
    }

    /** What the guest answered (an HRESULT), or 0 if it did not. */
    public int status() {
        return status;
    }

    static IntegrationException notReady(String service) {
        return new IntegrationException(
                "integration-not-ready",
                "the guest does not serve " + service,
                "it needs hv_utils loaded, and for key/value exchange and backup a daemon; wait until it is ready",
                0);
    }

    static IntegrationException closed(String service) {
        return new IntegrationException(
                "integration-closed", "the guest closed " + service + " before it answered", "ask again", 0);
    }

    static IntegrationException timeout(String service, long millis) {
        return new IntegrationException(
                "integration-timeout",
                "the guest did not answer " + service + " in " + millis + " ms",
                "look whether its daemon runs, and whether the guest still does",
                0);
    }

    static IntegrationException refused(String service, int status) {
        return new IntegrationException(
                "integration-refused",
                "the guest refused " + service + " with status 0x" + Integer.toHexString(status),
                "look at the guest's log",
                status);
    }

    static IntegrationException nonsense(String service, String what) {
        return new IntegrationException(
                "integration-answer",
                "the guest answered " + service + " with nonsense: " + what,
                "look at the guest",
                0);
    }
}
