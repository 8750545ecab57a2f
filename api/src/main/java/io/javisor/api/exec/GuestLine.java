package io.javisor.api.exec;

/** The host's sending end of a byte line to the guest. */
interface GuestLine {
    /** Sends bytes, waiting for the guest to take them; returns how many went before the time was up or the line closed. */
    int send(byte[] bytes, int offset, int length, long timeoutNanos) throws InterruptedException;

    /** Bytes sent that the guest has not taken yet; where that can't be counted, 1 if there are any. */
    int unread() throws InterruptedException;
}
