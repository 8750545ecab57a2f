package io.javisor.vmbus.server;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.javisor.partition.GuestMemory;
import io.javisor.vmbus.channel.ChannelOffer;
import io.javisor.vmbus.guest.TestGuest;
import io.javisor.vmbus.protocol.GuestMessage;
import io.javisor.vmbus.protocol.HostMessage;
import io.javisor.vmbus.protocol.MalformedMessageException;
import io.javisor.vmbus.protocol.Octets;
import io.javisor.vmbus.protocol.VmBusVersion;
import java.util.ArrayDeque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Tag;

/**
 * Sequences of control messages against the state machine. The input is a list of steps: a template, how many bytes of it are
 * flipped, and the flips; so an input of small numbers is a well-behaved guest. Run it by itself: one target fuzzes per JVM.
 */
@Tag("fuzz")
class ServerFuzzTest {
    private static final GuestMemory MEMORY = new TestGuest(1, 64 * 4096).memory();
    private static final long PAGE = TestGuest.MEMORY / 4096;
    private static final int MAX_STEPS = 200;

    private static final List<GuestMessage> TEMPLATES = List.of(
            new GuestMessage.InitiateContact(VmBusVersion.V5_3.code(), 0, 2, 0, 0),
            new GuestMessage.RequestOffers(),
            new GuestMessage.GpadlHeader(1, 1, 40, 1, List.of(0x4000L, PAGE, PAGE + 1, PAGE + 2, PAGE + 3)),
            new GuestMessage.OpenChannel(1, 1, 1, 0, 2, Octets.EMPTY),
            new GuestMessage.CloseChannel(1),
            new GuestMessage.GpadlTeardown(1, 1),
            new GuestMessage.GpadlHeader(1, 2, 40, 1, List.of(0x4000L, PAGE)),
            new GuestMessage.GpadlBody(0, 2, List.of(PAGE + 1, PAGE + 2, PAGE + 3)),
            new GuestMessage.RelIdReleased(1),
            new GuestMessage.ModifyChannel(1, 1),
            new GuestMessage.TlConnectRequest(new UUID(1, 2), new UUID(3, 4)),
            new GuestMessage.Unload());

    private final ArrayDeque<Action> actions = new ArrayDeque<>();
    private final Set<Integer> open = new HashSet<>();
    private int offered;

    @FuzzTest(maxDuration = "5m")
    void messages(byte[] data) {
        actions.clear();
        open.clear();
        offered = 0;
        VmBusServer server = new VmBusServer(MEMORY, 2, actions::add);
        server.offer(ChannelOffer.of(new UUID(1, 1), new UUID(2, 1)), 0, false);
        server.offer(ChannelOffer.of(new UUID(1, 1), new UUID(2, 2)), 0, false);
        int at = 0;
        for (int step = 0; step < MAX_STEPS && at < data.length; step++) {
            int kind = data[at++] & 0x1F;
            if (kind >= TEMPLATES.size()) {
                host(server, kind - TEMPLATES.size());
                continue;
            }
            byte[] message = TEMPLATES.get(kind).encode();
            int flips = at < data.length ? data[at++] & 7 : 0;
            for (int i = 0; i < flips && at + 1 < data.length; i++) {
                message[(data[at++] & 0xFF) % message.length] ^= data[at++];
            }
            int before = actions.size();
            try {
                server.receive(GuestMessage.decode(message));
            } catch (MalformedMessageException e) {
                // refused
            }
            if (actions.size() - before > 8 + 4 * (2 + offered)) {
                throw new AssertionError((actions.size() - before) + " actions");
            }
            // Mostly the host answers at once, sometimes it lets things pile up.
            if (flips != 7) {
                carryOut(server);
            }
        }
        carryOut(server);
        boolean[] unloaded = {false};
        server.receive(new GuestMessage.Unload());
        for (Action action = actions.poll(); action != null; action = actions.poll()) {
            unloaded[0] |= action instanceof Action.Send send && send.message() instanceof HostMessage.UnloadResponse;
            carryOut(server, action);
        }
        if (!unloaded[0] || !open.isEmpty() || server.version() != null || !server.isSettled()) {
            throw new AssertionError("unloaded " + unloaded[0] + ", open " + open + ", version " + server.version());
        }
    }

    private void host(VmBusServer server, int what) {
        switch (what) {
            case 0 -> server.rescind(1);
            case 1 -> server.rescind(2);
            case 2 -> offer(server, 1, 1);
            case 3 -> offer(server, 3, 0);
            default -> carryOut(server);
        }
    }

    private void offer(VmBusServer server, int instance, int subChannel) {
        if (offered < 20) {
            offered++;
            server.offer(ChannelOffer.of(new UUID(1, 1), new UUID(2, instance)), subChannel, true);
        }
    }

    private void carryOut(VmBusServer server) {
        for (Action action = actions.poll(); action != null; action = actions.poll()) {
            carryOut(server, action);
        }
    }

    private void carryOut(VmBusServer server, Action action) {
        switch (action) {
            case Action.Open a -> {
                if (a.downstreamPage() < 2
                        || a.ring().length() < 4096L * (a.downstreamPage() + 2)
                        || a.targetVp() < 0
                        || a.targetVp() > 1
                        || !open.add(a.relId())) {
                    throw new AssertionError(a.toString());
                }
                server.opened(a.relId(), 0);
            }
            case Action.Close a -> {
                if (!open.remove(a.relId())) {
                    throw new AssertionError(a.toString());
                }
                server.closed(a.relId());
            }
            case Action.Withdrawn a -> {
                if (open.contains(a.relId())) {
                    throw new AssertionError(a.toString());
                }
            }
            case Action.Retarget a -> {
                if (a.targetVp() < 0 || a.targetVp() > 1) {
                    throw new AssertionError(a.toString());
                }
            }
            case Action.ReleaseGpadl a -> server.gpadlReleased(a.relId(), a.gpadl());
            case Action.SocketRequested a -> server.refuseSocket(a.guestEndpoint(), a.hostService());
            default -> {
                // nothing to do
            }
        }
    }
}
