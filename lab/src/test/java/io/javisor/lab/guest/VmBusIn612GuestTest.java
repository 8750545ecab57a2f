package io.javisor.lab.guest;

import static org.assertj.core.api.Assertions.assertThat;

import io.javisor.api.SavedState;
import io.javisor.api.VirtualMachine;
import io.javisor.lab.junit.LabTest;
import io.javisor.vmbus.socket.HvSocket;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The bus in Debian's stock 6.12, also saved and restored in the middle of its work. */
@LabTest(guests = "6.12-cloud", timeout = 600)
class VmBusIn612GuestTest extends VmBusGuest {
    private static final int PIECES = 40;
    private static final int TEE = 5001;

    VmBusIn612GuestTest() {
        super("6.12-cloud");
    }

    /**
     * A stream goes into the guest and comes back while the machine is saved. In the machine that goes on it comes whole. In the
     * one that is restored the connection is cut, and what the guest got before is the beginning of it.
     */
    @Test
    @Tag("long")
    @Order(6)
    void aSaveInTheMiddleOfTrafficLosesAndDoublesNothing(@TempDir Path folder) throws Exception {
        Path state = folder.resolve("state");
        sh("(setsid javisor-agent listen " + TEE + " /bin/sh -c 'tee /tmp/got; echo $? >/tmp/ended' "
                + "</dev/null >/dev/null 2>&1 &)");
        var bytes = new EchoedBytes();
        try (HvSocket socket = connect(vm, TEE)) {
            var middle = new CountDownLatch(PIECES / 4);
            Thread sender = bytes.send(socket, PIECES);
            Thread saver = Thread.ofVirtual().start(() -> {
                try {
                    assertThat(middle.await(BOOT.toSeconds(), TimeUnit.SECONDS)).isTrue();
                    vm.save(state);
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
            });
            assertThat(bytes.receive(socket, middle::countDown)).isEqualTo((long) PIECES * EchoedBytes.PIECE);
            sender.join();
            saver.join();
        }
        byte[] all = bytes.prefix(PIECES * EchoedBytes.PIECE);
        assertThat(sh("until [ -e /tmp/ended ]; do sleep 0.1; done; sha256sum </tmp/got"))
                .startsWith(sha256(all));
        sh("rm /tmp/got /tmp/ended");

        try (VirtualMachine other = SavedState.open(state).restoreAs("other")) {
            other.resume();
            int got = Integer.parseInt(sh(other, "until [ -e /tmp/ended ]; do sleep 0.1; done; wc -c </tmp/got"));
            System.out.println("restored with " + got + " bytes received");
            assertThat(got).isBetween(PIECES / 4 * EchoedBytes.PIECE, PIECES * EchoedBytes.PIECE);
            assertThat(sh(other, "sha256sum </tmp/got")).startsWith(sha256(bytes.prefix(got)));
            try (HvSocket socket = connect(other, TEE)) {
                Thread sender = bytes.send(socket, 2);
                assertThat(bytes.receive(socket, () -> {})).isEqualTo(2L * EchoedBytes.PIECE);
                sender.join();
            }
            awaitHeartbeat(other);
        }
    }

    /** A thread of the host that never reads what the guest sent keeps nobody from saving. */
    @Test
    @Tag("long")
    @Order(7)
    void aReaderThatDoesNotReadDoesNotHoldUpASave(@TempDir Path folder) throws Exception {
        try (HvSocket socket = connect(vm, TEE)) {
            var bytes = new EchoedBytes();
            Thread sender = bytes.send(socket, 1);
            while (socket.read(ByteBuffer.allocate(1)) == 0) {}
            vm.save(folder.resolve("state"));
            sender.interrupt();
        }
    }
}
