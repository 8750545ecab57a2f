package io.javisor.networking.vswitch;

import io.javisor.networking.frame.Frame;

/** What is plugged into a port of a switch: an adapter, an uplink, a program. Called from any thread; must not block. */
public interface Station {
    /** Takes a frame, which is the switch's again when this returns: copy what is kept. */
    void receive(Frame frame);

    /** Whether it takes TCP packets larger than fits a wire, with {@link Frame#mss} set. */
    default boolean takesLarge(int etherType) {
        return false;
    }

    /** Whether it takes frames with {@link Frame#openChecksum}. */
    default boolean takesOpenChecksums() {
        return false;
    }
}
