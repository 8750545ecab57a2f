package io.javisor.networking.user;

import java.io.IOException;
import java.net.StandardSocketOptions;
import java.nio.channels.NetworkChannel;
import java.nio.channels.SocketChannel;

/** Something that waits for a socket or for a time. For the network's thread. */
interface Flow extends Timed {
    /** Its socket is ready for what it waits for. */
    void ready();

    /** Closes the socket, and tells nobody. */
    void close();

    /** Closes a socket; abruptly, so that the other side sees that not all has arrived. */
    static void close(NetworkChannel channel, boolean abruptly) {
        try {
            if (abruptly && channel instanceof SocketChannel tcp && tcp.isConnected()) {
                tcp.setOption(StandardSocketOptions.SO_LINGER, 0);
            }
        } catch (IOException e) {
            // then as usual
        }
        try {
            channel.close();
        } catch (IOException e) {
            // it is gone in any case
        }
    }
}
