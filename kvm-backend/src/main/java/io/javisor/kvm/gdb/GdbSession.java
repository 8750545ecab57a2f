package io.javisor.kvm.gdb;

import static io.javisor.kvm.abi.Constants.KVM_GUESTDBG_BLOCKIRQ;

import io.javisor.kvm.Capability;
import io.javisor.kvm.Exit;
import io.javisor.kvm.GuestDebug;
import io.javisor.kvm.Vcpu;
import io.javisor.partition.HypervisorException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.BitSet;
import java.util.OptionalLong;
import java.util.concurrent.LinkedBlockingQueue;
import org.jspecify.annotations.Nullable;

/**
 * One debugger's conversation. A thread reads packets, vCPUs' threads tell of stops, and both go through one queue to the thread
 * that runs the conversation, which alone answers and alone touches the held guest. All stops together: when one vCPU stops, the
 * others are held too.
 */
final class GdbSession implements GdbTarget.Events {
    private static final int SIGINT = 2;
    private static final int SIGTRAP = 5;

    /** Packets that may wait; gdb sends one and waits for its answer, but for ^C. */
    private static final int MOST_WAITING = 64;

    private final PacketStream stream;
    private final GdbTarget target;
    private final Runnable kill;
    private final GuestView view;
    private final Breakpoints breakpoints;
    private final GdbRequests requests;
    private final LinkedBlockingQueue<Event> queue = new LinkedBlockingQueue<>();
    private final boolean blocksInterrupts;
    private boolean running;
    private boolean over;
    private volatile boolean ended;
    private String lastStop = "";

    // Shared with vCPUs' threads, under the lock of this.
    private BitSet stepping = new BitSet();
    private boolean stopTold;
    private boolean swbreak;
    private boolean hwbreak;

    private sealed interface Event {
        record Came(PacketStream.Packet packet) implements Event {}

        record Stopped(String message) implements Event {}

        record Ended() implements Event {}

        record Disconnected() implements Event {}
    }

    GdbSession(PacketStream stream, GdbTarget target, Runnable kill) {
        this.stream = stream;
        this.target = target;
        this.kill = kill;
        this.view = new GuestView(target.memory());
        this.breakpoints = new Breakpoints(view, target.support(), target.tellsOutputs());
        this.requests = new GdbRequests(target, view, breakpoints);
        // The capability's value is the set of flags that KVM_SET_GUEST_DEBUG takes.
        this.blocksInterrupts = (target.check(Capability.SET_GUEST_DEBUG2) & KVM_GUESTDBG_BLOCKIRQ) != 0;
    }

    /** Attaches to the guest and answers until gdb goes or the guest ends; the guest goes on without breakpoints then. */
    void run() throws IOException, InterruptedException {
        target.attach(this);
        lastStop = stop(SIGTRAP, 0, "");
        Thread.ofVirtual().name("gdb packets").start(this::read);
        try {
            while (!over) {
                handle(queue.take());
            }
        } finally {
            leave();
        }
    }

    private void read() {
        try {
            for (PacketStream.Packet packet; (packet = stream.read()) != null; ) {
                if (queue.size() < MOST_WAITING) {
                    queue.add(new Event.Came(packet));
                }
            }
        } catch (IOException e) {
            // gdb is gone: the conversation ends below
        }
        queue.add(new Event.Disconnected());
    }

    private void leave() {
        try {
            if (!ended) {
                target.hold();
                breakpoints.clear();
                for (Vcpu vcpu : target.vcpus()) {
                    vcpu.state().setGuestDebug(GuestDebug.OFF);
                }
            }
        } catch (HypervisorException | IllegalStateException e) {
            // the guest is ending, and its breakpoints with it
        } finally {
            target.detach();
        }
    }

    private void handle(Event event) throws IOException {
        switch (event) {
            case Event.Disconnected _ -> over = true;
            case Event.Ended _ -> {
                if (running) {
                    stream.write("W00");
                }
                over = true;
            }
            case Event.Stopped stopped -> {
                if (running) {
                    target.hold();
                    running = false;
                    lastStop = stopped.message;
                    stream.write(lastStop);
                }
            }
            case Event.Came came -> {
                if (came.packet.interrupt()) {
                    interrupt();
                } else if (!running) {
                    answer(came.packet);
                }
            }
        }
    }

    private void interrupt() {
        synchronized (this) {
            if (!running || stopTold) {
                return;
            }
            stopTold = true;
        }
        target.stopSoon();
        queue.add(new Event.Stopped(stop(SIGINT, requests.chosen(), "")));
    }

    private void answer(PacketStream.Packet packet) throws IOException {
        String text = packet.text();
        try {
            String answer = own(text);
            if (answer == null) {
                answer = requests.answer(text, packet.payload());
            }
            if (!running) {
                stream.write(answer);
                if (text.equals("QStartNoAckMode")) {
                    stream.endAcknowledgements();
                }
            }
        } catch (GdbError e) {
            stream.write(e.answer());
        } catch (HypervisorException | IllegalStateException e) {
            // KVM refuses it, or the guest has ended meanwhile.
            stream.write(new GdbError(GdbError.INVALID).answer());
        }
    }

    /** Requests about the conversation and the guest's running; null for all others. */
    private @Nullable String own(String text) {
        if (text.startsWith("qSupported")) {
            synchronized (this) {
                swbreak = text.contains("swbreak+");
                hwbreak = text.contains("hwbreak+");
            }
            return "PacketSize=" + Integer.toHexString(PacketStream.MOST_BYTES)
                    + ";QStartNoAckMode+;qXfer:features:read+;vContSupported+;swbreak+;hwbreak+";
        }
        if (text.startsWith("vCont;")) {
            resume(Resumption.parse(text.substring(6), requests.count()));
            return "";
        }
        if (text.startsWith("qRcmd,")) {
            return monitor(new String(Hex.bytes(text.substring(6)), StandardCharsets.UTF_8));
        }
        return switch (text) {
            case "QStartNoAckMode" -> "OK";
            case "?" -> lastStop;
            case "vCont?" -> "vCont;c;C;s;S";
            case "c" -> go(false);
            case "s" -> go(true);
            case "D", "D;1" -> {
                over = true;
                yield "OK";
            }
            case "k" -> {
                over = true;
                kill.run();
                yield "OK";
            }
            default -> null;
        };
    }

    private String go(boolean step) {
        resume(Resumption.of(step, requests.resumed(), requests.count()));
        return "";
    }

    private void resume(Resumption what) {
        synchronized (this) {
            stepping = what.step();
            stopTold = false;
        }
        for (int i = 0; i < requests.count(); i++) {
            target.vcpus().get(i).state().setGuestDebug(armed(i));
        }
        running = true;
        target.resume(what.run());
    }

    private synchronized GuestDebug armed(int vcpu) {
        return breakpoints.armed(stepping.get(vcpu), blocksInterrupts);
    }

    /** What {@code monitor} in gdb says. */
    private String monitor(String command) {
        String said = command.strip().equals("registers")
                ? String.join(
                        "\n",
                        target.vcpus().stream().map(v -> v.dump().toString()).toList())
                : "monitor registers: all registers of all vCPUs";
        return Hex.of((said + "\n").getBytes(StandardCharsets.UTF_8));
    }

    @Override
    public @Nullable GuestDebug stopped(int vcpu, Exit.Debug exit) {
        String reason;
        synchronized (this) {
            if (!breakpoints.isOurs(exit, stepping.get(vcpu))) {
                return armed(vcpu);
            }
            reason = breakpoints.reason(exit, swbreak, hwbreak);
        }
        tell(vcpu, reason);
        return null;
    }

    @Override
    public OptionalLong output(long rip) {
        return breakpoints.output(rip);
    }

    @Override
    public void stoppedAtOutput(int vcpu) {
        String reason;
        synchronized (this) {
            reason = Breakpoints.software(swbreak);
        }
        tell(vcpu, reason);
    }

    private void tell(int vcpu, String reason) {
        boolean first;
        synchronized (this) {
            first = !stopTold;
            stopTold = true;
        }
        target.stopSoon();
        if (first) { // else this one stops here again when it goes on
            queue.add(new Event.Stopped(stop(SIGTRAP, vcpu, reason)));
        }
    }

    private String stop(int signal, int vcpu, String reason) {
        requests.choose(vcpu);
        return "T" + Hex.of((byte) signal) + "thread:" + Integer.toHexString(vcpu + 1) + ";" + reason;
    }

    @Override
    public void ended() {
        ended = true;
        queue.add(new Event.Ended());
    }
}
