package io.javisor.networking.vswitch;

import io.javisor.networking.frame.Frame;

/**
 * The three places where a program takes part in a switch, as Hyper-V's extensible switch has them. All are called on the
 * threads of the stations that send, at once from several, and must not block; a frame is theirs for the length of the call.
 */
public final class Extensions {
    private Extensions() {}

    /** Sees what passes, and changes nothing. */
    public interface Capture {
        /** A frame entered by a port, and its guards let it pass. */
        default void entered(Frame frame, SwitchPort from) {}

        /** A frame is about to leave by a port. */
        default void leaving(Frame frame, SwitchPort to) {}
    }

    /** Decides what passes. */
    public interface Filter {
        /** Whether a frame that entered by a port may go on. */
        default boolean passesIn(Frame frame, SwitchPort from) {
            return true;
        }

        /** Whether a frame may leave by a port. */
        default boolean passesOut(Frame frame, SwitchPort from, SwitchPort to) {
            return true;
        }
    }

    /** Decides where frames go. */
    public interface Forwarding {
        /**
         * Chooses the ports that a frame leaves by.
         *
         * @param vlan of the frame
         * @param out takes any number of ports; what their settings forbid is still forbidden
         * @return false if the switch shall decide as always, by its table of addresses
         */
        boolean forward(Frame frame, SwitchPort from, int vlan, Output out);
    }

    /** Takes the ports that a frame is to leave by. */
    public interface Output {
        /** The frame leaves by this port. */
        void to(SwitchPort port);
    }
}
