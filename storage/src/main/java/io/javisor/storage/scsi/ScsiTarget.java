package io.javisor.storage.scsi;

import io.javisor.storage.disk.IoEngine;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.SortedMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * What one initiator finds behind one target port: logical units by number. Units that it shall not see are not there. Safe
 * from any thread.
 */
public final class ScsiTarget implements RemotePort {
    /** One more than the highest LUN of peripheral device addressing (SAM-5 section 4.7.7.2). */
    public static final int LUNS = 256;

    private static final int REPORT_LUNS = 0xA0;
    private static final int INQUIRY = 0x12;
    private static final int REQUEST_SENSE = 0x03;
    private static final int SHORT_INQUIRY = 36;

    private final ConcurrentSkipListMap<Integer, Nexus> nexuses = new ConcurrentSkipListMap<>();
    // The same, for every request to find its own.
    private final AtomicReferenceArray<@Nullable Nexus> byNumber = new AtomicReferenceArray<>(LUNS);
    private final boolean announces;
    private final CopyDomain domain;

    /** A target that tells its initiator of units that come and go by unit attentions. */
    public ScsiTarget() {
        this(true);
    }

    /** @param announces whether units that come and go are told by unit attentions, or by the transport's own means */
    public ScsiTarget(boolean announces) {
        this(announces, new CopyDomain());
    }

    /**
     * @param announces whether units that come and go are told by unit attentions, or by the transport's own means
     * @param domain within which the initiator may have data copied: its other targets are in it, too
     */
    public ScsiTarget(boolean announces, CopyDomain domain) {
        this.announces = announces;
        this.domain = domain;
        domain.join(this);
    }

    /**
     * Shows a unit.
     *
     * @throws IllegalArgumentException if the number is taken or not in 0 to 255
     */
    public void add(int lun, Nexus nexus) {
        if (lun < 0 || lun >= LUNS) {
            throw new IllegalArgumentException("LUN " + lun + " is not in 0.." + (LUNS - 1));
        }
        if (nexuses.putIfAbsent(lun, nexus) != null) {
            throw new IllegalArgumentException("LUN " + lun + " is taken");
        }
        nexus.setDomain(domain);
        byNumber.set(lun, nexus);
        tellOthers(lun);
    }

    /** Takes a unit away; returns what was there, or null. Commands in progress end as they would have. */
    public @Nullable Nexus remove(int lun) {
        Nexus gone = lun < 0 || lun >= LUNS ? null : byNumber.getAndSet(lun, null);
        if (gone != null) {
            nexuses.remove(lun);
            gone.detach();
            tellOthers(lun);
        }
        return gone;
    }

    private @Nullable Nexus at(int lun) {
        return lun < 0 || lun >= LUNS ? null : byNumber.get(lun);
    }

    private void tellOthers(int lun) {
        nexuses.forEach((other, nexus) -> {
            if (announces && other != lun) {
                nexus.raise(Sense.lunsChanged());
            }
        });
    }

    /** The units, by number. */
    public SortedMap<Integer, Nexus> nexuses() {
        return java.util.Collections.unmodifiableSortedMap(nexuses);
    }

    @Override
    public boolean answersFor(int lun) {
        return at(lun) != null;
    }

    @Override
    public @Nullable ScsiResult tryExecute(int lun, ScsiCommand command) {
        Nexus nexus = at(lun);
        return nexus == null ? null : nexus.tryExecute(command);
    }

    @Override
    public boolean begin(int lun, ScsiCommand command, IoEngine engine, IoEngine.Completion completion) {
        Nexus nexus = at(lun);
        return nexus != null && nexus.begin(command, engine, completion);
    }

    @Override
    public long pace(int lun, long bytes) {
        Nexus nexus = at(lun);
        return nexus == null ? 0 : nexus.pace(bytes);
    }

    /** Takes all units away, for good: nothing is copied by way of this target any more. */
    public void close() {
        domain.leave(this);
        nexuses.keySet().forEach(this::remove);
    }

    @Override
    public ScsiResult execute(int lun, ScsiCommand command) {
        Nexus nexus = at(lun);
        if (command.opcode() == REPORT_LUNS) {
            return reportLuns(nexus, command);
        }
        if (nexus != null) {
            return nexus.execute(command);
        }
        return switch (command.opcode()) {
            case INQUIRY -> {
                // 0x7F: no unit here, and none can be (SPC-4 section 6.4.2). No longer than what is asked first: Linux
                // asks again
                // for all that there is, and a guest's scan of Fibre Channel finds a thousand targets absent.
                byte[] absent =
                        Arrays.copyOf(DiskPages.inquiry(0x1F | 0x60, "                ", false, false), SHORT_INQUIRY);
                absent[4] = SHORT_INQUIRY - 5;
                yield command.bit(1, 0)
                        ? ScsiResult.check(Sense.INVALID_FIELD)
                        : ScsiResult.good(command.answer(absent, command.u16(3)));
            }
            case REQUEST_SENSE -> ScsiResult.good(command.answer(Sense.NO_SUCH_UNIT.toByteArray(), command.u8(4)));
            default -> ScsiResult.check(Sense.NO_SUCH_UNIT);
        };
    }

    /** SPC-4 section 6.33. It is also what ends the attention that there are other units than before. */
    private ScsiResult reportLuns(@Nullable Nexus nexus, ScsiCommand command) {
        long allocation = command.u32(6);
        int select = command.u8(2);
        if (allocation < 16 || select > 2) {
            return ScsiResult.check(Sense.INVALID_FIELD);
        }
        var luns = select == 1 ? java.util.List.<Integer>of() : java.util.List.copyOf(nexuses.keySet());
        ByteBuffer out = ByteBuffer.allocate(8 + 8 * luns.size());
        out.putInt(8 * luns.size()).putInt(0);
        luns.forEach(lun -> out.putLong((long) lun << 48));
        if (nexus != null) {
            nexus.forget(Sense.lunsChanged());
        }
        return ScsiResult.good(command.answer(out.array(), allocation));
    }
}
