package io.javisor.storage.scsi;

import io.javisor.partition.state.StateException;
import io.javisor.partition.state.StateReader;
import io.javisor.partition.state.StateWriter;
import io.javisor.storage.disk.IoEngine;
import io.javisor.storage.disk.IoLimits;
import java.nio.ByteBuffer;
import java.util.LinkedHashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** One initiator's view of one logical unit through one target port (an I_T_L nexus). Safe from any thread. */
public final class Nexus {
    private static final int MOST_ATTENTIONS = 64;

    private final LogicalUnit unit;
    private final Id id;
    private final Set<Sense> attentions = new LinkedHashSet<>();

    /**
     * What names a nexus for good, whoever is connected at the moment.
     *
     * @param initiator who sends
     * @param relativePort by which target port
     */
    public record Id(InitiatorPort initiator, int relativePort) {}

    private final TargetPort port;
    private volatile boolean preventsRemoval;
    private volatile CopyDomain domain = new CopyDomain();
    private volatile Pace pace = new Pace(IoLimits.NONE);

    Nexus(LogicalUnit unit, InitiatorPort initiator, TargetPort port) {
        this.unit = unit;
        this.port = port;
        id = new Id(initiator, port.relativeId());
    }

    /** The unit. */
    public LogicalUnit unit() {
        return unit;
    }

    /** Its name. */
    public Id id() {
        return id;
    }

    /** The port by which commands come. */
    public TargetPort port() {
        return port;
    }

    /** Says within which disks data can be copied. */
    void setDomain(CopyDomain copies) {
        domain = copies;
    }

    CopyDomain domain() {
        return domain;
    }

    /** Limits what the initiator may ask of the unit, from now on; what waits already keeps its time. */
    public void limit(IoLimits limits) {
        pace = new Pace(limits);
    }

    /** What the initiator may ask of the unit. */
    public IoLimits limits() {
        return pace.limits();
    }

    /** Counts a command against the limits and tells how many nanoseconds it has to wait before it may run. */
    public long pace(long bytes) {
        Pace current = pace;
        return current.limits().isNone() ? 0 : current.take(bytes, System.nanoTime());
    }

    /** Runs a command to its end, on the calling thread. Never throws for what the initiator did. */
    public ScsiResult execute(ScsiCommand command) {
        return unit.execute(this, command);
    }

    /** Runs a command if it waits for nothing; null if it would, or can't be told. */
    public @Nullable ScsiResult tryExecute(ScsiCommand command) {
        return unit.tryExecute(this, command);
    }

    /** Begins a command that needs no thread to wait: see {@link RemotePort#begin}. */
    public boolean begin(ScsiCommand command, IoEngine engine, IoEngine.Completion completion) {
        return unit.begin(this, command, engine, completion);
    }

    /** Has the initiator's next command fail once with a unit attention; the same one is told only once. */
    public void raise(Sense attention) {
        synchronized (attentions) {
            attentions.add(attention);
        }
    }

    /** The initiator has just logged in: of all that was before it hears only that. */
    public void begin() {
        synchronized (attentions) {
            attentions.clear();
            attentions.add(Sense.powerOn());
        }
    }

    boolean hasAttention() {
        synchronized (attentions) {
            return !attentions.isEmpty();
        }
    }

    @Nullable
    Sense takeAttention() {
        synchronized (attentions) {
            var all = attentions.iterator();
            if (!all.hasNext()) {
                return null;
            }
            Sense first = all.next();
            all.remove();
            return first;
        }
    }

    void forget(Sense attention) {
        synchronized (attentions) {
            attentions.remove(attention);
        }
    }

    /** Writes what the initiator could notice if it were lost. */
    public void save(StateWriter out) {
        synchronized (attentions) {
            ByteBuffer codes = ByteBuffer.allocate(2 * attentions.size());
            attentions.forEach(a -> codes.putShort((short) a.code()));
            out.put("attentions", codes.array());
        }
        out.put("preventsRemoval", preventsRemoval);
    }

    /** Takes over what was saved. */
    public void restore(StateReader in) {
        byte[] codes = in.getBytes("attentions");
        if (codes.length > 2 * MOST_ATTENTIONS || codes.length % 2 != 0) {
            throw new StateException(codes.length + " bytes of unit attentions");
        }
        synchronized (attentions) {
            attentions.clear();
            ByteBuffer all = ByteBuffer.wrap(codes);
            while (all.hasRemaining()) {
                attentions.add(new Sense(Sense.UNIT_ATTENTION, Short.toUnsignedInt(all.getShort())));
            }
        }
        preventsRemoval = in.getBoolean("preventsRemoval");
    }

    boolean preventsRemoval() {
        return preventsRemoval;
    }

    void preventRemoval(boolean prevent) {
        preventsRemoval = prevent;
    }

    /** The initiator is gone: what it prevented is allowed again. Its reservations stay. Idempotent. */
    public void detach() {
        unit.detach(this);
    }
}
